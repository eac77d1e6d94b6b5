"""What a worker process is, to its jobs and to other workers: its means, its heartbeat, its leases.

Each worker has a row that says when it was last seen, and what it does. A worker that works on a submission says so in
the submission's row, and goes on saying so: that is its lease, known by the submission's attempt, which counts them. It
may be taken over from a worker that has ended or is silent, by the same job on another worker: the attempt stays, so
what the job has recorded still holds.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from raim import __version__
from raim.errors import StateError
from raim.server.database import Database, Submission, WorkerHeartbeat
from raim.server.jobs.process_pool import ProcessPool, TaskLimits, WorkerStopped
from raim.server.storage import Storage
from raim.server.submissions.states import change_state, lock_submission

EVERY_S = 5.0
FEW_WORKERS = 8
WORKER_SILENCE = timedelta(seconds=60)  # a worker that was not seen for so long is taken for dead
LONGEST_DOING, LONGEST_SANDBOX = 200, 400
# Waits between tries after a fault of ours, in seconds.
PATIENCE_S = (1.0, 5.0, 25.0)


def start_heartbeat(
    session: Session, now: datetime, name: str, challenges: Collection[str] = (), sandbox: str = ""
) -> None:
    """Begin the row of a worker, or take over that of one of the same name that is gone."""
    row = session.get(WorkerHeartbeat, name) or WorkerHeartbeat(name=name)
    row.started_at = row.seen_at = now
    row.version, row.doing, row.stopped_at = __version__, "", None
    row.challenges, row.sandbox = sorted(challenges), sandbox[:LONGEST_SANDBOX]
    session.add(row)


def stop_heartbeat(session: Session, now: datetime, name: str) -> None:
    """Say that a worker has ended, so that others take over what it left at once."""
    row = session.get(WorkerHeartbeat, name)
    if row is not None:
        row.stopped_at, row.seen_at, row.doing = now, now, ""


def live_workers(
    session: Session, now: datetime, silence: timedelta = WORKER_SILENCE
) -> Sequence[WorkerHeartbeat]:
    """Return the workers that were seen lately, by name."""
    return session.scalars(
        select(WorkerHeartbeat)
        .where(WorkerHeartbeat.seen_at > now - silence, WorkerHeartbeat.stopped_at.is_(None))
        .order_by(WorkerHeartbeat.name)
    ).all()


def serves(challenges: Collection[str], challenge: str) -> bool:
    """Return whether a worker that was started for some challenges, or for all, serves one of them."""
    return not challenges or challenge in challenges


def gone_workers(session: Session, now: datetime, silence: timedelta = WORKER_SILENCE) -> Sequence[str]:
    """Return the names of workers that have ended or are silent."""
    is_gone = or_(WorkerHeartbeat.seen_at <= now - silence, WorkerHeartbeat.stopped_at.is_not(None))
    return session.scalars(select(WorkerHeartbeat.name).where(is_gone).order_by(WorkerHeartbeat.name)).all()


def spread(n_workers: int) -> float:
    """Return how many times less often each of many workers asks what there is to do.

    All together they ask no more often than a few would, and something new is seen no later.

    Example:
        >>> spread(3), spread(100)
        (1.0, 12.5)
    """
    return max(1.0, n_workers / FEW_WORKERS)


@dataclass(kw_only=True, slots=True)
class WorkerContext:
    """One worker's means, and what it has in hand.

    Attributes:
        folder: The server's folder, or one for this worker alone; files of work lie in its `work`.
        challenges: Ids of those that it serves; none for all.
        keep_addresses: How long addresses are kept.
        processes: Child processes that score at once.
        silence: After which a worker is taken for dead; also how long a lease lasts.
        patience_s: Waits between tries after a fault of ours.
        stop: Set when the worker is to end.
        holding: Submissions that it works on, whose leases it renews.
        doing: What it does, in words, by kind of job.
        seconds_per_image: Pace of its scoring, as last measured.
        turn: Held while it scores.
    """

    name: str
    database: Database
    storage: Storage
    folder: Path
    clock: Callable[[], datetime]
    challenges: frozenset[str] = frozenset()
    limits: TaskLimits = field(default_factory=TaskLimits)
    keep_addresses: timedelta = timedelta(days=90)
    processes: int = 1
    silence: timedelta = WORKER_SILENCE
    patience_s: tuple[float, ...] = PATIENCE_S
    stop: threading.Event = field(default_factory=threading.Event)
    holding: set[int] = field(default_factory=set)
    doing: dict[str, str] = field(default_factory=dict)
    seconds_per_image: float | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)
    _pool: ProcessPool | None = None

    @property
    def work(self) -> Path:
        """Where files of work lie; all of them can be made again."""
        return self.folder / "work"

    @property
    def cache(self) -> Path:
        """The file of known values."""
        return self.work / "scores.sqlite"

    @property
    def pool(self) -> ProcessPool:
        """The children that score."""
        if self._pool is None:
            self._pool = ProcessPool(self.processes, self.limits.score, self.stop)
        return self._pool

    @contextmanager
    def busy(self, kind: str, text: str, submission_ids: list[int]) -> Iterator[None]:
        """Say what is done, and keep the leases of submissions meanwhile."""
        self.holding.update(submission_ids)
        self.doing[kind] = text
        try:
            yield
        finally:
            self.doing.pop(kind, None)
            self.holding.difference_update(submission_ids)

    def pause(self, seconds: float) -> None:
        """Wait, unless the worker is to end (WorkerStopped)."""
        if self.stop.wait(seconds):
            raise WorkerStopped

    def rest_pool(self, idle_s: float) -> None:
        """End children that have had nothing to do for a while, for their memory."""
        pool = self._pool
        if pool is None or time.monotonic() - pool.used_at < idle_s:
            return
        if self.turn.acquire(blocking=False):
            try:
                pool.close()
            finally:
                self.turn.release()

    def close(self) -> None:
        """End all children that score."""
        if self._pool is not None:
            self._pool.close()


def renew_heartbeat(session: Session, context: WorkerContext, started_at: datetime) -> None:
    """Say that a worker lives and what it does, and keep the leases of everything that it works on.

    Raises:
        StateError: Another process has begun under the same name.
    """
    now, row = context.clock(), session.get(WorkerHeartbeat, context.name)
    if row is None or row.started_at != started_at:
        raise StateError(f"another worker has the name {context.name!r}; start this one with another --name")
    row.seen_at, row.doing = now, "; ".join(context.doing.values())[:LONGEST_DOING]
    row.seconds_per_image = context.seconds_per_image or row.seconds_per_image
    session.execute(
        update(Submission)
        .where(Submission.id.in_(sorted(context.holding)), Submission.lease_owner == context.name)
        .values(lease_until=now + context.silence)
    )


def take_lease(
    session: Session, context: WorkerContext, submission_id: int, attempt: int
) -> Submission | None:
    """Take or keep the lease of a submission that is to be checked or scored, by its number.

    Returns:
        The locked row; None if it is another's to work on, or needs no work any more.
    """
    now, row = context.clock(), lock_submission(session, submission_id)
    is_new = row.attempt == attempt - 1 and row.lease_owner is None
    is_ours = row.attempt == attempt and _is_free(session, now, context, row)
    if not is_submission_due(row) or not (is_new or is_ours):
        return None
    if row.facts.is_queued:
        row = change_state(session, now, submission_id, "scoring")
    row.attempt = attempt
    row.lease_owner, row.lease_until = context.name, now + context.silence
    return row


def is_submission_due(row: Submission) -> bool:
    """Return whether a submission is to be checked or scored."""
    return row.facts.is_waiting or row.rescore_asked_at is not None


def has_lease(row: Submission, context: WorkerContext, attempt: int) -> bool:
    """Return whether a worker still has the lease that it took."""
    return is_submission_due(row) and row.lease_owner == context.name and row.attempt == attempt


def end_lease(session: Session, now: datetime, row: Submission) -> None:
    """Let a submission be done again, by whoever is first."""
    if row.facts.is_in_scoring:
        change_state(session, now, row.id, "queued")
    row.lease_owner = row.lease_until = None


def _is_free(session: Session, now: datetime, context: WorkerContext, row: Submission) -> bool:
    if row.lease_owner in {None, context.name} or row.lease_until is None or row.lease_until <= now:
        return True
    return row.lease_owner in gone_workers(session, now, context.silence)
