"""One scene read and aligned: a pair, or a burst and its mean; refused with the reason where it does not fit."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from raim.data.alignment.burst import Average, average_shots
from raim.data.alignment.captures import Scene
from raim.data.alignment.mapping import warp
from raim.data.alignment.masks import draw_mask, find_saturated
from raim.data.alignment.matches import MatchSearch
from raim.data.alignment.options import AlignmentOptions
from raim.data.alignment.planes import Colour, to_colour, to_luma
from raim.data.alignment.refusal import describe_search, judge_alignment
from raim.data.alignment.registration import Alignment, align
from raim.errors import InputError
from raim.images import read_image
from raim.images.picture import PixelArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """An aligned scene, ready to be cropped.

    Attributes:
        pixels: The input's, as they were read.
        reference: Encoded values on the reference's own grid; of a burst the mean, on the input's.
        alignment: How the two lie to each other.
        scale: Pixels of the written reference for each of the input.
        mask: Which pixels may be used, on the input's grid.
        noise: Of a burst's mean, deviation in levels of 255; None for a single picture.
    """

    pixels: PixelArray
    reference: Colour
    alignment: Alignment
    scale: float
    mask: UInt8[np.ndarray, "_ _"]
    noise: float | None


def fit_scene(scene: Scene, options: AlignmentOptions) -> Fitted | str:
    """Read and align a scene.

    Returns:
        The aligned scene, or why it is refused.

    Raises:
        ImageError: A picture cannot be read.
        InputError: Its pictures do not go together.
    """
    pixels = read_image(scene.input, purpose="restore").pixels
    colour = to_colour(pixels)
    references = (_read_like(path, colour) for path in scene.references)
    noise = None
    if scene.mode.n_references > 1:
        average = average_shots(colour, references, scene.mode, seed=options.seed)
        misfits = "; ".join(_list_misfits(scene, options, average))
        if misfits:
            return misfits
        reference, noise = average.colour, average.noise
        alignment = average.align(colour, scene.mode)
    else:
        reference = next(references)
        found = align(colour, reference, scene.mode, seed=options.seed)
        if isinstance(found, MatchSearch):
            return describe_search(found)
        alignment = found
    reason = judge_alignment(alignment, options.limits)
    if reason is not None:
        return reason
    found_scale = float(max(1, min(8, round(alignment.scale))))
    return Fitted(
        pixels=pixels,
        reference=reference,
        alignment=alignment,
        scale=(options.scale or found_scale) if scene.mode.name == "zoom" else 1.0,
        mask=_draw_mask(colour, reference, alignment, options),
        noise=noise,
    )


def _list_misfits(scene: Scene, options: AlignmentOptions, average: Average) -> Iterator[str]:
    """Yield which shots do not fit, and why."""
    for path, found in zip(scene.references, average.alignments, strict=True):
        if isinstance(found, MatchSearch):
            yield f"{path.name}: {describe_search(found)}"
        elif (reason := judge_alignment(found, options.limits)) is not None:
            yield f"{path.name}: {reason}"


def _draw_mask(
    colour: Colour, reference: Colour, alignment: Alignment, options: AlignmentOptions
) -> np.ndarray:
    warped = warp(reference, alignment.mapping)
    toned = alignment.tone.apply(warped) if options.match_tone else warped
    return draw_mask(
        alignment.inside,
        undetermined=alignment.undetermined(),
        moved=alignment.moved,
        saturated=find_saturated(colour, toned),
    )


def _read_like(path: Path, colour: Colour) -> Colour:
    """Read a reference with as many channels as the input; a grey input has a grey reference."""
    reference = to_colour(read_image(path, purpose="restore").pixels)
    if reference.shape[2] == colour.shape[2]:
        return reference
    if colour.shape[2] == 1:
        return to_luma(reference)[..., None]
    raise InputError(f"{path.name} is grey and its input has colours; use a colour reference or a grey input")
