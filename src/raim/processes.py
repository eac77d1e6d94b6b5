"""Work spread over worker processes: one that fails or dies costs its own task only, all end when work is stopped."""

import concurrent.futures
import contextlib
import functools
import math
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from raim.errors import RaimError, UnexpectedError, WorkerDiedError, item_error

Task = TypeVar("Task")
Result = TypeVar("Result")
OnProgress = Callable[[int, int], None]  # how many are done, and of how many

CGROUP = Path("/sys/fs/cgroup")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def map_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[tuple[Task, Result | RaimError]]:
    """Apply a function to tasks in worker processes; a task that fails does not stop the others.

    Where the iteration is stopped, by an error or Ctrl-C, the workers are ended in the middle of what they do.

    Args:
        function: Of a module, so that processes find it; not called elsewhere unless there is one worker.
        tasks: Each is sent to a process.
        workers: Processes; with one, the work is done in this process.

    Yields:
        Tasks as they are done, each with its result or with the error that came up while it was worked on. A task
        whose process died is given one more try in a process of its own.

    Raises:
        RaimError: One that concerns all tasks (`RaimError.concerns_all`).

    Example:
        >>> list(map_processes(abs, [-1, 2], workers=1))
        [(-1, 1), (2, 2)]
        >>> [type(result).__name__ for _, result in map_processes(len, ["abc", 5], workers=1)]
        ['int', 'UnexpectedError']
    """
    if workers == 1:
        done: Generator[tuple[Task, Result | RaimError], None, None] = (
            (task, _outcome(functools.partial(function, task))) for task in tasks
        )
    else:
        done = _map_pool(function, tasks, workers)
    # Closed at once: an error that is raised here would keep it, and its workers, alive.
    with contextlib.closing(done):
        for task, result in done:
            if isinstance(result, RaimError) and result.concerns_all:
                raise result
            yield task, result


def _outcome(work: Callable[[], Result]) -> Result | RaimError:
    try:
        return work()
    except SystemExit as error:
        return UnexpectedError(f"it asked the whole program to end (exit code {error.code})")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this task's
        return item_error(error)


def _work(function: Callable[[Task], Result], task: Task) -> bytes:
    """Do a task in a worker process: a result or error that cannot be sent is an error of the task as well."""
    result = _outcome(functools.partial(function, task))
    try:
        return pickle.dumps(result)
    except Exception as error:  # noqa: BLE001 - as above
        return pickle.dumps(
            UnexpectedError(str(result)) if isinstance(result, RaimError) else item_error(error)
        )


def _receive(future: Future[bytes]) -> Any:
    return pickle.loads(future.result())  # noqa: S301 - of our own process


def _map_pool(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Generator[tuple[Task, Result | RaimError], None, None]:
    waiting = deque(tasks)
    while waiting:
        for task in (yield from _use_pool(function, waiting, workers)):
            # One of these took the whole pool with it: alone it is seen which.
            if (yield from _use_pool(function, deque([task]), 1)):
                yield (
                    task,
                    WorkerDiedError(
                        "its worker process ended in the middle of it, most likely for want of memory; what is done "
                        "is kept: run the same again with fewer --workers"
                    ),
                )


def _use_pool(
    function: Callable[[Task], Result], waiting: deque[Task], workers: int
) -> Generator[tuple[Task, Result | RaimError], None, list[Task]]:
    """Work on what waits until nothing does or a process dies; return the tasks that were begun then."""
    context = multiprocessing.get_context("spawn")  # no threads or locks are inherited
    started = context.Value("b", False)
    running: dict[Future[bytes], Task] = {}
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(started,)) as pool:
        try:
            while waiting or running:
                # One more than there are workers, so that none waits.
                while waiting and len(running) <= workers:
                    running[pool.submit(_work, function, waiting[0])] = waiting[0]
                    waiting.popleft()
                done = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done
                whole = [future for future in done if not isinstance(future.exception(), BrokenProcessPool)]
                for future in whole:
                    yield running.pop(future), _outcome(functools.partial(_receive, future))
                if len(whole) < len(done):
                    break
        except BrokenProcessPool:
            pass  # raised by submit: what is running is what was begun
        except OSError as error:  # as well
            raise RaimError(
                f"no worker process could be started ({error}); fewer --workers may do"
            ) from error
        finally:
            _stop(pool)
    if running and not started.value:
        raise RaimError(
            "no worker process could be started: a script that asks for more than one must do so below "
            '`if __name__ == "__main__":`; else memory is short, and one worker may do'
        )
    return list(running.values())


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers at once: what they have not finished is done by the next run."""
    for process in list((pool._processes or {}).values()):  # noqa: SLF001 - Python 3.14 has terminate_workers()
        with contextlib.suppress(OSError, ValueError):
            process.terminate()
    # The pool's own thread takes leave of the workers; two that wait for one process at once would both miss its end.
    pool.shutdown(cancel_futures=True)


def _start(started: Any) -> None:
    start_worker()
    started.value = True


def start_worker() -> None:
    """Leave Ctrl-C to the main process, and end with it: the workers of one that was killed would wait for ever.

    Processes share the cores among themselves: what is loaded from now on takes one, unless the user says otherwise.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
    main = multiprocessing.parent_process()
    if main is not None:
        threading.Thread(target=_end_with, args=(main,), daemon=True).start()


def _end_with(main: Any) -> None:
    main.join()
    os._exit(1)


def count_cores() -> int:
    """Count the cores that this process may use: those it is bound to, and no more than a container grants.

    Example:
        >>> 1 <= count_cores() <= os.cpu_count()
        True
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    granted = _granted_cores()
    return max(1, bound if granted >= bound else math.ceil(granted))


def _granted_cores(root: Path = CGROUP) -> float:
    """Return the processor time that the process's control groups grant, in cores; infinite where none limits it.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst, cpu.max; scheduler/sched-bwc.rst for version 1.
    """
    limits = [_read_limit(folder / "cpu.max") for folder in _own_groups(root)]
    limits.append(_read_limit(root / "cpu" / "cpu.cfs_quota_us", root / "cpu" / "cpu.cfs_period_us"))
    return min(limits)


def available_memory(root: Path = CGROUP) -> float:
    """Return the bytes that can be taken without swapping: what is free here, and what a container grants.

    Infinite where neither is known.

    Source: Linux, Documentation/filesystems/proc.rst, MemAvailable; admin-guide/cgroup-v2.rst, memory.max.

    Example:
        >>> available_memory() > 0
        True
    """
    free = _read_numbers(Path("/proc/meminfo")).get("MemAvailable:", math.inf) * 1024
    for folder in _own_groups(root):
        limit, used = (_read_number(folder / name) for name in ("memory.max", "memory.current"))
        # Pages of files count as used, and are given up when others are asked for.
        free = min(free, limit - used + _read_numbers(folder / "memory.stat").get("inactive_file", 0))
    limit, used = (_read_number(root / "memory" / f"memory.{name}_in_bytes") for name in ("limit", "usage"))
    return max(0.0, min(free, limit - used))


def _own_groups(root: Path) -> list[Path]:
    """List the folders of the process's control group and of those around it, of version 2."""
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        own = []
    paths = {line.split(":", 2)[1]: line.split(":", 2)[2].lstrip("/") for line in own if line.count(":") >= 2}
    group = root / paths.get("", "")
    return [folder for folder in (group, *group.parents) if folder.is_relative_to(root)]


def _read_limit(*files: Path) -> float:
    """Read a quota and its period, from one file or from two."""
    try:
        quota, period = " ".join(file.read_text(encoding="ascii") for file in files).split()
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf  # no such file, or "max"


def _read_number(file: Path) -> float:
    """Read a number of bytes; infinite for a limit that is none, 0 for a use that is unknown."""
    try:
        text = file.read_text(encoding="ascii").strip()
        return math.inf if text == "max" else float(text)
    except (OSError, ValueError):
        return 0.0 if "current" in file.name or "usage" in file.name else math.inf


def _read_numbers(file: Path) -> dict[str, float]:
    """Read lines of a name and a number."""
    try:
        lines = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError):
        return {}
    return {words[0]: float(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}
