"""A pool of child processes that open what teams have sent; whatever one of them does, the worker goes on.

Each child has one task at a time, so that when it dies it is known over which. Children have limits, the lowest
priority; they end with the worker, also when it is killed.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from raim.errors import OutOfMemoryError, item_error
from raim.processes import start_worker
from raim.server.jobs.limits import ProcessLimits, apply_limits

Report = Callable[[Any], None]
Work = Callable[[Any, Report], Any]

POLL_S = 0.5
CONTEXT = multiprocessing.get_context("spawn")  # no threads, locks or connections are inherited


class WorkerStopped(BaseException):
    """The worker is to end: what is under way is left as a kill would leave it, to be taken up again.

    It is no `Exception`, so that no handler of faults takes it for one.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a task.

    Attributes:
        value: What it gave.
        died: How its process ended, if it ended over it.
        fault: The traceback of an exception, if it raised one.
    """

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
    """Up to `size` child processes; they are started when there is work, and stay until `close`.

    Used by one thread at a time.
    """

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
    ) -> Iterator[tuple[Any, Outcome]]:
        """Give each task with its outcome, as they are done.

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
                self._check_stop()
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
                    yield task, _outcome(kind, value)
                    self._fill(waiting, work, seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End all children, in the middle of what they do."""
        for child in self._children:
            _end(child)
        self._children.clear()

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise WorkerStopped

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
        """Wait for those that have something to say, have died or are late."""
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


def _outcome(kind: str, value: Any) -> Outcome:
    if kind == "done":
        return Outcome(value=value)
    return Outcome(died=value) if kind == "died" else Outcome(fault=value)


def _how_it_died(code: int | None, limits: ProcessLimits) -> str:
    if code is None or code >= 0:
        return f"its process ended by itself (exit code {code})"
    number = -code
    if number == getattr(signal, "SIGXCPU", None) or (number == signal.SIGKILL and limits.cpu_s is not None):
        return f"it took more than {limits.cpu_s} s of processor time, or was killed for want of memory"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = str(number)
    return f"its process was ended by {name}, most likely for want of memory"


def _serve(pipe: Any, limits: ProcessLimits) -> None:
    """Do one task after another, in a child."""
    start_worker()
    apply_limits(limits)
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
        return "done", work(task, lambda message: pipe.send(("report", message)))
    except Exception as error:  # noqa: BLE001 - a bug, told by its traceback, or memory that ran out
        if isinstance(item_error(error), OutOfMemoryError):
            return "died", "it needs more memory than it may use"
        return "fault", traceback.format_exc()
