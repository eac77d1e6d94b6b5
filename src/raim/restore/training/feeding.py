"""Batches for the loop, made ahead of it: in the training process, or in processes of their own."""

import concurrent.futures
import concurrent.futures.process
import contextlib
import dataclasses
import itertools
import multiprocessing
from collections import deque
from collections.abc import Iterator

from raim.errors import TrainingError
from raim.processes import start_worker
from raim.restore.training.patches import Patches, PatchPair
from raim.restore.training.sources import ImageCache

AHEAD = 4  # batches that each loading process may be ahead
_patches: Patches | None = None  # of a loading process


@contextlib.contextmanager
def feed(patches: Patches, steps: range, places: range, loaders: int) -> Iterator[Iterator[PatchPair]]:
    """Give the batches of all steps in their order.

    Args:
        patches: What they are drawn from.
        steps: Of the training.
        places: In the batch, of this device.
        loaders: Processes; 0: this one does it, a batch at a time.

    Raises:
        InputError, ImageError: A file cannot be used.
        TrainingError: A loading process could not be started, or was killed.
    """
    if loaders == 0:
        yield (patches.draw_batch(step, places) for step in steps)
        return
    context = multiprocessing.get_context("spawn")  # no threads or locks are inherited
    patches = dataclasses.replace(patches, cache=ImageCache(most_bytes=patches.cache.most_bytes))
    with concurrent.futures.ProcessPoolExecutor(loaders, context, _start, (patches,)) as pool:
        try:
            yield _take_in_order(pool, steps, places, loaders * AHEAD)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _start(patches: Patches) -> None:
    global _patches  # noqa: PLW0603 - a process has no other place for what it is started with
    start_worker()
    _patches = patches


def _draw(step: int, places: range) -> PatchPair:
    if _patches is None:
        raise TrainingError("this loading process was not started with patches")
    return _patches.draw_batch(step, places)


def _take_in_order(
    pool: concurrent.futures.ProcessPoolExecutor, steps: range, places: range, ahead: int
) -> Iterator[PatchPair]:
    waiting: deque[concurrent.futures.Future[PatchPair]] = deque()
    has_begun = False
    try:
        for step in itertools.chain(steps, [None] * ahead):
            if step is not None:
                waiting.append(pool.submit(_draw, step, places))
            if waiting and (step is None or len(waiting) > ahead):
                batch = waiting.popleft().result()
                has_begun = True
                yield batch
    except concurrent.futures.process.BrokenProcessPool as error:
        if not has_begun:
            raise TrainingError(
                "no process that makes patches could be started: a script that trains with schedule.loaders must do so "
                'below `if __name__ == "__main__":`; else memory is short, and fewer schedule.loaders may do'
            ) from error
        raise TrainingError(
            "a process that makes patches was killed, most likely for want of memory; the same command with fewer "
            "schedule.loaders goes on from the last checkpoint"
        ) from error
