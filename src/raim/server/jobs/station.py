"""What the jobs of one worker process share."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from raim.server.database import Database
from raim.server.jobs.crew import Crew, WorkerStopped
from raim.server.jobs.heartbeats import SILENCE
from raim.server.jobs.limits import Limits
from raim.server.storage import Storage

# Waits between tries after a fault of ours, in seconds.
PATIENCE_S = (1.0, 5.0, 25.0)


@dataclass(kw_only=True, slots=True)
class Station:
    """One worker's means, and what it has in hand.

    Attributes:
        name: Of the worker.
        database: Opened.
        storage: Opened.
        folder: The server's folder, or one for this worker alone; files of work lie in its `work`.
        clock: Gives the time, aware.
        limits: On child processes.
        processes: Child processes that score at once.
        silence: After which a worker is taken for dead; also how long a lease lasts.
        patience_s: Waits between tries after a fault of ours.
        stop: Set when the worker is to end.
        holding: Submissions that it works on, whose leases it renews.
        doing: What it does, in words, by kind of job.
        seconds_per_image: Pace of its scoring, as last measured.
    """

    name: str
    database: Database
    storage: Storage
    folder: Path
    clock: Callable[[], datetime]
    limits: Limits = field(default_factory=Limits)
    processes: int = 1
    silence: timedelta = SILENCE
    patience_s: tuple[float, ...] = PATIENCE_S
    stop: threading.Event = field(default_factory=threading.Event)
    holding: set[int] = field(default_factory=set)
    doing: dict[str, str] = field(default_factory=dict)
    seconds_per_image: float | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)
    _crew: Crew | None = None

    @property
    def work(self) -> Path:
        """Where files of work lie; all of them can be made again."""
        return self.folder / "work"

    @property
    def cache(self) -> Path:
        """The file of known values."""
        return self.work / "scores.sqlite"

    @property
    def crew(self) -> Crew:
        """The children that score."""
        if self._crew is None:
            self._crew = Crew(self.processes, self.limits.score, self.stop)
        return self._crew

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
        """Wait.

        Raises:
            WorkerStopped: The worker is to end.
        """
        if self.stop.wait(seconds):
            raise WorkerStopped

    def rest_crew(self, idle_s: float) -> None:
        """End children that have had nothing to do for a while, for their memory."""
        crew = self._crew
        if crew is None or time.monotonic() - crew.used_at < idle_s:
            return
        if self.turn.acquire(blocking=False):
            try:
                crew.close()
            finally:
                self.turn.release()

    def close(self) -> None:
        """End all children that score."""
        if self._crew is not None:
            self._crew.close()
