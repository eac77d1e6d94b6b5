"""How far the judges are: votes, pace, what looks hurried. Never what was voted for."""

import statistics
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.records.studies import JudgeProgress
from raim.server.database import Judge, ScreenCheck, Study, Trial
from raim.server.study.judges import replaced_judges
from raim.server.study.ties import shared_addresses, ties_of
from raim.server.study.voting import is_empty, newest_votes

# Nobody compares nine candidates in two seconds; such trials are named, not left out.
HURRIED_S = 3.0
HURRIED_SHARE = 0.2


def judge_progress(session: Session, study: Study) -> list[JudgeProgress]:
    """Return every judge's progress, in the order of their numbers, without organisers who only look."""
    judges = session.scalars(
        select(Judge).where(Judge.study_id == study.id, ~Judge.is_preview).order_by(Judge.number)
    ).all()
    ids = [judge.id for judge in judges]
    trials: dict[int, list[int]] = {}
    for judge_id, trial_id in session.execute(
        select(Trial.judge_id, Trial.id).where(Trial.judge_id.in_(ids), Trial.part == "voting")
    ):
        trials.setdefault(judge_id, []).append(trial_id)
    votes = newest_votes(session, ids)
    screens = {
        row.judge_id: row
        for row in session.scalars(
            select(ScreenCheck).where(ScreenCheck.judge_id.in_(ids)).order_by(ScreenCheck.id)
        )
    }
    shared, replaced = shared_addresses(session, study), replaced_judges(judges)
    ties = ties_of(session, study)
    found = []
    for judge in judges:
        drawn, screen = trials.get(judge.id), screens.get(judge.id)
        own = [votes[each] for each in drawn or () if each in votes]
        seconds = [vote.seconds for vote in own if not is_empty(vote)]
        median = statistics.median(seconds) if seconds else None
        found.append(
            JudgeProgress.of_row(
                judge,
                state=_state(judge, len(seconds), is_replaced=judge.id in replaced),
                n_trials=None if drawn is None else len(drawn),
                n_done=len(seconds),
                median_s=median,
                left_s=None if median is None else max(0, len(drawn or ()) - len(seconds)) * median,
                ties=sorted(ties.get(judge.id, ())),
                flags=[*([shared[judge.id]] if judge.id in shared else ()), *_flags(seconds, screen)],
                screen_is_fine=None if screen is None else screen.is_fine,
                excluded=judge.excluded_reason,
            )
        )
    return found


def own_pace(session: Session, judge: Judge) -> float | None:
    """Return the median time that a judge has looked at their trials; None before the first vote."""
    voting = set(session.scalars(select(Trial.id).where(Trial.judge_id == judge.id, Trial.part == "voting")))
    seconds = [vote.seconds for trial, vote in newest_votes(session, [judge.id]).items() if trial in voting]
    return statistics.median(seconds) if seconds else None


def _state(judge: Judge, n_done: int, *, is_replaced: bool) -> Any:
    """Return a judge's state, in a word or two."""
    if judge.revoked_at is not None:
        return "invited again" if is_replaced else "revoked"
    if judge.finished_at is not None:
        return "finished"
    if n_done:
        return "voting"
    return "invited" if judge.begun_at is None else "has begun"


def _flags(seconds: list[float], screen: ScreenCheck | None) -> list[str]:
    flags = []
    n_hurried = sum(each < HURRIED_S for each in seconds)
    if n_hurried and n_hurried >= HURRIED_SHARE * len(seconds):
        flags.append(f"{n_hurried} of {len(seconds)} votes after less than {HURRIED_S:g} s")
    if screen is not None and not screen.is_fine:
        flags.append(f"screen: {screen.why}")
    return flags
