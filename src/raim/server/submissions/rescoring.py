"""What organisers decide about submissions: to score again, to start a failed one again, and what marks they carry.

Scoring again adds results under the versions in force; results that are there are never changed.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, select, update
from sqlalchemy.orm import Session

from raim.errors import StateError
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import AuditEvent, Phase, Submission, Upload
from raim.server.submissions.states import change_state, lock_submission

LOOKED_AT = "look at flags"  # the audit event that says which flags of a submission an organiser has seen


def ask_rescore(session: Session, now: datetime, submission_id: int, *, actor_id: int) -> Submission:
    """Have a scored submission scored again; one that waits for it already keeps its place.

    Raises:
        StateError: It is not scored.
        UnknownNameError: There is no such submission.
    """
    submission = lock_submission(session, submission_id)
    if not submission.facts.has_score:
        raise StateError(
            f"submission {submission_id} is {submission.state}; only one that is scored can be scored again"
        )
    submission.rescore_asked_at = submission.rescore_asked_at or now
    record_event(session, now, "ask to score again", submission, actor_id=actor_id)
    return submission


def ask_rescore_all(session: Session, now: datetime, phase_id: int, *, actor_id: int) -> int:
    """Have all scored submissions of a phase scored again; give how many were put into the queue."""
    asked = session.execute(
        update(Submission)
        .where(
            Submission.phase_id == phase_id,
            Submission.kind == "scored",
            Submission.where("has_score"),
            Submission.rescore_asked_at.is_(None),
        )
        .values(rescore_asked_at=now)
        .returning(Submission.id)
    ).all()
    phase = session.get_one(Phase, phase_id)
    record_event(session, now, "ask to score all again", phase, actor_id=actor_id, submissions=len(asked))
    return len(asked)


def restart_failed(session: Session, now: datetime, submission_id: int, *, actor_id: int) -> Submission:
    """Start a failed submission again from its check; it takes no try, since the fault was not the team's.

    Raises:
        StateError: It has not failed, or its file never came whole.
        UnknownNameError: There is no such submission.
    """
    submission = lock_submission(session, submission_id)
    if not submission.facts.is_restartable:
        raise StateError(
            f"submission {submission_id} is {submission.state}; only a failed one is started again"
        )
    finished = session.scalar(select(Upload.finished_at).where(Upload.submission_id == submission_id))
    if finished is None:
        raise StateError(
            f"the file of submission {submission_id} never came whole; the team has to send it again"
        )
    changed = change_state(session, now, submission_id, "checking", actor_id=actor_id)
    changed.images_done = 0  # `attempt` goes on: the job of an attempt is made once only
    return changed


def mark_submission(
    session: Session,
    now: datetime,
    submission: Submission,
    *,
    is_verified: bool | None = None,
    is_out_of_competition: bool | None = None,
    actor_id: int,
) -> None:
    """Say that organisers have reproduced a submission, and whether it can win; None leaves it as it is."""
    before = {"verified": submission.is_verified, "out of competition": submission.is_out_of_competition}
    if is_verified is not None:
        submission.is_verified = is_verified
    if is_out_of_competition is not None:
        submission.is_out_of_competition = is_out_of_competition
    after = {"verified": submission.is_verified, "out of competition": submission.is_out_of_competition}
    if before == after:
        return
    record_event(session, now, "mark submission", submission, actor_id=actor_id, before=before, after=after)


def look_at_flags(session: Session, now: datetime, submission: Submission, *, actor_id: int) -> None:
    """Write down that an organiser has seen the flags that a submission has now."""
    record_event(session, now, LOOKED_AT, submission, actor_id=actor_id, codes=sorted(submission.flags))


def unseen_flags(session: Session, challenge: CurrentChallenge) -> dict[int, dict[str, Any]]:
    """Return the flags of a challenge's submissions that no organiser has looked at, by submission."""
    found = session.execute(
        select(Submission.id, Submission.flags).where(
            Submission.phase_id.in_(challenge.phase_ids.values()), cast(Submission.flags, String) != "{}"
        )
    ).all()
    if not found:
        return {}
    seen: dict[int | None, set[str]] = {}
    looked = select(AuditEvent.subject_id, AuditEvent.details).where(
        AuditEvent.action == LOOKED_AT, AuditEvent.challenge_id == challenge.id
    )
    for submission_id, details in session.execute(looked):
        seen.setdefault(submission_id, set()).update(details.get("codes", ()))
    left = {
        number: {code: text for code, text in flags.items() if code not in seen.get(number, set())}
        for number, flags in found
    }
    return {number: flags for number, flags in left.items() if flags}
