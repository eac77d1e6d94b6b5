"""Whether an alignment is good enough for a pair, and what is wrong with it where it is not."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from raim.data.alignment.aligning import Alignment
from raim.data.alignment.residual import Residual
from raim.errors import InputError

LEAST_CORRELATION = 0.5  # two scenes reach 0.1 by chance, pairs under heavy blur 0.85 (measured)
LEAST_TILES = 3
LEAST_MEASURED = 0.03  # of the tiles looked at


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a pair may have at most.

    Attributes:
        residual_px: Mean residual over tiles, px of the input.
        moved_share: Share of pixels where something has moved.
    """

    residual_px: float = 0.5
    moved_share: float = 0.25

    def __post_init__(self) -> None:
        if not (self.residual_px > 0 and math.isfinite(self.residual_px)):
            raise InputError(f"the largest residual is {self.residual_px} px; expected a number above 0")
        if not 0 <= self.moved_share <= 1:
            raise InputError(f"the largest share that moved is {self.moved_share}; expected 0 to 1")


def judge_alignment(alignment: Alignment | None, limits: Limits) -> str | None:
    """Say why an alignment is refused, with figures and places; None if it is good."""
    if alignment is None:
        return (
            "no common scene was found: too few features agree on one homography, and no shift makes the two alike; "
            "check that both show the same scene, and the mode"
        )
    return "; ".join(_list_faults(alignment, limits)) or None


def _list_faults(alignment: Alignment, limits: Limits) -> Iterator[str]:
    match, residual = alignment.match, alignment.residual
    if alignment.correlation < LEAST_CORRELATION:
        yield (
            f"after alignment the two are hardly alike (correlation {alignment.correlation:.2f}, at least "
            f"{LEAST_CORRELATION}; {match.n_inliers} of {match.n_matches} matched features agree)"
        )
        return
    needed = max(LEAST_TILES, LEAST_MEASURED * residual.n_tiles)
    if len(residual.tiles) < needed:
        yield (
            f"the residual can be measured on {len(residual.tiles)} of {residual.n_tiles} tiles only, at least "
            f"{math.ceil(needed)} are needed: too little texture, or too much noise"
        )
    elif residual.mean_px() > limits.residual_px:
        yield describe_residual(residual, limits)
    moved = float(alignment.moved.mean())
    if moved > limits.moved_share:
        yield f"something has moved in {moved:.0%} of the picture, at most {limits.moved_share:.0%} may"


def describe_residual(residual: Residual, limits: Limits) -> str:
    """Say by how much and where a residual is too large."""
    worst = ", ".join(
        f"{tile.length():.2f} px at ({tile.x + residual.tile_px // 2}, {tile.y + residual.tile_px // 2})"
        for tile in residual.worst()
    )
    return (
        f"the mean residual is {residual.mean_px():.2f} px over {len(residual.tiles)} tiles, at most "
        f"{limits.residual_px:g} px may be left; the worst: {worst}"
    )
