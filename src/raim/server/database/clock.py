"""The time as all processes of a server have it, on whichever hosts they are."""

import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from raim.server.database.engine import Database


class DatabaseClock:
    """The time of the database, carried on from the last look at it by this machine's steady clock.

    Processes on several machines compare deadlines, logins, heartbeats and leases: by one clock, however wrong their
    own are. On SQLite, whose processes are on one machine, it is that machine's time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_own = database.engine.dialect.name == "sqlite"
        self.look()

    def look(self) -> None:
        """Ask the database for its time."""
        if self._is_own:
            return
        with self._database.reading() as session:
            moment = session.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)
        self._known = moment, time.monotonic()

    def __call__(self) -> datetime:
        """Return the time."""
        if self._is_own:
            return datetime.now(UTC)
        moment, at = self._known
        return moment + timedelta(seconds=time.monotonic() - at)
