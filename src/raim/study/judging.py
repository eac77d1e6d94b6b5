"""What is known of each judge, without a name: turnout, repeats, traps, agreement, flags."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from raim.study.consistency import compare_repeats, count_traps
from raim.study.findings import JudgeResult
from raim.study.points import PointsArray, points_array, turnout
from raim.study.screening import agreement_with_others, bt500_rejects, find_flags, likelihood_z
from raim.study.strengths import list_choices
from raim.study.votes import Ballots, Vote


def judge_codes(judges: Sequence[str]) -> dict[str, str]:
    """Give each judge's code: J01, J02, ... in the order of the ballots.

    Example:
        >>> judge_codes(["Ada", "Bob"])
        {'Ada': 'J01', 'Bob': 'J02'}
    """
    width = max(2, len(str(len(judges))))
    return {name: f"J{place:0{width}d}" for place, name in enumerate(judges, start=1)}


def judge_totals(points: PointsArray) -> Float[np.ndarray, "judges entries"]:
    """Give each judge's mean points of each entry; NaN where they saw none of it."""
    seen = ~np.isnan(points)
    count = seen.sum(1)
    total = np.where(seen, points, 0.0).sum(1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def judge_results(
    ballots: Ballots, codes: Mapping[str, str], excluded: frozenset[str]
) -> tuple[JudgeResult, ...]:
    """Give what is known of each judge, in the order of the ballots."""
    points = points_array(ballots)
    totals, choices = judge_totals(points), list_choices(ballots)
    is_rated = ballots.mode == "rating" and len(points) > 1
    bt500 = bt500_rejects(points) if is_rated else [""] * len(points)
    by_judge: dict[str, list[Vote]] = {name: [] for name in ballots.judges}
    for vote in ballots.votes:
        by_judge[vote.judge].append(vote)
    return tuple(
        _judge_result(
            ballots,
            by_judge[name],
            name=name,
            code=codes[name],
            is_excluded=name in excluded,
            agreement=agreement_with_others(totals, place) if len(totals) > 1 else None,
            likelihood=likelihood_z(choices, place),
            bt500=bt500[place],
        )
        for place, name in enumerate(ballots.judges)
    )


def _judge_result(
    ballots: Ballots,
    votes: Sequence[Vote],
    *,
    name: str,
    code: str,
    is_excluded: bool,
    agreement: float | None,
    likelihood: float | None,
    bt500: str,
) -> JudgeResult:
    repeats, traps = compare_repeats(votes), count_traps(ballots, votes)
    counted = [vote for vote in votes if vote.kind == "counted" and (vote.choice or vote.ratings)]
    seconds = [vote.seconds for vote in counted if vote.seconds > 0]
    median = float(np.median(seconds)) if seconds else None
    own = turnout(replace(ballots, judges=(name,), votes=tuple(votes)))
    return JudgeResult(
        code=code,
        n_votes=own.n_votes,
        n_expected=len(ballots.images),
        n_partial=own.n_partial,
        median_seconds=median,
        n_repeats=repeats.n,
        same_first=repeats.same_first,
        overlap=repeats.overlap,
        repeat_correlation=repeats.correlation,
        n_traps=traps.n,
        n_trapped=traps.n_trapped,
        agreement=agreement,
        likelihood=likelihood,
        why=_why(counted, agreement),
        is_excluded=is_excluded,
        flags=find_flags(
            code,
            repeats=repeats,
            traps=traps,
            chance_overlap=_chance_overlap(counted),
            agreement=agreement,
            likelihood=likelihood,
            bt500=bt500,
            median_seconds=median,
        ),
    )


def _why(counted: Sequence[Vote], agreement: float | None) -> str:
    if not counted:
        return "no vote that counts"
    return "" if agreement is not None else "too few totals to compare with the others'"


def _chance_overlap(votes: Sequence[Vote]) -> float:
    """Give the share of picks in common that two random ballots have: picks over candidates."""
    shares = [len(vote.choice) / len(vote.shown) for vote in votes if vote.choice]
    return float(np.mean(shares)) if shares else 0.0
