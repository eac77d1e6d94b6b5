"""The steps of a submission from state to state; the table of them is `raim.records.states`."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError, UnknownNameError
from raim.records import STATES
from raim.server.auditing import record_event
from raim.server.database import Submission
from raim.server.mail import mail_team


def after_check(kind: str) -> str:
    """Return the state that follows a good check: what is to be scored is queued, the other kinds are done."""
    return "queued" if kind == "scored" else "accepted"


def lock_submission(session: Session, submission_id: int) -> Submission:
    """Return a submission that nobody else changes until the transaction ends.

    Raises:
        UnknownNameError: There is none with this id.
    """
    found = session.scalar(
        select(Submission)
        .where(Submission.id == submission_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise UnknownNameError(f"there is no submission {submission_id}")
    return found


def change_state(
    session: Session,
    now: datetime,
    submission_id: int,
    state: str,
    *,
    actor_id: int | None = None,
    error: str | None = None,
) -> Submission:
    """Take a submission one step further; an end that is not the team's doing gives its try back.

    Without an actor the server did it. The team is shown the error: needed where `State.needs_reason`, cleared by every
    other step.

    Raises:
        StateError: The step is not in the table, or not for this kind.
        InputError: The error is missing.
        UnknownNameError: There is no such submission.
    """
    submission = lock_submission(session, submission_id)
    before, facts = submission.state, submission.facts
    _check_step(submission, state)
    after = STATES[state]
    if after.needs_reason and not error:
        raise InputError(f"a submission that is {state} needs its reason, which the team is shown")
    if after.is_free or (after.is_withdrawn and facts.is_free_to_withdraw):
        submission.takes_try = False
    if not after.is_checked:
        submission.is_chosen = False
    if not after.is_in_scoring:
        submission.lease_owner = submission.lease_until = None
    if not after.has_score:
        submission.rescore_asked_at = None
    submission.state, submission.state_at, submission.error = state, now, error
    is_idle = not (facts.is_good or after.is_good)  # boards, studies and results show good ends only
    details: dict[str, Any] = {"before": before, "after": state, "takes_try": submission.takes_try}
    record_event(session, now, "change state", submission, actor_id=actor_id, is_idle=is_idle, **details)
    if after.ending and not after.is_withdrawn:
        what = f"submission {submission.id} {state}"
        content = {"submission": submission.id, "ending": after.ending, "error": error or ""}
        mail_team(session, now, "result", what, submission.team_id, **content)
    return submission


def _check_step(submission: Submission, state: str) -> None:
    if state not in submission.facts.following:
        possible = ", ".join(sorted(submission.facts.following)) or "nothing"
        raise StateError(
            f"submission {submission.id} is {submission.state} and cannot become {state}; possible: {possible}"
        )
    due = after_check(submission.kind)
    if submission.facts.is_in_check and STATES[state].is_checked and state != due:
        raise StateError(f"a {submission.kind} submission is {due} after its check, not {state}")
