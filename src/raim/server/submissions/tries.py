"""Tries: a submission takes one in its own transaction, so that two at once cannot both take the last.

What counts, and when the next try is possible, is `raim.challenge.tries`; here it is asked under the lock of the
team's row. A check that refuses gives the try back, so there is a limit on how many uploads begin, too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.challenge import Phase, current_phase, may_submit, next_possible_submission, tries_left
from raim.challenge.phase import SubmissionKind
from raim.errors import StateError, TooLargeError, TooManyRequestsError
from raim.records.submissions import NewSubmission
from raim.server.actions.finalists import is_finalist
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Member, Submission, Team
from raim.server.database.engine import STORAGE_LOCK, take_turn
from raim.server.submissions.kept import check_quotas

HOUR = timedelta(hours=1)
BEGUN_PER_HOUR = 60  # of one team, refused ones too: each costs the server a check
BEGUN_AT_ONCE = 3  # uploads of one team that are under way


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


def count_tries(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    *,
    team_id: int,
    phase: str,
    kind: SubmissionKind,
) -> Tries:
    """Count what a team has left of a kind of submission in a phase; what it tells may be over a moment later."""
    record = challenge.definition.phase(phase)
    earlier = _earlier(session, challenge, team_id, phase, kind)
    today, in_all = tries_left(challenge.definition, record, kind, now=now, earlier=earlier)
    next_at = next_possible_submission(challenge.definition, record, kind, now=now, earlier=earlier)
    return Tries(left_today=today, left_in_all=in_all, next_at=next_at)


def check_length(challenge: CurrentChallenge, n_bytes: int) -> None:
    """Refuse (TooLargeError) a file that is larger than the challenge takes."""
    limit = challenge.definition.uploads.max_bytes
    if n_bytes > limit:
        raise TooLargeError(
            f"the file has {n_bytes} bytes, a submission may have {limit}; save the images as PNG or as JPEG of "
            "high quality, and put nothing else into the zip"
        )


def take_try(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    member: Member,
    wanted: NewSubmission,
) -> Submission:
    """Begin a submission; it takes a try here and now, before its first byte is sent.

    Deadlines and tries go by `now`, the time of arrival. The team's row stays locked until the session ends.

    Raises:
        TooLargeError: The file is larger than the challenge takes.
        UnknownNameError: There is no such phase.
        StateError: The team may not submit now; the text has the reason and the time of the next try.
        StorageFullError: The file would be beyond a quota.
        TooManyRequestsError: Too many uploads have begun.
    """
    phase, kind = find_wanted_phase(challenge, now, wanted), wanted.kind
    check_length(challenge, wanted.n_bytes)
    team = lock_team(session, member.team_id)
    if team.state not in {"approved", "waiting"}:
        raise StateError(f"the team {team.name!r} is {team.state}; ask the organisers")
    verdict = may_submit(
        challenge.definition,
        phase,
        kind,
        now=now,
        earlier=_earlier(session, challenge, team.id, phase.id, kind),
        is_paused=challenge.is_paused(phase),
        is_approved=team.state == "approved",
        is_finalist=is_finalist(session, challenge, team.id),
    )
    if not verdict.is_allowed:
        raise StateError(verdict.reason)
    check_rate(session, now, team.id)
    take_turn(session, STORAGE_LOCK)  # two teams at once may fill a challenge; a file may be freed just now
    check_quotas(session, challenge, team.id, n_bytes=wanted.n_bytes, sha256=wanted.sha256)
    submission = Submission(
        team_id=team.id,
        phase_id=challenge.phase_ids[phase.id],
        data_set_id=challenge.data_set_ids[phase.intakes[kind].on],
        member_id=member.id,
        kind=kind,
        received_at=now,
        state_at=now,
        committed_bytes=wanted.n_bytes,
        committed_sha256=wanted.sha256,
        note=wanted.note.strip(),
        takes_try=True,
    )
    session.add(submission)
    session.flush()
    record_event(session, now, "take try", submission, actor_id=member.user_id)
    return submission


def lock_team(session: Session, team_id: int) -> Team:
    """Return a team that nobody else changes until the transaction ends."""
    return session.scalars(
        select(Team).where(Team.id == team_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def find_wanted_phase(challenge: CurrentChallenge, now: datetime, wanted: NewSubmission) -> Phase:
    """Return the phase that a submission is for: the open one where none is named.

    Raises:
        StateError: None is named, and none is open.
        UnknownNameError: There is no such phase; the nearest is named.
    """
    phase = (
        challenge.definition.phase(wanted.phase) if wanted.phase else current_phase(challenge.definition, now)
    )
    if phase is None:
        raise StateError("no phase is open now; name the phase that the submission is for")
    return phase


def _earlier(
    session: Session, challenge: CurrentChallenge, team_id: int, phase: str, kind: SubmissionKind
) -> list[datetime]:
    return list(
        session.scalars(
            select(Submission.received_at).where(
                Submission.team_id == team_id,
                Submission.phase_id == challenge.phase_ids[phase],
                Submission.kind == kind,
                Submission.takes_try,
            )
        )
    )


def check_rate(session: Session, now: datetime, team_id: int, *, besides: int = 0) -> None:
    """Refuse a team that begins too many uploads; `besides` come by a form, of which no row tells yet.

    Raises:
        StateError: Too many are under way.
        TooManyRequestsError: Too many have begun within an hour.
    """
    mine = select(func.count()).select_from(Submission).where(Submission.team_id == team_id)
    if (session.scalar(mine.where(Submission.where("is_arriving"))) or 0) + besides >= BEGUN_AT_ONCE:
        raise StateError(
            f"{BEGUN_AT_ONCE} uploads of your team are under way; finish one or withdraw it, then begin another"
        )
    recent = session.scalars(
        select(Submission.received_at)
        .where(Submission.team_id == team_id, Submission.received_at > now - HOUR)
        .order_by(Submission.received_at.desc())
    ).all()
    if len(recent) >= BEGUN_PER_HOUR:
        raise TooManyRequestsError(
            f"your team began {len(recent)} uploads within an hour; `raim check` finds what is wrong before sending",
            retry_at=recent[BEGUN_PER_HOUR - 1] + HOUR,
        )
