"""The states of a submission and the steps between them: the one table of them."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError, UnknownNameError
from raim.server.auditing import record_event
from raim.server.database import Submission

# From a state to those that may follow. "queued" after "scoring": the worker is gone, or the server's fault passes.
STEPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "receiving": frozenset({"checking", "withdrawn", "abandoned", "failed"}),
        "checking": frozenset({"queued", "accepted", "refused", "withdrawn", "failed"}),
        "queued": frozenset({"scoring", "withdrawn", "failed"}),
        "scoring": frozenset({"queued", "scored", "withdrawn", "failed"}),
        "scored": frozenset(
            {"withdrawn"}
        ),  # scored again under a new profile, it stays so: only results are added
        "accepted": frozenset({"withdrawn"}),
        "failed": frozenset({"checking", "withdrawn"}),  # checking: the organiser starts it again
        "refused": frozenset(),
        "withdrawn": frozenset(),
        "abandoned": frozenset(),
    }
)
# A submission that is scored is queued once checked; the other kinds are done.
ACCEPTED_KINDS = frozenset({"feedback", "final"})
# Ends that cost no try: the check found problems, the fault is ours, or the upload never ended.
FREE_ENDS = frozenset({"refused", "failed", "abandoned"})
# A team that withdraws before scoring has begun has learnt nothing, and has its try back.
FREE_TO_WITHDRAW = frozenset({"receiving", "checking", "queued"})
# Boards, studies and results show these; steps between others change nothing that is kept.
SHOWN = frozenset({"scored", "accepted"})
COUNTABLE = frozenset({"queued", "scoring", "scored", "accepted"})


def lock_submission(session: Session, submission_id: int) -> Submission:
    """Give a submission that nobody else changes until the transaction ends.

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

    Args:
        session: A writing session.
        now: The time.
        submission_id: Which.
        state: Where to.
        actor_id: The user who did it; None for the server.
        error: What the team is shown; needed for "refused" and "failed", cleared by every other step.

    Raises:
        StateError: The step is not in the table, or not for this kind.
        InputError: The error is missing.
        UnknownNameError: There is no such submission.
    """
    submission = lock_submission(session, submission_id)
    before = submission.state
    _check_step(submission, state)
    if state in {"refused", "failed"} and not error:
        raise InputError(f"a submission that is {state} needs its reason, which the team is shown")
    if state in FREE_ENDS or (state == "withdrawn" and before in FREE_TO_WITHDRAW):
        submission.takes_try = False
    if state not in COUNTABLE:
        submission.is_chosen = False
    if state != "scoring":
        submission.lease_owner = submission.lease_until = None
    if state != "scored":
        submission.rescore_asked_at = None
    submission.state, submission.state_at, submission.error = state, now, error
    record_event(
        session,
        now,
        "change state",
        actor_id=actor_id,
        subject="submission",
        subject_id=submission.id,
        details={"from": before, "to": state, "takes_try": submission.takes_try},
        is_idle=not {before, state} & SHOWN,
    )
    return submission


def _check_step(submission: Submission, state: str) -> None:
    if state not in STEPS[submission.state]:
        possible = ", ".join(sorted(STEPS[submission.state])) or "nothing"
        raise StateError(
            f"submission {submission.id} is {submission.state} and cannot become {state}; possible: {possible}"
        )
    if submission.state == "checking" and state in {"queued", "accepted"}:
        due = "accepted" if submission.kind in ACCEPTED_KINDS else "queued"
        if state != due:
            raise StateError(f"a {submission.kind} submission is {due} after its check, not {state}")
