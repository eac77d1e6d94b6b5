"""Points: 3, 2, 1 for the picks of each judge and image, "summed over images, averaged over the judges".

    S3(entry) = n_images x mean over images of (mean over the judges who saw the entry there of their points)

which is the report's rule when every judge has voted on every image. Where a judge is absent, a ballot partial or a
trial shows only some entries, it is points per exposure: nobody gains or loses by who has looked at what.

Source: section 3 of the NTIRE 2024 RAIM report (arXiv 2405.09923).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from raim.challenge.modes import MODES
from raim.study.votes import Ballots, Vote

PointsArray = Float[np.ndarray, "judges images entries"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Turnout:
    """Who has voted, and how wholly.

    Attributes:
        n_judges: Invited.
        absent: Judges without one vote that counts.
        n_expected: Counted trials if every judge had voted on every image.
        n_votes: Counted votes.
        n_partial: Of these, with fewer picks than asked for (and possible).
    """

    n_judges: int
    absent: tuple[str, ...]
    n_expected: int
    n_votes: int
    n_partial: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing, so that the points are the report's."""
        return self.n_votes == self.n_expected and not self.n_partial


def points_array(ballots: Ballots) -> PointsArray:
    """Return the points of each judge, image and entry; with ratings, the grades.

    Returns:
        NaN where the judge has not voted on the image, or the entry was not shown; 0 where it was shown and not picked.

    Example:
        >>> vote = Vote(judge="J1", image="a", position=1, shown=("x", "y", "z"), choice=("z", "x"))
        >>> ballots = Ballots(entries=("x", "y", "z"), images=("a",), judges=("J1",), votes=(vote,))
        >>> points_array(ballots).tolist()
        [[[2.0, 0.0, 3.0]]]
    """
    return _fill(ballots)


def criterion_points(ballots: Ballots, criterion: str) -> PointsArray:
    """Return the points of those picks which a judge has given a criterion as the reason of; other picks give 0."""
    return _fill(ballots, criterion=criterion)


def mean_points(points: PointsArray) -> Float[np.ndarray, " entries"]:
    """Return S3 of each entry: over the images, the sum of the judges' mean; NaN for an entry that nobody saw.

    Example:
        >>> mean_points(np.array([[[3.0, 0.0], [2.0, np.nan]], [[1.0, 2.0], [np.nan, np.nan]]])).tolist()
        [4.0, 2.0]
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # the mean over nothing is NaN, which is what is wanted
        return points.shape[1] * np.nanmean(np.nanmean(points, axis=0), axis=0)


def images_of_issue(ballots: Ballots, issue: str) -> Bool[np.ndarray, " images"]:
    """Return which images have an issue."""
    return np.array([ballots.issues.get(name, "") == issue for name in ballots.images], bool)


def turnout(ballots: Ballots) -> Turnout:
    """Return who has voted, and how wholly."""
    counted = counted_votes(ballots)
    voters = {vote.judge for vote in counted}
    return Turnout(
        n_judges=len(ballots.judges),
        absent=tuple(judge for judge in ballots.judges if judge not in voters),
        n_expected=len(ballots.judges) * len(ballots.images),
        n_votes=len(counted),
        n_partial=sum(is_partial(ballots, vote) for vote in counted),
    )


def counted_votes(ballots: Ballots) -> list[Vote]:
    """Return the votes that can give points: of first showings, with a pick or a grade."""
    return [vote for vote in ballots.votes if vote.kind == "counted" and (vote.choice or vote.ratings)]


def is_partial(ballots: Ballots, vote: Vote) -> bool:
    """Return whether a vote has fewer picks (or grades) than were asked for and possible."""
    return MODES[ballots.mode].is_partial(vote, ballots.points)


def _fill(ballots: Ballots, *, criterion: str | None = None) -> PointsArray:
    judges, images, entries = (
        {name: place for place, name in enumerate(names)}
        for names in (ballots.judges, ballots.images, ballots.entries)
    )
    filled = np.full((len(judges), len(images), len(entries)), np.nan)
    for vote in counted_votes(ballots):
        row = filled[judges[vote.judge], images[vote.image]]
        for name, worth in MODES[ballots.mode].worth(vote, ballots.points).items():
            counts = criterion is None or criterion in vote.reasons.get(name, ())
            row[entries[name]] = worth if counts else 0.0
    return filled
