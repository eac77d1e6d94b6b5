"""Whether a server can do its work: database, workers and storage, looked at apart; and its numbers.

Anybody may ask, as often as they like: what was found holds for a while, and a part that hangs holds up one thread and
nobody else. No look takes a connection of those that requests share.
"""

import asyncio
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import StorageFullError
from raim.records.administration import Delays, ServerNumbers
from raim.records.health import Health
from raim.server.database import Submission, open_database
from raim.server.jobs.context import WORKER_SILENCE, live_workers
from raim.server.queries.administration import read_delays, read_server_numbers
from raim.server.storage import free_bytes, try_storage
from raim.server.web.server import WebServer

LOG = logging.getLogger(__name__)
PATIENCE_S = 3.0  # what has not answered then is unavailable
DATABASE_EVERY_S, STORAGE_EVERY_S, NUMBERS_EVERY_S = 1.0, 10.0, 5.0
GOOD = frozenset({"ok", "idle"})
Found = dict[str, Any]
NO_DATABASE: Found = {"database": "unavailable", "workers": "unknown"}
NO_STORAGE: Found = {"storage": "unavailable"}
NO_NUMBERS: Found = {"numbers": "unavailable"}


@dataclass(slots=True)
class Look:
    """The last check of one part; one runs at most.

    Attributes:
        work: Gives what is found, as fields of `Health`.
        missing: What is found if it does not answer.
        every_s: How long that holds.
    """

    work: Callable[[], Found]
    missing: Found
    every_s: float
    _begun: float = 0.0
    _found: Future[Found] | None = field(default=None)
    _why: str = "no answer"
    _said: dict[str, str] = field(default_factory=dict)

    async def ask(self) -> Found:
        """Return what is found now, or was a moment ago."""
        if self._found is None or (self._found.done() and time.monotonic() - self._begun > self.every_s):
            self._begun, self._found = time.monotonic(), Future()
            threading.Thread(target=self._work, args=(self._found,), name="watch", daemon=True).start()
        found = self._found
        left = self._begun + PATIENCE_S - time.monotonic()
        await asyncio.wait([asyncio.wrap_future(found)], timeout=max(0.0, left))
        result = found.result() if found.done() else self.missing
        said = {name: word for name, word in result.items() if isinstance(word, str)}
        if said != self._said and (self._said or not set(said.values()) <= GOOD):
            LOG.warning(
                "the health check finds %s%s", said, f": {self._why}" if result is self.missing else ""
            )
        self._said = said
        return result

    def _work(self, found: Future[Found]) -> None:
        try:
            result, self._why = self.work(), "no answer"
        except Exception as error:  # noqa: BLE001 - of whatever library the storage needs
            result, self._why = (
                self.missing,
                f"{type(error).__name__}: {getattr(error, 'orig', None) or error}",
            )
        found.set_result(result)


class Watch:
    """Checks a server's parts."""

    def __init__(self, server: WebServer) -> None:
        self._parts = (
            Look(lambda: look_at_database(server), NO_DATABASE, DATABASE_EVERY_S),
            Look(lambda: look_at_storage(server), NO_STORAGE, STORAGE_EVERY_S),
        )

        self._numbers = Look(lambda: look_at_numbers(server), NO_NUMBERS, NUMBERS_EVERY_S)

    async def count(self) -> tuple[ServerNumbers, Delays] | None:
        """Return the server's numbers; None while its database is unavailable."""
        found = await self._numbers.ask()
        return None if found is NO_NUMBERS else (found["overview"], found["delays"])

    async def look(self) -> Health:
        """Return the server's health."""
        database, storage = await asyncio.gather(*(each.ask() for each in self._parts))
        words = {**database, **storage}
        is_good = {words["database"], words["storage"], words["workers"]} <= GOOD
        return Health(status="ok" if is_good else "failing", **words)


@contextmanager
def own_session(server: WebServer) -> Iterator[Session]:
    """Open a session with a connection of its own."""
    database = open_database(server.settings.database_url)
    try:
        with database.reading() as session:
            yield session
    finally:
        database.engine.dispose()


def look_at_database(server: WebServer) -> Found:
    """Return whether the database answers, and the state of the workers."""
    with own_session(server) as session:
        now = server.clock()
        n_workers = len(live_workers(session, now))
        has_waited = Submission.where("is_waiting") & (Submission.state_at < now - WORKER_SILENCE)
        waits = session.scalar(select(Submission.id).where(has_waited).limit(1)) is not None
    none = "unavailable" if waits else "idle"
    return {"database": "ok", "workers": "ok" if n_workers else none, "n_workers": n_workers}


def look_at_storage(server: WebServer) -> Found:
    """Return whether the storage takes a file."""
    try:
        try_storage(server.storage)
    except StorageFullError:
        return {"storage": "full"}
    return {"storage": "ok"}


def look_at_numbers(server: WebServer) -> Found:
    """Return how all challenges and the queue stand, and what waits longest."""
    with own_session(server) as session:
        now = server.clock()
        overview = read_server_numbers(
            session,
            server.forecasts.get(session, now),
            folder=server.settings.folder,
            folder_free_bytes=shutil.disk_usage(server.settings.folder).free,
            storage_free_bytes=free_bytes(server.storage),
        )
        return {"numbers": "ok", "overview": overview, "delays": read_delays(session, now)}
