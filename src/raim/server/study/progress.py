"""How far the judges are: votes, pace, what looks hurried. Never what was voted for."""

import statistics
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.database import Judge, ScreenCheck, Study, Trial
from raim.server.study.judges import replaced_judges, shared_addresses
from raim.server.study.voting import is_empty, newest_votes

# Nobody compares nine candidates in two seconds; such trials are named, not left out.
HURRIED_S = 3.0
HURRIED_SHARE = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeProgress:
    """One judge.

    Attributes:
        judge: Their row.
        n_trials: Trials drawn for them; None before they began.
        n_done: Trials with a vote.
        median_s: Of the time that they looked at a trial; None without a vote.
        left_s: Estimated time for the open trials at that pace; None without a vote.
        screen: Their newest check; None without one.
        flags: What an organiser should look at, in words.
        is_replaced: Their person was invited again, so that these votes do not count.
    """

    judge: Judge
    n_trials: int | None
    n_done: int
    median_s: float | None
    left_s: float | None
    screen: ScreenCheck | None
    flags: tuple[str, ...]
    is_replaced: bool = False

    @property
    def state(self) -> str:
        """Say how they stand, in a word or two."""
        if self.judge.revoked_at is not None:
            return "invited again" if self.is_replaced else "revoked"
        if self.judge.finished_at is not None:
            return "finished"
        if self.n_done:
            return "voting"
        return "invited" if self.judge.begun_at is None else "has begun"


def judge_progress(session: Session, study: Study) -> list[JudgeProgress]:
    """Give every judge's progress, in the order of their numbers, without organisers who only look."""
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
    found = []
    for judge in judges:
        own = [votes[each] for each in trials.get(judge.id, ()) if each in votes]
        seconds = [vote.seconds for vote in own if not is_empty(vote)]
        row = _progress(judge, trials.get(judge.id), seconds, screens.get(judge.id))
        flags = (*((shared[judge.id],) if judge.id in shared else ()), *row.flags)
        found.append(replace(row, flags=flags, is_replaced=judge.id in replaced))
    return found


def own_pace(session: Session, judge: Judge) -> float | None:
    """Give the median time that a judge has looked at their trials; None before the first vote."""
    voting = set(session.scalars(select(Trial.id).where(Trial.judge_id == judge.id, Trial.part == "voting")))
    seconds = [vote.seconds for trial, vote in newest_votes(session, [judge.id]).items() if trial in voting]
    return statistics.median(seconds) if seconds else None


def last_seen(rows: list[JudgeProgress]) -> datetime | None:
    """Give when a judge was last there."""
    return max((row.judge.seen_at for row in rows if row.judge.seen_at is not None), default=None)


def _progress(
    judge: Judge, trials: list[int] | None, seconds: list[float], screen: ScreenCheck | None
) -> JudgeProgress:
    median = statistics.median(seconds) if seconds else None
    n_left = max(0, len(trials or ()) - len(seconds))
    return JudgeProgress(
        judge=judge,
        n_trials=None if trials is None else len(trials),
        n_done=len(seconds),
        median_s=median,
        left_s=None if median is None else n_left * median,
        screen=screen,
        flags=tuple(_flags(seconds, screen)),
    )


def _flags(seconds: list[float], screen: ScreenCheck | None) -> list[str]:
    flags = []
    n_hurried = sum(each < HURRIED_S for each in seconds)
    if n_hurried and n_hurried >= HURRIED_SHARE * len(seconds):
        flags.append(f"{n_hurried} of {len(seconds)} votes after less than {HURRIED_S:g} s")
    if screen is not None and not screen.is_fine:
        flags.append(f"screen: {screen.why}")
    return flags
