"""Heartbeats: each worker process has a row that says when it was last seen, and what it does."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim import __version__
from raim.errors import StateError
from raim.server.database import Database, WorkerHeartbeat

EVERY_S = 5.0
SILENCE = timedelta(seconds=60)  # a worker that was not seen for so long is taken for dead
LONGEST_DOING = 200


class DatabaseClock:
    """The time of the database, carried on from the last look at it by this machine's steady clock.

    Workers on several machines compare heartbeats and leases: by one clock, however wrong their own are. On SQLite,
    whose workers are on one machine, it is that machine's time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.look()

    def look(self) -> None:
        """Ask the database for its time."""
        moment = datetime.now(UTC)
        if self._database.engine.dialect.name == "postgresql":
            with self._database.reading() as session:
                moment = session.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)
        self._known = moment, time.monotonic()

    def __call__(self) -> datetime:
        """Give the time."""
        moment, at = self._known
        return moment + timedelta(seconds=time.monotonic() - at)


def start_heart(session: Session, now: datetime, name: str) -> None:
    """Begin the row of a worker, or take over that of one of the same name that is gone."""
    row = session.get(WorkerHeartbeat, name) or WorkerHeartbeat(name=name)
    row.started_at = row.seen_at = now
    row.version, row.doing, row.stopped_at = __version__, "", None
    session.add(row)


def beat(
    session: Session,
    now: datetime,
    name: str,
    *,
    started_at: datetime,
    doing: str,
    seconds_per_image: float | None,
) -> None:
    """Say that a worker lives and what it does.

    Raises:
        StateError: Another process has begun under the same name.
    """
    row = session.get(WorkerHeartbeat, name)
    if row is None or row.started_at != started_at:
        raise StateError(f"another worker has the name {name!r}; start this one with another --name")
    row.seen_at, row.doing = now, doing[:LONGEST_DOING]
    if seconds_per_image is not None:
        row.seconds_per_image = seconds_per_image


def stop_heart(session: Session, now: datetime, name: str) -> None:
    """Say that a worker has ended, so that others take over what it left at once."""
    row = session.get(WorkerHeartbeat, name)
    if row is not None:
        row.stopped_at, row.seen_at, row.doing = now, now, ""


def live_workers(
    session: Session, now: datetime, *, silence: timedelta = SILENCE
) -> Sequence[WorkerHeartbeat]:
    """Give the workers that were seen lately, by name."""
    return session.scalars(
        select(WorkerHeartbeat)
        .where(WorkerHeartbeat.seen_at > now - silence, WorkerHeartbeat.stopped_at.is_(None))
        .order_by(WorkerHeartbeat.name)
    ).all()


def gone_workers(session: Session, now: datetime, *, silence: timedelta = SILENCE) -> list[str]:
    """Give the names of workers that have ended or are silent."""
    live = {row.name for row in live_workers(session, now, silence=silence)}
    names = session.scalars(select(WorkerHeartbeat.name).order_by(WorkerHeartbeat.name))
    return [name for name in names if name not in live]
