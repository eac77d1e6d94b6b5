"""One scene read and aligned: a pair, or a burst and its mean; refused with the reason where it does not fit."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from raim.data.alignment.burst import Average, average_shots
from raim.data.alignment.captures import Scene
from raim.data.alignment.limits import describe_failure, judge_alignment
from raim.data.alignment.mapping import start_mapping, warp
from raim.data.alignment.masks import draw_mask, find_saturated
from raim.data.alignment.matches import Match
from raim.data.alignment.options import Options
from raim.data.alignment.planes import Colour, to_colour, to_luma
from raim.data.alignment.registration import Alignment, Failure, align, finish_alignment
from raim.errors import InputError
from raim.images import read_image
from raim.images.picture import PixelArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """An aligned scene, ready to be cropped.

    Attributes:
        pixels: The input's, as they were read.
        colour: The input's encoded values.
        reference: Encoded values on the reference's own grid; of a burst the mean, on the input's.
        alignment: How the two lie to each other.
        scale: Pixels of the written reference for each of the input.
        mask: Which pixels may be used, on the input's grid.
        shots: Pictures in the reference.
        noise: Of a burst's mean, deviation in levels of 255; None for a single picture.
    """

    pixels: PixelArray
    colour: Colour
    reference: Colour
    alignment: Alignment
    scale: float
    mask: UInt8[np.ndarray, "_ _"]
    shots: int = 1
    noise: float | None = None


def fit_scene(scene: Scene, options: Options) -> Fitted | str:
    """Read and align a scene.

    Returns:
        The aligned scene, or why it is refused.

    Raises:
        ImageError: A picture cannot be read.
        InputError: Its pictures do not go together.
    """
    pixels = read_image(scene.input, purpose="restore").pixels
    colour = to_colour(pixels)
    if scene.mode.n_references > 1:
        return _fit_burst(scene, options, pixels, colour)
    reference = _read_like(scene.references[0], colour)
    found = align(colour, reference, scene.mode, seed=options.seed)
    if isinstance(found, Failure):
        return describe_failure(found)
    reason = judge_alignment(found, options.limits)
    if reason is not None:
        return reason
    return Fitted(
        pixels=pixels,
        colour=colour,
        reference=reference,
        alignment=found,
        scale=_choose_scale(scene, options, found),
        mask=_draw_mask(colour, reference, found, options),
    )


def _fit_burst(scene: Scene, options: Options, pixels: PixelArray, colour: Colour) -> Fitted | str:
    shots = (_read_like(path, colour) for path in scene.references)
    average = average_shots(colour, shots, scene.mode, seed=options.seed)
    misfits = "; ".join(_list_misfits(scene, options, average))
    if misfits:
        return misfits
    identity = start_mapping(np.eye(3), *colour.shape[:2])
    alignment = finish_alignment(colour, average.colour, scene.mode, _join_matches(average), identity)
    alignment = dataclasses.replace(alignment, moved=alignment.moved | ~average.is_known)
    reason = judge_alignment(alignment, options.limits)
    if reason is not None:
        return reason
    return Fitted(
        pixels=pixels,
        colour=colour,
        reference=average.colour,
        alignment=alignment,
        scale=1.0,
        mask=_draw_mask(colour, average.colour, alignment, options),
        shots=len(scene.references),
        noise=average.noise,
    )


def _list_misfits(scene: Scene, options: Options, average: Average) -> Iterator[str]:
    """Say which shots do not fit, and why."""
    for path, found in zip(scene.references, average.alignments, strict=True):
        if isinstance(found, Failure):
            yield f"{path.name}: {describe_failure(found)}"
        elif (reason := judge_alignment(found, options.limits)) is not None:
            yield f"{path.name}: {reason}"


def _join_matches(average: Average) -> Match:
    """Describe the shots' first alignments by the poorest of them."""
    found = [each.match for each in average.alignments if isinstance(each, Alignment)]
    return min(found, key=lambda match: match.n_inliers)


def _choose_scale(scene: Scene, options: Options, alignment: Alignment) -> float:
    if scene.mode.name != "zoom":
        return 1.0
    return options.scale or float(max(1, min(8, round(alignment.scale))))


def _draw_mask(colour: Colour, reference: Colour, alignment: Alignment, options: Options) -> np.ndarray:
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
