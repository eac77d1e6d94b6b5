import inspect
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

pytest.importorskip("lightning_fabric", reason="the extra `train` is not installed")

from raim.errors import TrainingError
from raim.restore.training import feeding
from raim.restore.training.patches import PatchPair


class Pool:
    """Makes batches that say their step, up to one at which its process is killed."""

    def __init__(self, broken_at):
        self.broken_at = broken_at

    def submit(self, _function, step, _places):
        future = Future()
        if step == self.broken_at:
            future.set_exception(BrokenProcessPool())
        else:
            patches = np.full((1, 3, 2, 2), step, np.float32)
            future.set_result(PatchPair(degraded=patches, reference=patches))
        return future


def take(broken_at, ahead):
    """Give the steps of the batches that come out of a pool that is broken at a step."""
    batches = inspect.unwrap(feeding._take_in_order)(Pool(broken_at), range(3, 9), range(1), ahead)
    return [int(batch.degraded[0, 0, 0, 0]) for batch in batches]


@pytest.mark.parametrize("ahead", [1, 4, 40])
def test_batches_come_in_the_order_of_their_steps(ahead):
    assert take(None, ahead) == list(range(3, 9))


def test_processes_that_never_start_are_told_apart_from_one_that_is_killed():
    with pytest.raises(TrainingError, match=r"could be started: a script .* below `if __name__"):
        take(3, 2)
    with pytest.raises(TrainingError, match="was killed, most likely for want of memory"):
        take(6, 2)
