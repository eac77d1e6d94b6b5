"""The reconciling tick: it compares the submissions' rows with the jobs, and makes good what is missing.

Whatever was lost (a job that was never made, since the web process died; a worker that was killed; the engine's
tables), the next ticks bring every submission on its way again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from raim.server.database.engine import take_turn
from raim.server.jobs.context import WorkerContext, gone_workers
from raim.server.jobs.due import Job, begin_anew, find_lost, put_back_lost, read_due
from raim.server.jobs.faults import Throttle

RESUMING_LOCK = 7_246_101  # of PostgreSQL; see raim.server.database.engine
LOOK_AGAIN_S = 5.0


@runtime_checkable
class JobEngine(Protocol):
    """What a tick needs of the engine; see `raim.server.jobs.workflows.Engine`."""

    def enqueue(self, job: Job) -> None:
        """Make a job, once."""

    def find_ended(self, ids: Iterable[str]) -> set[str]:
        """Give those jobs that have ended."""

    def find_left(self, workers: Iterable[str]) -> Sequence[tuple[str, str | None]]:
        """Give the jobs that workers have left in their middle."""

    def resume(self, workers: Iterable[str]) -> None:
        """Let those go on elsewhere."""


@dataclass(slots=True)
class Reconciler:
    """One worker's ticks.

    Attributes:
        context: Whose.
        engine: Launched.
        made: Jobs that this worker has made or seen, which are due for as long as they wait.
    """

    context: WorkerContext
    engine: JobEngine
    made: set[str] = field(default_factory=set)
    _look_again: Throttle = field(default_factory=lambda: Throttle(LOOK_AGAIN_S))

    def tick(self) -> None:
        """Compare once."""
        now, silence = self.context.clock(), self.context.silence
        with self.context.database.reading() as session:
            due = {job.id: job for job in read_due(session)}
            gone = set(gone_workers(session, now, silence=silence)) - {self.context.name}
        self.made &= due.keys()
        for key, job in due.items():
            if key not in self.made:
                self.engine.enqueue(job)
                self.made.add(key)
        if self._look_again.is_open():
            self._resume(gone)
            self._look_after(due)

    def _resume(self, gone: set[str]) -> None:
        """Take over from workers that are gone; one survivor at a time, or two would do the same work."""
        if not self.engine.find_left(gone):
            return
        with self.context.database.writing() as session:
            take_turn(session, RESUMING_LOCK)
            self.engine.resume(gone)

    def _look_after(self, due: dict[str, Job]) -> None:
        now = self.context.clock()
        ended = self.engine.find_ended(due)
        with self.context.database.reading() as session:
            if not ended and not find_lost(session, now, silence=self.context.silence):
                return
        with self.context.database.writing() as session:
            put_back_lost(session, now, silence=self.context.silence)
            begin_anew(session, now, [due[key] for key in sorted(ended)])
