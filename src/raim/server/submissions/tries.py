"""Tries: a submission takes one in its own transaction, so that two at once cannot both take the last.

What counts, and when the next try is possible, is `raim.challenge.tries`; here it is asked under the lock of the
team's row. A check that refuses gives the try back, so there is a limit on how many uploads begin, too.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.challenge import may_submit, next_possible_submission, tries_left
from raim.challenge.phase import SubmissionKind
from raim.errors import InputError, StateError, TooLargeError, TooManyRequestsError
from raim.server.auditing import record_event
from raim.server.contest import Contest, is_finalist
from raim.server.database import Member, Submission, Team
from raim.server.submissions.promise import Promise
from raim.server.submissions.verdicts import Tries

HOUR = timedelta(hours=1)
BEGUN_PER_HOUR = 60  # of one team, refused ones too: each costs the server a check
BEGUN_AT_ONCE = 3  # uploads of one team that are under way


def count_tries(
    session: Session, now: datetime, contest: Contest, *, team_id: int, phase: str, kind: SubmissionKind
) -> Tries:
    """Count what a team has left; what it tells may be over a moment later.

    Args:
        session: Any session.
        now: The time.
        contest: The challenge in force.
        team_id: Whose.
        phase: Id of the phase in the file.
        kind: "scored", "feedback" or "final"; each has its own tries.
    """
    record = contest.challenge.phase(phase)
    earlier = _earlier(session, contest, team_id, phase, kind)
    today, in_all = tries_left(contest.challenge, record, kind, now=now, earlier=earlier)
    next_at = next_possible_submission(contest.challenge, record, kind, now=now, earlier=earlier)
    return Tries(left_today=today, left_in_all=in_all, next_at=next_at)


def take_try(
    session: Session,
    now: datetime,
    contest: Contest,
    *,
    member: Member,
    phase: str,
    kind: SubmissionKind,
    promise: Promise,
    note: str = "",
) -> Submission:
    """Begin a submission; it takes a try here and now, before its first byte is sent.

    Args:
        session: A writing session; the team's row stays locked until it ends.
        now: The time of arrival, by which deadlines and tries go.
        contest: The challenge in force.
        member: Who submits.
        phase: Id of the phase in the file.
        kind: "scored", "feedback" or "final".
        promise: Length and SHA-256 of the file that will be sent.
        note: The team's own words about it.

    Raises:
        TooLargeError: The file is larger than the challenge takes.
        UnknownNameError: There is no such phase.
        StateError: The team may not submit now; the text has the reason and the time of the next try.
        TooManyRequestsError: Too many uploads have begun.
    """
    record = contest.challenge.phase(phase)
    check_size(contest, promise.n_bytes)
    team = lock_team(session, member.team_id)
    if team.state not in {"approved", "waiting"}:
        raise StateError(f"the team {team.name!r} is {team.state}; ask the organisers")
    verdict = may_submit(
        contest.challenge,
        record,
        kind,
        now=now,
        earlier=_earlier(session, contest, team.id, phase, kind),
        is_paused=contest.is_paused(record),
        is_approved=team.state == "approved",
        is_finalist=is_finalist(session, contest, team.id),
    )
    if not verdict.is_allowed:
        raise StateError(verdict.reason)
    _check_rate(session, now, team)
    submission = Submission(
        team_id=team.id,
        phase_id=contest.phase_ids[phase],
        data_set_id=contest.data_set_ids[record.intakes[kind].on],
        member_id=member.id,
        kind=kind,
        received_at=now,
        state_at=now,
        committed_bytes=promise.n_bytes,
        committed_sha256=promise.sha256,
        note=_check_note(note),
        takes_try=True,
    )
    session.add(submission)
    session.flush()
    record_event(session, now, "take try", submission, actor_id=member.user_id)
    return submission


def lock_team(session: Session, team_id: int) -> Team:
    """Give a team that nobody else changes until the transaction ends."""
    return session.scalars(
        select(Team).where(Team.id == team_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def check_size(contest: Contest, n_bytes: int) -> None:
    """Refuse a file that the challenge does not take.

    Raises:
        TooLargeError: It is larger.
    """
    limit = contest.challenge.uploads.max_bytes
    if n_bytes > limit:
        raise TooLargeError(
            f"the file has {n_bytes} bytes, a submission may have {limit}; save the images as PNG or as JPEG of high "
            "quality, and put nothing else into the zip"
        )


def _check_note(note: str) -> str:
    if len(note) > 2000:
        raise InputError(
            f"the note has {len(note)} characters, at most 2000; details belong into the fact sheet"
        )
    return note.strip()


def _earlier(
    session: Session, contest: Contest, team_id: int, phase: str, kind: SubmissionKind
) -> list[datetime]:
    return list(
        session.scalars(
            select(Submission.received_at).where(
                Submission.team_id == team_id,
                Submission.phase_id == contest.phase_ids[phase],
                Submission.kind == kind,
                Submission.takes_try,
            )
        )
    )


def _check_rate(session: Session, now: datetime, team: Team) -> None:
    mine = select(func.count()).select_from(Submission).where(Submission.team_id == team.id)
    if (session.scalar(mine.where(Submission.where("is_arriving"))) or 0) >= BEGUN_AT_ONCE:
        raise StateError(
            f"{BEGUN_AT_ONCE} uploads of your team are under way; finish one or withdraw it, then begin another"
        )
    recent = session.scalars(
        select(Submission.received_at)
        .where(Submission.team_id == team.id, Submission.received_at > now - HOUR)
        .order_by(Submission.received_at.desc())
    ).all()
    if len(recent) >= BEGUN_PER_HOUR:
        raise TooManyRequestsError(
            f"your team began {len(recent)} uploads within an hour; `raim check` finds what is wrong before sending",
            retry_at=recent[BEGUN_PER_HOUR - 1] + HOUR,
        )
