"""A pool of child processes that open what teams have sent; whatever one of them does, the worker goes on.

Each child has one task at a time, so that when it dies it is known over which. Children have limits, the lowest
priority; they end with the worker, also when it is killed.
"""

import contextlib
import math
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from raim.errors import OutOfMemoryError, WorkerDiedError, item_error
from raim.processes import start_worker
from raim.server.settings import Settings

Report = Callable[[Any], None]
Work = Callable[[Any, Report], Any]

POLL_S = 0.5
CONTEXT = multiprocessing.get_context("spawn")  # no threads, locks or connections are inherited
GIBIBYTE = 2**30
LOWEST_PRIORITY = 19
TRIES = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessLimits:
    """Limits on one process.

    Attributes:
        memory_bytes: Of its own data (what it allocates); shared libraries are not counted.
        cpu_s: Processor seconds in all from now on; None for a process that is used again and again.
        wall_s: Seconds for one task.
    """

    memory_bytes: int
    cpu_s: int | None = None
    wall_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskLimits:
    """Limits on the work for one submission.

    Attributes:
        check: On the process that checks an archive; an image of 120 megapixels of 16 bits takes 1.5 GB.
        score: On each process that scores, for one photograph and one candidate; `wall_s` grows with the
            candidates. Its first task compiles, so it is not short.
    """

    check: ProcessLimits = ProcessLimits(memory_bytes=4 * GIBIBYTE, cpu_s=3600, wall_s=3600)
    score: ProcessLimits = ProcessLimits(memory_bytes=8 * GIBIBYTE, wall_s=300)

    @classmethod
    def of(cls, settings: Settings) -> "TaskLimits":
        """Take the memory from the settings."""
        return cls(
            check=replace(cls().check, memory_bytes=settings.check_memory_bytes),
            score=replace(cls().score, memory_bytes=settings.score_memory_bytes),
        )


class WorkerStopped(BaseException):
    """The worker is to end: what is under way is left as a kill would leave it, to be resumed.

    Every job may raise it. It is no `Exception`, so that no handler of faults takes it for one.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskOutcome:
    """The outcome of a task: what it returned, how its process died over it, or the traceback of what it raised."""

    value: Any = None
    died: str | None = None
    fault: str | None = None

    @property
    def is_fine(self) -> bool:
        """Whether it gave a value."""
        return self.died is None and self.fault is None


@dataclass(slots=True, eq=False)
class _Child:
    """One process, and what it does."""

    process: Any
    pipe: Any
    task: Any = None
    deadline: float = 0.0


@dataclass(slots=True)
class ProcessPool:
    """Up to `size` child processes, started when there is work, which stay until `close`; for one thread at a time."""

    size: int
    limits: ProcessLimits
    stop: threading.Event = field(default_factory=threading.Event)
    _children: list[_Child] = field(default_factory=list)
    used_at: float = 0.0

    def run(
        self,
        work: Work,
        tasks: Iterable[Any],
        *,
        wall_s: float | None = None,
        on_report: Callable[[Any, Any], None] = lambda _task, _message: None,
    ) -> Iterator[tuple[Any, TaskOutcome]]:
        """Yield each task with its outcome, as they are done.

        Args:
            work: Function of a module; it is called in a child with a task and a function that reports.
            tasks: Taken one by one as children become free; each is sent to a child.
            wall_s: Seconds for one task; None for the pool's limit.
            on_report: Called here with a task and what its work reported.

        Raises:
            WorkerStopped: The worker is to end; the children are ended.
        """
        waiting = iter(tasks)
        seconds = wall_s or self.limits.wall_s
        try:
            self._fill(waiting, work, seconds)
            while busy := [child for child in self._children if child.task is not None]:
                for child in self._ready(busy):
                    message = self._receive(child)
                    if message is None:
                        continue
                    kind, value = message
                    if kind == "report":
                        on_report(child.task, value)
                        continue
                    task, child.task = child.task, None
                    self.used_at = time.monotonic()
                    yield task, TaskOutcome(**{kind: value})
                    self._fill(waiting, work, seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all children, in the middle of what they do."""
        for child in self._children:
            _end(child)
        self._children.clear()

    def _fill(self, waiting: Iterator[Any], work: Work, seconds: float) -> None:
        while len([child for child in self._children if child.task is not None]) < self.size:
            task = next(waiting, None)
            if task is None:
                return
            child = self._free_child()
            child.task, child.deadline = task, time.monotonic() + seconds
            with contextlib.suppress(OSError):  # it died just now: `_receive` finds that out
                child.pipe.send((work, task))

    def _free_child(self) -> _Child:
        for child in [child for child in self._children if child.task is None]:
            if child.process.is_alive():
                return child
            # Only an idle one: over which task a busy one died is for `_receive` to tell.
            self._children.remove(child)
            _end(child)
        child = _start(self.limits)
        self._children.append(child)
        return child

    def _ready(self, busy: list[_Child]) -> list[_Child]:
        """Wait for those that have something to say, have died or are late, unless the worker is to end."""
        if self.stop.is_set():
            raise WorkerStopped
        found = multiprocessing.connection.wait([child.pipe for child in busy], timeout=POLL_S)
        now = time.monotonic()
        return [child for child in busy if child.pipe in found or now > child.deadline]

    def _receive(self, child: _Child) -> tuple[str, Any] | None:
        try:
            if child.pipe.poll():
                message: tuple[str, Any] = child.pipe.recv()
                return message
        except (EOFError, OSError):
            child.process.join(POLL_S * 10)
            reason = _how_it_died(child.process.exitcode, self.limits)
        else:
            if time.monotonic() <= child.deadline:
                return None
            reason = "it took too long"
        _end(child)
        self._children.remove(child)
        return "died", reason


def run_alone(
    work: Work,
    task: Any,
    limits: ProcessLimits,
    stop: threading.Event,
    on_report: Callable[[Any, Any], None] = lambda _task, _message: None,
) -> TaskOutcome:
    """Do one task in a process of its own; it may be killed once for reasons that are not the task's."""
    with contextlib.closing(ProcessPool(1, limits, stop)) as pool:
        for _ in range(TRIES):
            ((_, outcome),) = pool.run(work, [task], on_report=on_report)
            if outcome.is_fine:
                break
    return outcome


def _start(limits: ProcessLimits) -> _Child:
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_serve, args=(theirs, limits), daemon=True)
    process.start()
    theirs.close()
    return _Child(process=process, pipe=ours)


def _end(child: _Child) -> None:
    child.process.kill()
    child.process.join()
    child.pipe.close()
    child.process.close()


def _how_it_died(code: int | None, limits: ProcessLimits) -> str:
    if code is None or code >= 0:
        return f"its process ended by itself (exit code {code})"
    number = -code
    if number == getattr(signal, "SIGXCPU", None) or (number == signal.SIGKILL and limits.cpu_s is not None):
        return f"it took more than {limits.cpu_s} s of processor time, or was killed for want of memory"
    named = {each.value: each.name for each in signal.Signals}
    return f"its process was ended by {named.get(number, number)}, most likely for want of memory"


def lower_priority() -> None:
    """Let every other process go first."""
    with contextlib.suppress(OSError, AttributeError):  # Windows has no niceness
        os.nice(LOWEST_PRIORITY)


def _apply_limits(limits: ProcessLimits) -> None:
    """Limit this process for good."""
    lower_priority()
    if sys.platform == "win32":  # has no such limits
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.cpu_s is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = math.ceil(used.ru_utime + used.ru_stime) + limits.cpu_s
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))


def _serve(pipe: Any, limits: ProcessLimits) -> None:
    """Do one task after another, in a child."""
    start_worker()
    _apply_limits(limits)
    while True:
        try:
            work, task = pipe.recv()
        except (EOFError, OSError):
            return
        answer = _do(work, task, pipe)
        try:
            pipe.send(answer)
        except (pickle.PicklingError, TypeError, AttributeError):  # what it gave cannot be sent: nothing was
            pipe.send(("fault", traceback.format_exc()))


def _do(work: Work, task: Any, pipe: Any) -> tuple[str, Any]:
    try:
        return "value", work(task, lambda message: pipe.send(("report", message)))
    except Exception as error:  # noqa: BLE001 - a bug, reported with its traceback, or memory that ran out
        if isinstance(item_error(error), OutOfMemoryError):
            return "died", "it needs more memory than it may use"
        if isinstance(error, WorkerDiedError):  # of the decoder
            return "died", str(error)
        return "fault", traceback.format_exc()
