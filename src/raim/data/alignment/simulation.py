"""The input simulated from the reference under a mapping: on its grid, as sharp, with its tone.

Light adds up where it is blurred, so the kernel acts on linear light (encoded values are taken for sRGB), and the
tone comes after it. Blur, tone and what moved depend on one another: each is estimated with what is known of the
others, in turn.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from raim.data.alignment.kernel import Kernel, apply_kernel, estimate_kernel
from raim.data.alignment.mapping import Mapping, find_inside, warp
from raim.data.alignment.masks import find_moved
from raim.data.alignment.modes import Mode
from raim.data.alignment.planes import Colour, Plane, to_luma
from raim.data.alignment.tone import Tone, keep_tone, match_tone
from raim.data.camera.colour import decode_srgb, encode_srgb

MOST_MOVED = 0.2  # of the pixels; more is taken for misalignment


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedInput:
    """What the reference looks like where the input's camera had taken it.

    Attributes:
        colour: Its encoded values on the input's grid; where the reference shows nothing, the input's.
        tone: What brought its values to the input's.
        kernel: The blur that it went through, centroid 0; None if none is looked for.
        inside: Pixels of the input that the reference shows.
        moved: Pixels where something has moved.
    """

    colour: Colour
    tone: Tone
    kernel: Kernel | None
    inside: Bool[np.ndarray, "_ _"]
    moved: Bool[np.ndarray, "_ _"]

    def luma(self) -> Plane:
        """Return its brightness."""
        return to_luma(self.colour)


def simulate_input(
    colour: Colour, reference: Colour, mapping: Mapping, mode: Mode, former: SimulatedInput | None = None
) -> SimulatedInput:
    """Return the input as the reference lets one expect it.

    Args:
        colour: The input, encoded values.
        reference: On its own grid.
        mapping: Where the input's pixels lie in it.
        mode: Says whether a blur is looked for.
        former: What was found under the mapping before; its tone and what moved are where this one starts.
    """
    inside = find_inside(mapping.at_scale(1), reference.shape)
    warped = np.where(inside[..., None], warp(reference, mapping), colour)
    tone = keep_tone(colour.shape[2]) if former is None else former.tone
    moved = np.zeros_like(inside) if former is None else _trust(former.moved)
    light = decode_srgb(warped) if mode.kernel_px else warped
    kernel, sharp_as_input = None if former is None else former.kernel, warped
    for _ in range(2 if former is None else 1):
        if mode.kernel_px:
            kernel = _estimate(colour, light, tone, inside & ~moved, side_px=mode.kernel_px, former=kernel)
            planes = [apply_kernel(np.ascontiguousarray(each), kernel) for each in np.moveaxis(light, 2, 0)]
            sharp_as_input = encode_srgb(np.clip(np.stack(planes, axis=-1), 0, 1))
        tone = match_tone(colour, sharp_as_input, inside & ~moved)
        found = find_moved(colour, tone.apply(sharp_as_input), inside)
        moved = _trust(found)
    shown = np.where(inside[..., None], tone.apply(sharp_as_input), colour)
    return SimulatedInput(colour=shown, tone=tone, kernel=kernel, inside=inside, moved=found)


def _trust(moved: Bool[np.ndarray, "_ _"]) -> Bool[np.ndarray, "_ _"]:
    """Take nothing for moved where so much seems to be that it is rather misaligned: all of it is needed to align."""
    return moved if moved.mean() <= MOST_MOVED else np.zeros_like(moved)


def _estimate(
    colour: Colour, light: Colour, tone: Tone, usable: np.ndarray, *, side_px: int, former: Kernel | None
) -> Kernel:
    """Estimate the blur; where the two do not show the same, the reference stands in for the input."""
    other = to_luma(light)
    own = to_luma(decode_srgb(tone.invert(colour)))
    known = other if former is None else apply_kernel(other, former)
    return estimate_kernel(np.where(usable, own, known), other, side_px)
