"""Whether an alignment is good enough for a pair, and what is wrong with it where it is not."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from raim.data.alignment.planes import Plane
from raim.data.alignment.registration import ALIKE, DETERMINED_PX, Alignment, Failure
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
        undetermined_share: Share of pixels whose position nothing near them says.
    """

    residual_px: float = 0.5
    moved_share: float = 0.25
    undetermined_share: float = 0.4

    def __post_init__(self) -> None:
        if not (self.residual_px > 0 and math.isfinite(self.residual_px)):
            raise InputError(f"the largest residual is {self.residual_px} px; expected a number above 0")
        for name, share in (("moved", self.moved_share), ("undetermined", self.undetermined_share)):
            if not 0 <= share <= 1:
                raise InputError(f"the largest share that is {name} is {share}; expected 0 to 1")


def judge_alignment(alignment: Alignment, limits: Limits) -> str | None:
    """Say why an alignment is refused, with figures and places; None if it is good."""
    return "; ".join(_list_faults(alignment, limits)) or None


def describe_failure(failure: Failure) -> str:
    """Say what the search for a first alignment has found where nothing makes the two alike.

    Example:
        >>> from raim.data.alignment.matches import Candidates
        >>> nothing = Candidates(n_features=(90, 85), n_matches=20, n_inliers=5, matches=())
        >>> describe_failure(Failure(candidates=nothing)).split(";")[0]
        'no common scene was found: of 90 and 85 features 20 match, of which 5 (25 %) agree on one homography'
    """
    found = failure.candidates
    best = found.best()
    share = f" ({found.n_inliers / found.n_matches:.0%})".replace("%", " %") if found.n_matches else ""
    tried = "nothing else puts one on the other"
    if best is not None:
        tried = (
            f"the best that was tried leaves a correlation of {best.correlation:.2f} over all of the picture, at least "
            f"{ALIKE} is needed"
        )
    return (
        f"no common scene was found: of {found.n_features[0]} and {found.n_features[1]} features {found.n_matches} "
        f"match, of which {found.n_inliers}{share} agree on one homography; {tried}; check that both show the same "
        "scene, and the mode"
    )


def _list_faults(alignment: Alignment, limits: Limits) -> Iterator[str]:
    residual = alignment.residual
    if alignment.correlation < LEAST_CORRELATION:
        yield _describe_unlike(alignment, limits)
        return
    needed = max(LEAST_TILES, LEAST_MEASURED * residual.n_tiles)
    if len(residual.tiles) < needed:
        yield (
            f"the residual can be measured on {len(residual.tiles)} of {residual.n_tiles} tiles only, at least "
            f"{math.ceil(needed)} are needed: too little texture, or too much noise"
        )
    elif residual.mean_px() > limits.residual_px:
        yield describe_residual(residual, limits)
    undetermined = float(alignment.undetermined().mean())
    if undetermined > limits.undetermined_share:
        yield describe_undetermined(alignment.freedom, undetermined, limits)
    moved = float(alignment.moved.mean())
    if moved > limits.moved_share:
        yield f"something has moved in {moved:.0%} of the picture, at most {limits.moved_share:.0%} may"


def _describe_unlike(alignment: Alignment, limits: Limits) -> str:
    match, residual = alignment.match, alignment.residual
    said = (
        f"after alignment the two are hardly alike: correlation {alignment.correlation:.2f}, which explains "
        f"{max(alignment.correlation, 0) ** 2:.0%} of the input's contrast, at least {LEAST_CORRELATION} is needed; "
        f"{match.n_inliers} of {match.n_matches} matched features agree; "
    )
    if not residual.tiles:
        return f"{said}none of {residual.n_tiles} tiles fits its place"
    return said + describe_residual(residual, limits)


def describe_undetermined(
    freedom: Plane, share: float, limits: Limits, corner: tuple[int, int] = (0, 0)
) -> str:
    """Say in how much of a part of the input the position is open, by how much and where.

    Args:
        freedom: Within the part, px.
        share: Of its pixels, that are undetermined.
        limits: What it may have at most.
        corner: Of the part in the input, x first.
    """
    y, x = np.unravel_index(int(np.argmax(freedom)), freedom.shape)
    return (
        f"too little texture says where things lie in {share:.0%} of it: they could be off by more than "
        f"{DETERMINED_PX:g} px (one standard deviation), at most {limits.undetermined_share:.0%} may; "
        f"the worst: {freedom.max():.1f} px at ({corner[0] + int(x)}, {corner[1] + int(y)})"
    )


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
