"""Whether an alignment, or a crop of it, is good enough for a pair, and what is wrong with it where it is not."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from raim.data.alignment.crops import Rectangle
from raim.data.alignment.matches import MatchSearch
from raim.data.alignment.options import PairLimits
from raim.data.alignment.registration import ALIKE, DETERMINED_PX, Alignment
from raim.data.alignment.residual import Residual

LEAST_CORRELATION = 0.5  # two scenes reach 0.1 by chance, pairs under heavy blur 0.85 (measured)
LEAST_TILES = 3
LEAST_MEASURED = 0.03  # of the tiles looked at


def judge_alignment(alignment: Alignment, limits: PairLimits) -> str | None:
    """Return why an alignment is refused, with figures and places; None if it is good."""
    match, residual, correlation = alignment.match, alignment.residual, alignment.correlation
    if correlation < LEAST_CORRELATION:
        what = f"none of {len(residual.places)} tiles fits its place"
        return (
            f"after alignment the two are hardly alike: correlation {correlation:.2f}, which explains "
            f"{max(correlation, 0) ** 2:.0%} of the input's contrast, at least {LEAST_CORRELATION} is needed; "
            f"{match.n_inliers} of {match.n_matches} matched features agree; "
            f"{_describe_residual(residual, limits) if residual.tiles else what}"
        )
    faults = []
    needed = max(LEAST_TILES, LEAST_MEASURED * len(residual.places))
    if len(residual.tiles) < needed:
        faults.append(
            f"the residual can be measured on {len(residual.tiles)} of {len(residual.places)} tiles only, at least "
            f"{math.ceil(needed)} are needed: too little texture, or too much noise"
        )
        residual = replace(residual, tiles=())
    height, width = alignment.inside.shape
    whole = Rectangle(x=0, y=0, width=width, height=height)
    faults += _list_faults(alignment, whole, residual, limits, of="the picture")
    return "; ".join(faults) or None


def judge_crop(alignment: Alignment, crop: Rectangle, limits: PairLimits) -> str | None:
    """Return why a crop of an alignment is refused; None if it is good."""
    residual = alignment.residual.within(crop)
    fault = next(_list_faults(alignment, crop, residual, limits, of="it"), None)
    return None if fault is None else f"the crop at ({crop.x}, {crop.y}): {fault}"


def _list_faults(
    alignment: Alignment, crop: Rectangle, residual: Residual, limits: PairLimits, *, of: str
) -> Iterator[str]:
    if residual.tiles and residual.mean_px() > limits.residual_px:
        yield _describe_residual(residual, limits)
    undetermined = float(crop.cut(alignment.undetermined()).mean())
    if undetermined > limits.undetermined_share:
        deviation = crop.cut(alignment.deviation)
        y, x = np.unravel_index(int(np.argmax(deviation)), deviation.shape)
        yield (
            f"too little texture says where things lie in {undetermined:.0%} of it: they could be off by more than "
            f"{DETERMINED_PX:g} px (one standard deviation), at most {limits.undetermined_share:.0%} may; "
            f"the worst: {deviation.max():.1f} px at ({crop.x + int(x)}, {crop.y + int(y)})"
        )
    moved = float(crop.cut(alignment.moved).mean())
    if moved > limits.moved_share:
        yield f"something has moved in {moved:.0%} of {of}, at most {limits.moved_share:.0%} may"


def _describe_residual(residual: Residual, limits: PairLimits) -> str:
    worst = ", ".join(
        f"{tile.length_px:.2f} px at ({tile.x + residual.tile_px // 2}, {tile.y + residual.tile_px // 2})"
        for tile in residual.worst()
    )
    return (
        f"the mean residual is {residual.mean_px():.2f} px over {len(residual.tiles)} tiles, at most "
        f"{limits.residual_px:g} px may be left; the worst: {worst}"
    )


def describe_search(found: MatchSearch) -> str:
    """Return what the search for a first alignment has found where nothing makes the two alike."""
    share = f" ({found.n_inliers / found.n_matches:.0%})".replace("%", " %") if found.n_matches else ""
    tried = "nothing else puts one on the other"
    if found.best is not None:
        tried = (
            f"the best that was tried leaves a correlation of {found.best.correlation:.2f} over all of the picture, "
            f"at least {ALIKE} is needed"
        )
    return (
        f"no common scene was found: of {found.n_features[0]} and {found.n_features[1]} features {found.n_matches} "
        f"match, of which {found.n_inliers}{share} agree on one homography; {tried}; check that both show the same "
        "scene, and the mode"
    )
