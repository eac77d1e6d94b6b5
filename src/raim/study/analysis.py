"""From ballots to everything that a study says: one record for pages, reports and files.

Nothing is excluded by itself: what the organiser excluded is, and the result with everyone and the one without every
flagged judge are beside it. The same ballots and seed give the same record.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from raim.challenge.modes import MODES
from raim.challenge.ranking import EQUAL_POINTS, ONE_TEAM, describe_incomplete
from raim.challenge.settings import Weights
from raim.errors import unknown_name
from raim.study.agreement import kendall_w, krippendorff_alpha
from raim.study.entries import ScoreJoining, entry_results
from raim.study.findings import Analysis, JudgedEntry, JudgeResult
from raim.study.intervals import variance_components
from raim.study.judges import judge_codes, judge_results, judge_totals
from raim.study.parts import criterion_parts, issue_parts
from raim.study.points import Turnout, points_array, turnout
from raim.study.votes import Ballots, Vote

__all__ = ["Analysis", "analyse", "analysis_as_plain"]


def analyse(
    ballots: Ballots,
    *,
    scores: Mapping[str, float] | None = None,
    weights: Weights | None = None,
    left_out: frozenset[str] = frozenset(),
    incomplete: Mapping[str, str] | None = None,
    allow_incomplete: bool = False,
    excluded_judges: frozenset[str] = frozenset(),
    seed: int = 2024,
    n_draws: int = 2000,
    decimals: int = 2,
) -> Analysis:
    """Analyse a study.

    Args:
        ballots: Every vote that counts, and who was invited.
        scores: S2 of the entries by name, for final scores; None for the study by itself.
        weights: Shares of score and study; the report's 0.4 and 0.6 if None.
        left_out: Entries left out after the vote: they keep their points, and are not ranked.
        incomplete: For entries whose score is over fewer images than the others': how many have one. They keep
            their points, and have no final score.
        allow_incomplete: Whether these are ranked all the same; a note names them.
        excluded_judges: Whose votes the organiser leaves out.
        seed: Of the bootstrap; at least 0.
        n_draws: Of the bootstrap.
        decimals: Digits to which final scores are rounded before they are compared.

    Raises:
        UnknownNameError: An entry or judge that is left out is not in the ballots.

    Example:
        >>> from raim.study import StudyDesign, simulate_ballots
        >>> images = {"1": "", "2": "", "3": ""}
        >>> design = StudyDesign(seed=1, entries=("a", "b", "c"), images=images, n_judges=4, n_traps=0)
        >>> strengths = {"a": 3.0, "b": 0.0, "c": -3.0}
        >>> found = analyse(simulate_ballots(design, strengths, np.random.default_rng(1)), n_draws=200)
        >>> [(each.entry, each.points_rank.value) for each in found.entries]
        [('a', 1), ('b', 2), ('c', 3)]
    """
    _check_names(left_out, ballots.entries, what="entry")
    _check_names(excluded_judges, ballots.judges, what="judge")
    # Sums depend on the order of additions in their last digit; the order of the votes must not.
    ballots = replace(ballots, votes=tuple(sorted(ballots.votes, key=_order)))
    codes = judge_codes(ballots)
    judges = judge_results(ballots, excluded_judges)
    used = _without(ballots, excluded_judges)
    flagged = frozenset(name for name, judge in zip(ballots.judges, judges, strict=True) if judge.flags)
    incomplete = incomplete or {}
    allowed = set(scores or ()) - left_out if allow_incomplete else set()
    joining = ScoreJoining(
        scores=scores,
        weights=weights or Weights(),
        left_out=left_out,
        incomplete={entry: reason for entry, reason in incomplete.items() if entry not in allowed},
        decimals=decimals,
    )

    def results(of: Ballots) -> tuple[JudgedEntry, ...]:
        return entry_results(of, joining, np.random.default_rng([seed, 0]), n_draws)

    unflagged = _without(used, flagged)
    points = points_array(used)
    entries = results(used)
    said = turnout(ballots)
    absent = tuple(codes[name] for name in said.absent)
    said = replace(said, absent=absent)
    return Analysis(
        mode=ballots.mode,
        unit=MODES[ballots.mode].unit,
        point_values=ballots.points,
        n_images=len(ballots.images),
        seed=seed,
        n_draws=n_draws,
        turnout=said,
        absent=absent,
        entries=entries,
        with_everyone=results(ballots) if excluded_judges else (),
        without_flagged=results(unflagged) if flagged - excluded_judges and unflagged.votes else (),
        issues=issue_parts(used, left_out, np.random.default_rng([seed, 1]), n_draws),
        criteria=criterion_parts(used, left_out, np.random.default_rng([seed, 2]), n_draws),
        judges=judges,
        flags=tuple(flag for judge in judges for flag in judge.flags),
        excluded=tuple(codes[name] for name in ballots.judges if name in excluded_judges),
        concordance=kendall_w(judge_totals(used)),
        alpha=krippendorff_alpha(points.reshape(len(points), -1)),
        components=variance_components(points),
        notes=(
            *_notes(said, entries, judges, excluded_judges),
            *_score_notes(ballots.entries, joining, {entry: incomplete.get(entry, "") for entry in allowed}),
        ),
        names={code: judge for judge, code in codes.items()},
    )


def analysis_as_plain(analysis: Analysis) -> dict[str, Any]:
    """Return an analysis as plain values for JSON, without the judges' names.

    Example:
        >>> found = analyse(Ballots(entries=("a", "b"), images=("1",), judges=("Ann",)))
        >>> plain = analysis_as_plain(found)
        >>> plain["turnout"]["absent"], plain["entries"][0]["points"]["why"], "names" in plain
        (['J01'], 'no judge has seen it and voted', False)
    """
    plain = asdict(replace(analysis, names={}))
    del plain["names"]
    return {key: _lists(value) for key, value in plain.items()}


def _order(vote: Vote) -> tuple[str, str, int]:
    return vote.judge, vote.kind, vote.position


def _lists(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_lists(each) for each in value]
    return {key: _lists(each) for key, each in value.items()} if isinstance(value, dict) else value


def _without(ballots: Ballots, judges: frozenset[str]) -> Ballots:
    if not judges:
        return ballots
    return replace(
        ballots,
        judges=tuple(name for name in ballots.judges if name not in judges),
        votes=tuple(vote for vote in ballots.votes if vote.judge not in judges),
    )


def _check_names(names: Iterable[str], known: Iterable[str], *, what: str) -> None:
    known = tuple(known)
    for name in sorted(names):
        if name not in known:
            raise unknown_name(what, name, known)


def _notes(
    said: Turnout, entries: tuple[JudgedEntry, ...], judges: tuple[JudgeResult, ...], excluded: frozenset[str]
) -> list[str]:
    """Return what a reader must know besides the numbers."""
    notes = []
    if said.absent:
        notes.append(
            f"{len(said.absent)} of {said.n_judges} judges have not voted ({', '.join(said.absent)})"
        )
    if said.n_votes < said.n_expected:
        notes.append(
            f"{said.n_votes} of {said.n_expected} ballots were cast; "
            "points are per exposure: an image's mean is over the judges who voted on it"
        )
    if said.n_partial:
        notes.append(f"{said.n_partial} ballots are partial; the picks that were made have their points")
    if len({each.n_exposures for each in entries}) > 1:
        notes.append("not every entry was seen equally often; points are per exposure")
    notes += sorted({each.normalised.why for each in entries} & {EQUAL_POINTS, ONE_TEAM})
    left_out = [each.entry for each in entries if each.is_left_out]
    if left_out:
        notes.append(f"left out after the vote, with points but without a rank: {', '.join(left_out)}")
    if excluded:
        codes = [judge.code for judge in judges if judge.is_excluded]
        notes.append(f"excluded by the organiser: {', '.join(codes)}")
    return notes


def _score_notes(entries: tuple[str, ...], joining: ScoreJoining, allowed: Mapping[str, str]) -> list[str]:
    """Return notes of whose score is missing or over fewer images."""
    reasons = {entry: joining.why_no_score(entry) for entry in entries if entry not in joining.left_out}
    named = ", ".join(f"{entry} ({reason})" for entry, reason in reasons.items() if reason)
    notes = [f"with points but without a final score: {named}"] if named else []
    ranked = describe_incomplete({entry: allowed[entry] for entry in entries if allowed.get(entry)})
    return [*notes, ranked] if ranked else notes
