"""What the votes say about each judge: attention, consistency, agreement with the others, flags; without names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from raim.challenge.modes import MODES
from raim.study.consistency import Repeats, compare_repeats, count_traps
from raim.study.findings import JudgeResult
from raim.study.points import counted_votes, is_partial, points_array
from raim.study.screening import (
    Overlap,
    Signs,
    agreement_with_others,
    bt500_rejects,
    favour_of,
    find_flags,
    likelihood_of,
    random_overlap,
)
from raim.study.strengths import list_choices
from raim.study.votes import Ballots

LEAST_VOTES = 5  # fewer say little of a judge's taste


def judge_codes(ballots: Ballots) -> Mapping[str, str]:
    """Return each judge a code, in the order of the ballots.

    Example:
        >>> judge_codes(Ballots(entries=("a",), images=("1",), judges=("Ann", "Bob")))
        {'Ann': 'J01', 'Bob': 'J02'}
    """
    width = max(2, len(str(len(ballots.judges))))
    return {judge: f"J{number:0{width}d}" for number, judge in enumerate(ballots.judges, start=1)}


def judge_totals(ballots: Ballots) -> Float[np.ndarray, "judges entries"]:
    """Return each judge's points for each entry, per image seen times the images; NaN where they saw none."""
    points = points_array(ballots)
    seen = ~np.isnan(points)
    counts = seen.sum(1)
    sums = np.where(seen, points, 0.0).sum(1)
    return points.shape[1] * np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def judge_results(ballots: Ballots, excluded: frozenset[str]) -> tuple[JudgeResult, ...]:
    """Return what is known of each judge, in the order of the ballots.

    Everybody is compared with all the others, excluded judges too: who is excluded must not decide who is flagged.
    """
    codes = judge_codes(ballots)
    totals, choices = judge_totals(ballots), list_choices(ballots)
    has_grades = bool(MODES[ballots.mode].grades)
    grades = bt500_rejects(points_array(ballots)) if has_grades else [""] * len(ballots.judges)
    of_each = [
        replace(ballots, votes=tuple(vote for vote in ballots.votes if vote.judge == judge))
        for judge in ballots.judges
    ]
    repeats = [compare_repeats(own.votes) for own in of_each]
    results = []
    for place, (judge, own) in enumerate(zip(ballots.judges, of_each, strict=True)):
        has_enough = len(counted_votes(own)) >= LEAST_VOTES
        signs = Signs(
            repeats=repeats[place],
            traps=count_traps(own, own.votes),
            random_overlap=_random_overlap(own, repeats[place].n),
            others_overlap=_mean_overlap(repeats[:place] + repeats[place + 1 :]),
            likelihood=likelihood_of(choices, place) if has_enough else None,
            agreement=agreement_with_others(totals, place) if has_enough else None,
            favour=favour_of(totals, place) if has_enough and not has_grades else None,
            bt500=grades[place],
            median_seconds=_median_seconds(own),
        )
        results.append(_describe(own, codes[judge], signs, is_excluded=judge in excluded))
    return tuple(results)


def _describe(own: Ballots, code: str, signs: Signs, *, is_excluded: bool) -> JudgeResult:
    counted = counted_votes(own)
    return JudgeResult(
        code=code,
        n_votes=len(counted),
        n_expected=len(own.images),
        n_partial=sum(is_partial(own, vote) for vote in counted),
        median_seconds=signs.median_seconds,
        n_repeats=signs.repeats.n,
        same_first=signs.repeats.same_first,
        overlap=signs.repeats.overlap,
        repeat_correlation=signs.repeats.correlation,
        n_traps=signs.traps.n,
        n_trapped=signs.traps.n_trapped,
        agreement=signs.agreement,
        likelihood=None if signs.likelihood is None else signs.likelihood.z,
        why=_why(signs, len(counted), has_strengths=bool(MODES[own.mode].strengths)),
        is_excluded=is_excluded,
        flags=find_flags(code, signs, own.entries),
    )


def _why(signs: Signs, n_votes: int, *, has_strengths: bool) -> str:
    if not n_votes:
        return "no vote that counts"
    if n_votes < LEAST_VOTES:
        return f"fewer than {LEAST_VOTES} votes, too few to compare with the others"
    if signs.agreement is None:
        return "no rank correlation: fewer than three entries in common with the others, or all totals equal"
    if signs.likelihood is None and has_strengths:
        return "no likelihood: the others have no preference, or have not voted"
    return ""


def _random_overlap(own: Ballots, n_repeats: int) -> Overlap | None:
    votes = [vote for vote in own.votes if vote.kind == "repeat" and vote.choice]
    if not votes:
        return None
    n_picks = float(np.mean([len(vote.choice) for vote in votes]))
    return random_overlap(n_picks, float(np.mean([len(vote.shown) for vote in votes])), n_repeats)


def _mean_overlap(repeats: Sequence[Repeats]) -> float | None:
    overlaps = [each.overlap for each in repeats if each.overlap is not None]
    return float(np.mean(overlaps)) if overlaps else None


def _median_seconds(own: Ballots) -> float | None:
    seconds = [vote.seconds for vote in counted_votes(own) if vote.seconds > 0]
    return float(np.median(seconds)) if seconds else None
