"""One reference aligned to one input: match, refine, tone, mask, and measure what is left.

The order matters. Tone, blur and position depend on one another, so each round of the refinement estimates tone and
blur anew with the position so far. What is left is measured at the end by another method than those that aligned.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from raim.data.alignment.kernel import Kernel, apply_kernel, estimate_kernel, measure_spread
from raim.data.alignment.mapping import Mapping, find_inside, measure_scale, start_mapping, warp
from raim.data.alignment.masks import find_moved
from raim.data.alignment.matching import Match, correlate, find_matches
from raim.data.alignment.modes import Mode
from raim.data.alignment.planes import Colour, Plane, to_luma
from raim.data.alignment.refinement import ROUNDS_PX, find_flow
from raim.data.alignment.residual import Residual, measure_residual
from raim.data.alignment.tone import Tone, keep_tone, match_tone


WORTH = 0.95  # of the residual, what a finer flow must get below
ALIKE = 0.2  # the least correlation under a first alignment: chance gives up to 0.1 (measured on pairs of scenes)
TILES = 150  # looked at after each round
UNKNOWN_PX = 0.5  # what a tile counts that measures nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Alignment:
    """How a reference lies to an input.

    Attributes:
        match: The first alignment by features.
        mapping: Where each pixel of the input lies in the reference.
        tone: What brings the reference's values to the input's.
        kernel: The blur between them, centroid 0; None if none is looked for.
        inside: Pixels of the input that the reference shows.
        moved: Pixels where something has moved.
        residual: What misalignment is left, by tiles.
        correlation: Of local contrast after alignment, -1 to 1.
        scale: Pixels of the reference for each of the input, in the middle.
    """

    match: Match
    mapping: Mapping
    tone: Tone
    kernel: Kernel | None
    inside: Bool[np.ndarray, "_ _"]
    moved: Bool[np.ndarray, "_ _"]
    residual: Residual
    correlation: float
    scale: float

    def blur_px(self) -> float:
        """Give the deviation of the blur between the two, px of the input."""
        return 0.0 if self.kernel is None else measure_spread(self.kernel)


def align(colour: Colour, reference: Colour, mode: Mode, *, seed: int) -> Alignment | None:
    """Align a reference to an input.

    What comes out may still be wrong; `judging` decides.

    Args:
        colour: The input, encoded values (h, w, channels).
        reference: Any size, the same channels.
        mode: What kind of captures they are.
        seed: Of the random samples of MAGSAC.

    Returns:
        The alignment, None where no first alignment makes the two alike.
    """
    luma, other = to_luma(colour), to_luma(reference)
    matches = find_matches(luma, other, mode, seed=seed)
    if not matches or matches[0].correlation < ALIKE:
        return None
    mapping = _refine(luma, other, mode, start_mapping(matches[0].homography, *luma.shape))
    return finish_alignment(colour, reference, mode, matches[0], mapping.refit())


def _refine(luma: Plane, reference: Plane, mode: Mode, mapping: Mapping) -> Mapping:
    """Follow flows, from one homography for all to fine ones; a finer one is kept only if less residual is left."""
    best, proxy = mapping, _make_proxy(luma, reference, mapping, mode)
    least = _measure(luma, proxy, reference, mapping, mode)
    for sigma_px in ROUNDS_PX:
        flow = find_flow(luma, proxy, smoothing_px=mode.smoothing_px, sigma_px=sigma_px)
        tried = best.compose(flow)
        shown = _make_proxy(luma, reference, tried, mode)
        left = _measure(luma, shown, reference, tried, mode)
        if left < WORTH * least:
            best, proxy, least = tried, shown, left
    return best


def _measure(luma: Plane, proxy: Plane, reference: Plane, mapping: Mapping, mode: Mode) -> float:
    """Give the mean residual of some tiles; a tile counts a pixel at most, so that one that moved decides nothing."""
    inside = find_inside(mapping.at_scale(1), reference.shape)
    residual = measure_residual(luma, proxy, inside, tile_px=mode.tile_px, most=TILES, sure_px=np.inf)
    lengths = [min(tile.length(), 1.0) for tile in residual.tiles]
    unknown = residual.n_tiles - len(lengths)
    return (sum(lengths) + unknown * UNKNOWN_PX) / max(residual.n_tiles, 1) if lengths else np.inf


def _make_proxy(luma: Plane, reference: Plane, mapping: Mapping, mode: Mode) -> Plane:
    """Give the reference's brightness on the input's grid, with its tone and sharpness."""
    warped = warp(reference, mapping)
    inside = find_inside(mapping.at_scale(1), reference.shape)
    toned = match_tone(luma[..., None], warped[..., None], inside).apply(warped[..., None])[..., 0]
    # Outside, the input stands in, so that the flow has nothing to follow there.
    filled = np.where(inside, toned, luma)
    if not mode.kernel_px:
        return filled
    return apply_kernel(filled, estimate_kernel(luma, filled, mode.kernel_px))


def finish_alignment(
    colour: Colour, reference: Colour, mode: Mode, match: Match, mapping: Mapping
) -> Alignment:
    """Find tone, blur and what moved under a mapping, and measure what misalignment it leaves."""
    luma = to_luma(colour)
    inside = find_inside(mapping.at_scale(1), reference.shape)
    warped = np.where(inside[..., None], warp(reference, mapping), colour)
    moved = np.zeros_like(inside)
    tone, kernel, sharp_as_input = keep_tone(colour.shape[2]), None, warped
    for _ in range(2):
        if mode.kernel_px:
            kernel = estimate_kernel(luma, to_luma(tone.apply(warped)), mode.kernel_px)
            sharp_as_input = _blur(warped, kernel)
        tone = match_tone(colour, sharp_as_input, inside & ~moved)
        moved = find_moved(colour, tone.apply(sharp_as_input), inside)
    proxy = to_luma(tone.apply(sharp_as_input))
    residual = measure_residual(luma, proxy, inside & ~moved, tile_px=mode.tile_px)
    return Alignment(
        match=match,
        mapping=mapping,
        tone=tone,
        kernel=kernel,
        inside=inside,
        moved=moved,
        residual=residual,
        correlation=correlate(luma, proxy, inside),
        scale=measure_scale(mapping.homography, *luma.shape),
    )


def _blur(colour: Colour, kernel: Kernel) -> Colour:
    planes = [apply_kernel(np.ascontiguousarray(colour[..., each]), kernel) for each in range(colour.shape[2])]
    return np.stack(planes, axis=-1)
