"""What a team decides about its submissions: to withdraw one, and which one counts."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from raim.challenge import Phase
from raim.errors import AccessError, StateError
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Member, Submission, Team
from raim.server.submissions.states import change_state, lock_submission


def withdraw(session: Session, now: datetime, submission_id: int, member: Member) -> Submission:
    """Take a submission back; its try too, if scoring had not begun.

    Raises:
        AccessError: It is another team's.
        StateError: It has ended.
        UnknownNameError: There is no such submission.
    """
    _own(session, submission_id, member)
    return change_state(session, now, submission_id, "withdrawn", actor_id=member.user_id)


def choose(
    session: Session, now: datetime, challenge: CurrentChallenge, submission_id: int, member: Member
) -> Submission:
    """Let this entry count in place of the one chosen before, if any.

    Raises:
        AccessError: It is another team's.
        StateError: It has no result and none is under way, or nothing is chosen in its phase.
        UnknownNameError: There is no such submission.
    """
    # The team's row first, as in `take_try`: two choices at once follow each other.
    session.scalars(select(Team.id).where(Team.id == member.team_id).with_for_update()).one()
    submission = _own(session, submission_id, member)
    if not submission.facts.is_checked:
        raise StateError(f"submission {submission.id} is {submission.state}, it cannot count")
    phase = challenge.phase_of_row(submission.phase_id)
    rule = challenge.definition.counting(phase)
    if submission.kind == "scored" and rule != "chosen":
        raise StateError(f"the {rule} entry of a team counts in {phase.name}; there is nothing to choose")
    session.execute(
        update(Submission)
        .where(
            Submission.team_id == submission.team_id,
            Submission.phase_id == submission.phase_id,
            Submission.kind == submission.kind,
            Submission.is_chosen,
        )
        .values(is_chosen=False)
    )
    submission.is_chosen = True
    record_event(session, now, "choose", submission, actor_id=member.user_id)
    return submission


def final_submissions(session: Session, challenge: CurrentChallenge, phase: Phase) -> dict[int, Submission]:
    """Return each team's final submission that counts, by the team: its chosen one, else its newest."""
    rows = session.scalars(
        select(Submission)
        .where(
            Submission.phase_id == challenge.phase_ids[phase.id],
            Submission.kind == "final",
            Submission.where("is_handed_over"),
        )
        .order_by(Submission.is_chosen, Submission.id)
    )
    return {submission.team_id: submission for submission in rows}


def _own(session: Session, submission_id: int, member: Member) -> Submission:
    submission = lock_submission(session, submission_id)
    if submission.team_id != member.team_id:
        raise AccessError(f"submission {submission_id} is another team's")
    return submission
