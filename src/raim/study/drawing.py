"""Points of entries with the draws of their bootstrap, and ranks out of these."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from raim.challenge.ranking import round_as_printed, shared_ranks
from raim.study.findings import Estimate, RankEstimate
from raim.study.intervals import bootstrap_points, interval, rank_interval
from raim.study.points import PointsArray, mean_points

NOBODY = "no judge has seen it and voted"
TOO_FEW = "an interval needs the votes of at least two judges on at least two images"


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnPoints:
    """Points of entries.

    Attributes:
        values: From the votes as they are; NaN for an entry that nobody saw.
        draws: From judges and images drawn again; no rows where there are too few of either.
    """

    values: Float[np.ndarray, " entries"]
    draws: Float[np.ndarray, "draws entries"]

    @property
    def has_value(self) -> Bool[np.ndarray, " entries"]:
        """Which entries were seen by a judge who voted."""
        return ~np.isnan(self.values)

    def estimates(self) -> list[Estimate]:
        """Return each entry's points with their interval."""
        return [
            estimate(float(value), self.draws[:, place], why=NOBODY)
            for place, value in enumerate(self.values)
        ]


def draw_points(
    points: PointsArray, rng: np.random.Generator, n_draws: int, *, is_mean: bool = False
) -> DrawnPoints:
    """Draw points by the bootstrap over the judges who voted and the images that were voted on.

    Args:
        points: Of each judge, image and entry; NaN where there is none.
        rng: Where chance comes from.
        n_draws: How many draws.
        is_mean: Whether the mean over the images is wanted (of grades) in place of the sum.

    Example:
        >>> points = np.array([[[3.0, 0.0], [3.0, 0.0]], [[0.0, 3.0], [3.0, 0.0]], [[np.nan] * 2] * 2])
        >>> drawn = draw_points(points, np.random.default_rng(1), 100)
        >>> drawn.values.tolist(), drawn.draws.shape
        ([4.5, 1.5], (100, 2))
    """
    n_images = points.shape[1]
    scale = 1 / n_images if is_mean and n_images else 1.0
    seen = ~np.isnan(points)
    kept = points[seen.any((1, 2))][:, seen.any((0, 2))]
    draws = np.zeros((0, points.shape[2]))
    if min(kept.shape[:2]) >= 2 and n_draws:
        draws = bootstrap_points(kept, rng, n_draws) * (n_images / kept.shape[1])
    return DrawnPoints(values=mean_points(points) * scale, draws=draws * scale)


def estimate(value: float, draws: Float[np.ndarray, " draws"], *, why: str) -> Estimate:
    """Return a number with its interval; `why` is the reason where it is NaN."""
    if np.isnan(value):
        return Estimate(value=None, why=why)
    return interval(value, draws) if len(draws) else Estimate(value=value, why=TOO_FEW)


def estimate_ranks(
    values: Float[np.ndarray, " entries"],
    draws: Float[np.ndarray, "draws entries"],
    why: Sequence[str],
    *,
    decimals: int | None = None,
) -> list[RankEstimate]:
    """Rank the entries that can be ranked, with intervals.

    Args:
        values: What is ranked, the highest first.
        draws: The same in each draw; a draw in which one of them has no value is not counted.
        why: For each entry why it cannot be ranked; "" if it can.
        decimals: Digits to which numbers are rounded before they are compared; None compares them as they are.
    """
    places = [place for place, reason in enumerate(why) if not reason]
    ranks: list[RankEstimate] = [RankEstimate(value=None, why=reason) for reason in why]
    if not places:
        return ranks
    own, drawn = values[places], draws[:, places]
    drawn = drawn[~np.isnan(drawn).any(1)]
    if decimals is not None:
        own, drawn = round_as_printed(own, decimals), round_as_printed(drawn, decimals)
    found, each_draw = shared_ranks(own), shared_ranks(drawn)
    for at, place in enumerate(places):
        ranks[place] = (
            rank_interval(int(found[at]), each_draw[:, at], len(places))
            if len(each_draw)
            else RankEstimate(value=int(found[at]), why=TOO_FEW)
        )
    return ranks
