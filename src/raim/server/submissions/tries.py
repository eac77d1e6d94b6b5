"""Tries: a submission takes one in its own transaction, so that two at once cannot both take the last.

A try is free again 24 hours after it was taken (a sliding day: no rush at midnight, and no time zone to dispute).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError, unknown_name
from raim.server.auditing import record_event
from raim.server.database import Member, Phase, Submission, Team
from raim.server.database.entries import KINDS

DAY = timedelta(hours=24)
DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tries:
    """What a team has left in a phase for one kind of submission.

    Attributes:
        left_today: Tries that can be taken now by the limit of a day; None without a limit.
        left_in_all: The same by the limit of the phase.
        next_at: When the next try is possible: now, later, or None for never.
    """

    left_today: int | None
    left_in_all: int | None
    next_at: datetime | None


def count_tries(session: Session, now: datetime, *, team_id: int, phase: Phase, kind: str) -> Tries:
    """Count what a team has left; dates of the phase are considered, its pause is not.

    Args:
        session: Any session; what it tells may be over a moment later.
        now: The time.
        team_id: Whose.
        phase: In which, with its limits.
        kind: "scored", "feedback" or "final"; each has its own tries.
    """
    mine = (
        Submission.team_id == team_id,
        Submission.phase_id == phase.id,
        Submission.kind == kind,
        Submission.takes_try,
    )
    in_all = session.scalar(select(func.count()).select_from(Submission).where(*mine)) or 0
    recent = session.scalars(
        select(Submission.received_at)
        .where(*mine, Submission.received_at > now - DAY)
        .order_by(Submission.received_at.desc())
    ).all()
    next_at: datetime | None = max(now, phase.opens_at)
    if phase.tries_per_day is not None and len(recent) >= phase.tries_per_day:
        next_at = max(recent[phase.tries_per_day - 1] + DAY, phase.opens_at)
    left_in_all = _left(phase.tries_in_all, in_all)
    if left_in_all == 0 or (next_at is not None and next_at >= phase.closes_at):
        next_at = None
    return Tries(left_today=_left(phase.tries_per_day, len(recent)), left_in_all=left_in_all, next_at=next_at)


def take_try(
    session: Session,
    now: datetime,
    *,
    member: Member,
    phase_id: int,
    kind: str,
    committed_bytes: int,
    committed_sha256: str,
    note: str = "",
) -> Submission:
    """Begin a submission; it takes a try here and now, before its first byte is sent.

    Args:
        session: A writing session; the team's row stays locked until it ends.
        now: The time of arrival, by which deadlines and tries go.
        member: Who submits.
        phase_id: In which phase.
        kind: "scored", "feedback" or "final".
        committed_bytes: Length of the file that will be sent, above 0.
        committed_sha256: Its SHA-256, 64 lower-case hexadecimal digits.
        note: The team's own words about it.

    Raises:
        InputError: Length or SHA-256 are not usable.
        UnknownNameError: There is no such kind.
        StateError: The team is not approved, the phase is not open, or no try is left; the text has the time
            of the next one.
    """
    if kind not in KINDS:
        raise unknown_name("kind of submission", kind, KINDS)
    if committed_bytes <= 0 or len(committed_sha256) != 64 or not set(committed_sha256) <= DIGITS:
        raise InputError(
            "a submission begins with its length in bytes, above 0, and its SHA-256 in 64 digits 0-9a-f"
        )
    team = session.scalars(
        select(Team)
        .where(Team.id == member.team_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    phase = session.get_one(Phase, phase_id, populate_existing=True)
    _check_open(now, team, phase)
    _check_left(now, count_tries(session, now, team_id=team.id, phase=phase, kind=kind))
    submission = Submission(
        team_id=team.id,
        phase_id=phase.id,
        member_id=member.id,
        kind=kind,
        received_at=now,
        state_at=now,
        committed_bytes=committed_bytes,
        committed_sha256=committed_sha256,
        note=note,
        takes_try=True,
    )
    session.add(submission)
    session.flush()
    record_event(
        session, now, "take try", actor_id=member.user_id, subject="submission", subject_id=submission.id
    )
    return submission


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _check_open(now: datetime, team: Team, phase: Phase) -> None:
    if team.challenge_id != phase.challenge_id:
        raise StateError(f"the team {team.name!r} is not in the challenge of the phase {phase.title!r}")
    if team.state != "approved":
        raise StateError(f"the team {team.name!r} is {team.state}; the organiser approves teams")
    if not phase.opens_at <= now < phase.closes_at:
        raise StateError(
            f"the phase {phase.title!r} takes submissions from {_shown(phase.opens_at)} to {_shown(phase.closes_at)}; "
            f"now it is {_shown(now)}"
        )
    if phase.paused_at is not None:
        raise StateError(
            f"the phase {phase.title!r} is paused since {_shown(phase.paused_at)}; please try later"
        )


def _check_left(now: datetime, tries: Tries) -> None:
    if tries.next_at is None and (tries.left_in_all == 0 or tries.left_today == 0):
        raise StateError("no try is left in this phase")
    if tries.next_at is not None and tries.next_at > now:
        raise StateError(f"no try is left now; the next is possible at {_shown(tries.next_at)}")


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
