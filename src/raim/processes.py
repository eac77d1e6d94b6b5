"""Work spread over worker processes that end at once when the work is stopped."""

import concurrent.futures
import concurrent.futures.process
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from raim.errors import RaimError

Task = TypeVar("Task")
Result = TypeVar("Result")


def map_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[tuple[Task, Result]]:
    """Apply a function to tasks in worker processes.

    Where the iteration is stopped, by an error or Ctrl-C, the workers are ended in the middle of what they do.

    Args:
        function: Of a module, so that processes find it; not called elsewhere unless there is one worker.
        tasks: Each is sent to a process.
        workers: Processes; with one, the work is done in this process.

    Yields:
        Tasks with their results, as they are done.

    Raises:
        RaimError: A process was killed from outside.

    Example:
        >>> list(map_processes(abs, [-1, 2], workers=1))
        [(-1, 1), (2, 2)]
    """
    if workers == 1:
        for task in tasks:
            yield task, function(task)
        return
    context = multiprocessing.get_context("spawn")  # no threads or locks are inherited
    with concurrent.futures.ProcessPoolExecutor(workers, context, initializer=start_worker) as pool:
        futures = {pool.submit(function, task): task for task in tasks}
        try:
            for future in concurrent.futures.as_completed(futures):
                yield futures[future], _take(future)
        finally:
            _stop(pool)


def _take(future: "concurrent.futures.Future[Result]") -> Result:
    try:
        return future.result()
    except concurrent.futures.process.BrokenProcessPool as error:
        raise RaimError(
            "a worker process was killed, most likely for want of memory; what is done is kept: "
            "run the same again with fewer --workers"
        ) from error


def _stop(pool: concurrent.futures.ProcessPoolExecutor) -> None:
    """End the workers at once: what they have not finished is done by the next run."""
    processes = list((pool._processes or {}).values())  # noqa: SLF001 - Python 3.14 has terminate_workers()
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with contextlib.suppress(OSError, ValueError):
            process.terminate()
            process.join()


def start_worker() -> None:
    """Leave Ctrl-C to the main process, and end with it: the workers of one that was killed would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main = multiprocessing.parent_process()
    if main is not None:
        threading.Thread(target=_end_with, args=(main,), daemon=True).start()


def _end_with(main: Any) -> None:
    main.join()
    os._exit(1)
