"""What happens when something goes wrong that is not the team's doing: patience, then a reason and a log line."""

import time
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from raim.errors import RaimError, StorageFullError
from raim.server.auditing import record_event
from raim.server.database import LogLine
from raim.server.jobs.context import WorkerContext, has_lease
from raim.server.storage import Storage, try_storage
from raim.server.submissions.states import change_state, lock_submission

Value = TypeVar("Value")

OURS = (
    "it could not be {what} because of a fault of the server, not of yours: {reason}. Your try has been given back; "
    "the organisers can start it again"
)
UNAVAILABLE_PAUSE_S = 2.0
UNAVAILABLE_TRIES = 450  # 15 minutes and more: longer than a restart or a move to another machine
LONGEST_REASON = 500


def with_patience(context: WorkerContext, function: Callable[[], Value]) -> Value:
    """Call a function until it succeeds, or give up after some tries; many more if database or storage are unavailable.

    Without its database a worker can neither go on nor say so, and without the storage all that waits would fail, one
    submission after the other.

    Raises:
        WorkerStopped: The worker is to end.
        Exception: What the last try raised.
    """
    tries = iter(context.patience_s)
    more_tries = iter(range(UNAVAILABLE_TRIES))
    while True:
        try:
            return function()
        except DBAPIError as error:
            is_unavailable = error.connection_invalidated or isinstance(
                error, OperationalError | InterfaceError
            )
            if not is_unavailable or next(more_tries, None) is None:
                raise
            context.pause(UNAVAILABLE_PAUSE_S)
        except Exception:
            is_unavailable = _is_unavailable(context.storage) and next(more_tries, None) is not None
            seconds = UNAVAILABLE_PAUSE_S if is_unavailable else next(tries, None)
            if seconds is None:
                raise
            context.pause(seconds)


def _is_unavailable(storage: Storage) -> bool:
    try:
        try_storage(storage)
    except StorageFullError:
        return False
    except Exception:  # noqa: BLE001 - of whichever library reaches it
        return True
    return False


def describe_fault(error: BaseException) -> tuple[str, str]:
    """Return the reason for a team (what raim says itself, else only the kind of fault), and organisers' traceback."""
    text = str(error) if isinstance(error, RaimError | OSError) else type(error).__name__
    return text[:LONGEST_REASON], "".join(traceback.format_exception(error))


def log_line(session: Session, now: datetime, context: WorkerContext, submission_id: int, text: str) -> None:
    """Keep what a worker says about a submission, for organisers."""
    session.add(LogLine(submission_id=submission_id, logged_at=now, worker=context.name, text=text))


def fail_submission(
    context: WorkerContext, submission_id: int, attempt: int, what: str, reason_and_log: tuple[str, str]
) -> None:
    """Give up a submission that could not be `what` ("checked", "scored") by our fault; its try is given back.

    `reason_and_log` is the reason for its team, and what organisers read.
    An entry that has results, and was to be scored again, keeps them. Nothing is done if its lease is another's.
    """
    now, (reason, log) = context.clock(), reason_and_log
    with context.database.writing() as session:
        row = lock_submission(session, submission_id)
        if not has_lease(row, context, attempt):
            return
        log_line(session, now, context, submission_id, log)
        if not row.facts.has_score:
            change_state(session, now, submission_id, "failed", error=OURS.format(what=what, reason=reason))
            return
        row.rescore_asked_at = row.lease_owner = row.lease_until = None
        row.flags = {**row.flags, "not-scored-again": f"it could not be scored again: {reason}"}
        record_event(session, now, "fail to score again", row, actor_id=None, reason=reason)


class Throttle:
    """A limit of how often something happens."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = -seconds

    def is_open(self) -> bool:
        """Return whether enough time has passed since the last time that it was open."""
        now = time.monotonic()
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True
