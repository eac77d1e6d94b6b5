"""What hidden repeats and traps say about a judge: whether they say the same twice, whether they look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from raim.challenge.modes import MODES
from raim.study.votes import BLURRED, Ballots, Vote


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeats:
    """A judge's second showings.

    Attributes:
        n: Images that were voted on both times.
        same_first: Share with the same first pick (with ratings: the same best grade); None without repeats.
        overlap: Mean share of picks in common; None without repeats, and with ratings.
        correlation: Mean Kendall's tau-b of both; None where it has no value.
    """

    n: int
    same_first: float | None = None
    overlap: float | None = None
    correlation: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Traps:
    """A judge's traps: how many were voted on, and in how many the blurred copy was preferred to something."""

    n: int
    n_trapped: int


def compare_repeats(votes: Sequence[Vote]) -> Repeats:
    """Compare the two showings of each repeated image, of one judge."""
    firsts = {vote.image: vote for vote in votes if vote.kind == "counted" and _says(vote)}
    pairs = [
        (firsts[vote.image], vote)
        for vote in votes
        if vote.kind == "repeat" and _says(vote) and vote.image in firsts
    ]
    if not pairs:
        return Repeats(n=0)
    overlaps = [_overlap(first, second) for first, second in pairs if first.choice]
    taus = [tau for tau in (_tau(first, second) for first, second in pairs) if tau is not None]
    return Repeats(
        n=len(pairs),
        same_first=float(np.mean([_best(first) == _best(second) for first, second in pairs])),
        overlap=float(np.mean(overlaps)) if overlaps else None,
        correlation=float(np.mean(taus)) if taus else None,
    )


def count_traps(ballots: Ballots, votes: Sequence[Vote]) -> Traps:
    """Count the traps of one judge, and those in which the blurred copy was preferred."""
    traps = [vote for vote in votes if vote.kind == "trap" and _says(vote)]
    mode = MODES[ballots.mode]
    return Traps(n=len(traps), n_trapped=sum(mode.is_trapped(vote, BLURRED) for vote in traps))


def _says(vote: Vote) -> bool:
    return bool(vote.choice or vote.ratings)


def _best(vote: Vote) -> frozenset[str]:
    if vote.choice:
        return frozenset(vote.choice[:1])
    most = max(vote.ratings.values())
    return frozenset(name for name, grade in vote.ratings.items() if grade == most)


def _overlap(first: Vote, second: Vote) -> float:
    most = max(len(first.choice), len(second.choice))
    return len(set(first.choice) & set(second.choice)) / most


def _tau(first: Vote, second: Vote) -> float | None:
    from scipy.stats import kendalltau

    names = [name for name in first.shown if name in second.shown]
    values = [[_worth(vote, name) for name in names] for vote in (first, second)]
    if any(len(set(each)) < 2 for each in values):
        return None
    return float(kendalltau(values[0], values[1]).statistic)


def _worth(vote: Vote, name: str) -> float:
    if vote.ratings:
        return float(vote.ratings.get(name, 0))
    return float(len(vote.choice) - vote.choice.index(name)) if name in vote.choice else 0.0
