"""The closing checklist before awards: points that the database answers, and points that organisers tick by hand."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.records import named
from raim.records.desk import Point
from raim.server.actions.checklist import BY_HAND
from raim.server.actions.fact_sheets import missing_fields
from raim.server.actions.finalists import list_finalists
from raim.server.actions.versions import list_new_versions
from raim.server.current_challenge import CurrentChallenge, is_in_force
from raim.server.database import (
    ChecklistTick,
    EntryResult,
    FactSheet,
    Finalist,
    Study,
    Submission,
    Team,
    User,
)


def computed_points(
    session: Session, now: datetime, challenge: CurrentChallenge, *, n_unseen_flags: int
) -> list[Point]:
    """Answer every point that needs no judgement."""
    published = () if challenge.results_published_at else ("ranking and gallery are not public",)
    flags = (_say(n_unseen_flags),) if n_unseen_flags else ()
    return [
        _answer(key="phases", text="All phases are closed", left=_open_phases(challenge, now)),
        *_work_points(session, challenge),
        _answer(key="flags", text="All flags of submissions were looked at", left=flags),
        *_finalist_points(session, challenge),
        *_study_points(session, challenge),
        _answer(key="published", text="The results are published", left=published),
    ]


def manual_points(session: Session, challenge: CurrentChallenge) -> list[Point]:
    """Return the points by hand, with who has ticked them."""
    rows = session.execute(
        select(ChecklistTick, User.name)
        .join(User, User.id == ChecklistTick.ticked_by)
        .where(ChecklistTick.challenge_id == challenge.id)
    )
    ticks = {tick.item: (name, tick.ticked_at) for tick, name in rows}
    return [
        Point(
            key=key,
            text=text,
            is_done=key in ticks,
            ticked_by=ticks[key][0] if key in ticks else None,
            ticked_at=ticks[key][1] if key in ticks else None,
        )
        for key, text in BY_HAND.items()
    ]


def _answer(*, key: str, text: str, left: tuple[str, ...]) -> Point:
    return Point(key=key, text=text, is_done=not left, left=left)


def _open_phases(challenge: CurrentChallenge, now: datetime) -> tuple[str, ...]:
    return tuple(
        f"{phase.name} closes at {phase.closes:%Y-%m-%d %H:%M} UTC"
        for phase in challenge.definition.phases
        if now < phase.closes
    )


def _work_points(session: Session, challenge: CurrentChallenge) -> Iterator[Point]:
    rows = session.execute(
        select(Submission.state, func.count())
        .where(Submission.phase_id.in_(challenge.phase_ids.values()))
        .group_by(Submission.state)
    )
    counts = {state: count for state, count in rows}  # noqa: C416 - rows are no pairs to mypy
    waiting = tuple(f"{counts[state]} {state}" for state in named("is_under_way") if counts.get(state))
    yield _answer(key="queue", text="Nothing is under way or waits to be scored", left=waiting)
    failed = sum(counts.get(state, 0) for state in named("is_restartable"))
    left = (f"{_say(failed)}; look at each on its page and start it again",) if failed else ()
    yield _answer(key="failures", text="No submission has failed by our fault", left=left)
    old = _count_old(session, challenge)
    left = (f"{_say(old)} without a result under the versions in force",) if old else ()
    waiting = tuple(
        f"{each.n_scored} of {each.n_entries} entries on {each.data_set} are scored under {each.scorer_version}, "
        "which is not in force yet"
        for each in list_new_versions(session, challenge)
    )
    text = "Every entry is scored under the versions in force, the newest"
    yield _answer(key="versions", text=text, left=left + waiting)


def _count_old(session: Session, challenge: CurrentChallenge) -> int:
    """Count scored submissions without a result under the versions in force."""
    found = (
        select(func.count(Submission.id))
        .join(Team, Team.id == Submission.team_id)
        .outerjoin(EntryResult, is_in_force(challenge))
        .where(
            Submission.phase_id.in_(challenge.phase_ids.values()),
            Submission.where("has_score"),
            Team.state == "approved",
            EntryResult.id.is_(None),
        )
    )
    return session.scalar(found) or 0


def _finalist_points(session: Session, challenge: CurrentChallenge) -> Iterator[Point]:
    if challenge.definition.finalists is None:
        return
    going = [each for each in list_finalists(session, challenge) if each.declined_at is None]
    sheets = _read_sheets(session, going)
    none = () if going else ("no team is invited",)
    silent = tuple(sheets[each.team_id][0] for each in going if each.accepted_at is None)
    yield _answer(key="finalists", text="Every finalist has accepted", left=none or silent)
    missing = ((name, missing_fields(stated)) for name, stated in sheets.values())
    incomplete = tuple(f"{name}: {', '.join(fields)}" for name, fields in missing if fields)
    yield _answer(key="fact_sheets", text="Every finalist's fact sheet is complete", left=none or incomplete)
    unlinked = tuple(
        name
        for name, stated in sheets.values()
        if not stated.get("code", "").strip() or not stated.get("licence", "").strip()
    )
    yield _answer(
        key="code", text="Every finalist states where the code is, and its licence", left=none or unlinked
    )
    yield from _final_submissions(session, challenge, sheets, none)


def _study_points(session: Session, challenge: CurrentChallenge) -> Iterator[Point]:
    """Ask for a revealed study where the challenge has one, and for none that is under way."""
    rows = session.execute(
        select(Study.title, Study.state).where(Study.challenge_id == challenge.id).order_by(Study.id)
    ).all()
    if challenge.definition.study is None and not rows:
        return
    waiting = tuple(f"{title}: {state}" for title, state in rows if state not in {"revealed", "discarded"})
    is_revealed = any(state == "revealed" for _, state in rows)
    left = waiting or (() if is_revealed else ("no study was made",))
    yield _answer(key="study", text="The blinded study is closed and revealed", left=left)


def _final_submissions(
    session: Session,
    challenge: CurrentChallenge,
    sheets: dict[int, tuple[str, dict[str, str]]],
    none: tuple[str, ...],
) -> Iterator[Point]:
    phases = [challenge.phase_ids[phase.id] for phase in challenge.definition.phases if phase.final]
    if not phases:
        return
    handed_in = select(Submission.team_id).where(
        Submission.phase_id.in_(phases), Submission.kind == "final", Submission.where("is_handed_over")
    )
    there = set(session.scalars(handed_in))
    left = tuple(name for team_id, (name, _) in sheets.items() if team_id not in there)
    yield _answer(
        key="final_submissions", text="Every finalist's final submission is accepted", left=none or left
    )


def _read_sheets(session: Session, going: list[Finalist]) -> dict[int, tuple[str, dict[str, str]]]:
    """Return name and fact sheet of each finalist's team, by its row, in the order of places."""
    rows = session.execute(
        select(Team.id, Team.name, FactSheet.fields)
        .outerjoin(FactSheet, FactSheet.team_id == Team.id)
        .where(Team.id.in_([each.team_id for each in going]))
    )
    found = {team_id: (name, dict(fields or {})) for team_id, name, fields in rows}
    return {each.team_id: found[each.team_id] for each in going}


def _say(n_submissions: int) -> str:
    return f"{n_submissions} submission{'' if n_submissions == 1 else 's'}"
