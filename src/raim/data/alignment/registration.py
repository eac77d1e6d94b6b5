"""One reference aligned to one input: match, refine, tone, mask, and measure what is left.

The order matters. Tone, blur and position depend on one another, so each round of the refinement estimates tone and
blur again with the position so far. What is left is measured at the end by another method than those that aligned.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from raim.data.alignment.kernel import measure_spread
from raim.data.alignment.mapping import Field, Mapping, measure_scale, start_mapping
from raim.data.alignment.matches import Match, MatchSearch, correlate, search_homography
from raim.data.alignment.modes import Mode
from raim.data.alignment.planes import Colour, Plane, to_luma
from raim.data.alignment.refinement import (
    SPACING_PX,
    STIFFNESS,
    compare_brightness,
    follow_flow,
    follow_whole,
)
from raim.data.alignment.residual import Residual, measure_residual
from raim.data.alignment.simulation import SimulatedInput, simulate_input
from raim.data.alignment.spline import Evidence, fit_spline, measure_deviation
from raim.data.alignment.stripes import suppress_stripes
from raim.data.alignment.tone import Tone

ALIKE = (
    0.2  # the least correlation under a first alignment: chance gives up to 0.1 (measured on pairs of scenes)
)
SMOOTHINGS = (2.0, 2.0, *[1.0] * 8)  # of the mode's detail, round by round
SETTLED_PX = 0.01  # mean change of a round after which no other follows
# One standard deviation of where a pixel lies, above which its position is undetermined: where edges begin to look
# double. Of textured synthetic captures up to a tenth lies above it, of those of a dark sky at least 0.45 (measured).
DETERMINED_PX = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Alignment:
    """How a reference lies to an input.

    Attributes:
        match: The first alignment by features.
        mapping: Where each pixel of the input lies in the reference.
        tone: What brings the reference's values to the input's.
        blur_px: Standard deviation of the blur between them, px of the input; 0 if none is looked for.
        inside: Pixels of the input that the reference shows.
        moved: Pixels where something has moved.
        deviation: Standard deviation of each pixel's position, as the texture around it determines it, px of the input.
        residual: What misalignment is left, by tiles.
        correlation: Of local contrast after alignment, -1 to 1.
        scale: Pixels of the reference for each of the input, in the middle.
    """

    match: Match
    mapping: Mapping
    tone: Tone
    blur_px: float
    inside: Bool[np.ndarray, "_ _"]
    moved: Bool[np.ndarray, "_ _"]
    deviation: Plane
    residual: Residual
    correlation: float
    scale: float

    def undetermined(self) -> Bool[np.ndarray, "_ _"]:
        """Return the pixels that both show, but whose position nothing near them determines."""
        return (self.deviation > DETERMINED_PX) & self.inside


def align(colour: Colour, reference: Colour, mode: Mode, *, seed: int) -> Alignment | MatchSearch:
    """Align a reference to an input; whether the alignment is good enough is for `refusal` to say.

    Args:
        colour: The input, encoded values (h, w, channels).
        reference: Any size, the same channels.
        mode: What kind of captures they are.
        seed: Of the random samples of MAGSAC.

    Returns:
        The alignment; what was searched in vain where no first alignment makes the two alike.
    """
    search = search_homography(to_luma(colour), to_luma(reference), mode, seed=seed)
    match = search.best
    if match is None or match.correlation < ALIKE:
        return search
    mapping = _refine(colour, reference, mode, start_mapping(match.homography, *colour.shape[:2]))
    return finish_alignment(colour, reference, mode, match, mapping.refit())


def _refine(colour: Colour, reference: Colour, mode: Mode, mapping: Mapping) -> Mapping:
    """Follow flow and brightness: one homography for all, then a smooth displacement."""
    luma, shown = to_luma(colour), None
    for _ in range(2):
        shown = simulate_input(colour, reference, mapping, mode, shown)
        flow = follow_whole(luma, shown.luma(), smoothing_px=mode.smoothing_px)
        mapping = start_mapping(mapping.compose(flow).refit().homography, *luma.shape)
    for _ in range(2):
        shown = simulate_input(colour, reference, mapping, mode, shown)
        found = follow_flow(luma, shown.luma(), mapping.displacement, smoothing_px=mode.smoothing_px)
        mapping = replace(mapping, displacement=found)
    for smoothing in SMOOTHINGS:
        former = mapping.displacement
        shown = simulate_input(colour, reference, mapping, mode, shown)
        evidence = _compare(luma, shown, mode, former, smoothing_px=smoothing * mode.detail_px)
        found = fit_spline(evidence, spacing_px=SPACING_PX, stiffness=STIFFNESS)
        mapping = replace(mapping, displacement=found)
        if float(np.abs(found - former).mean()) < SETTLED_PX:
            break
    return mapping


def _compare(
    luma: Plane, shown: SimulatedInput, mode: Mode, displacement: Field, *, smoothing_px: float
) -> Evidence:
    """Return what brightness says of the displacement, in mode moire with stripes attenuated."""
    own, other, usable = luma, shown.luma(), shown.inside
    if mode.has_stripes:
        usable = shown.inside & ~shown.moved
        own, other = suppress_stripes(own, other, usable)
    return compare_brightness(own, other, usable, displacement, smoothing_px=smoothing_px)


def finish_alignment(
    colour: Colour, reference: Colour, mode: Mode, match: Match, mapping: Mapping
) -> Alignment:
    """Find tone, blur and what moved under a mapping, and measure what misalignment it leaves."""
    shown = simulate_input(colour, reference, mapping, mode)
    luma, other = to_luma(colour), shown.luma()
    evidence = _compare(luma, shown, mode, mapping.displacement, smoothing_px=mode.detail_px)
    return Alignment(
        match=match,
        mapping=mapping,
        tone=shown.tone,
        blur_px=0.0 if shown.kernel is None else measure_spread(shown.kernel),
        inside=shown.inside,
        moved=shown.moved,
        deviation=measure_deviation(evidence, stiffness=STIFFNESS),
        residual=measure_residual(luma, other, shown.inside & ~shown.moved, tile_px=mode.tile_px),
        correlation=correlate(luma, other, shown.inside),
        scale=measure_scale(mapping.homography, *luma.shape),
    )
