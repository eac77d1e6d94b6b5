"""How long a worker waits for what is not its submission's fault."""

import pytest

from raim.errors import StorageFullError
from raim.server.jobs import faults
from raim.server.jobs.faults import with_patience


class Failing:
    """A function, or a storage, that fails so many times and then does not."""

    def __init__(self, times, error):
        self.left, self.error, self.calls = times, error, 0

    def __call__(self, *_):
        self.calls += 1
        if self.calls <= self.left:
            raise self.error
        return "there"


@pytest.fixture
def context(world, monkeypatch):
    monkeypatch.setattr(faults, "UNAVAILABLE_PAUSE_S", 0.0)
    return world.context(patience_s=(0.0, 0.0))


def test_a_storage_that_is_unavailable_is_waited_for_however_often_it_is_asked(context, monkeypatch):
    monkeypatch.setattr(faults, "try_storage", Failing(9, ConnectionError("of its library")))
    reading = Failing(9, OSError("no answer"))
    assert with_patience(context, reading) == "there"
    assert reading.calls == 10


@pytest.mark.parametrize("times", [0, 99])
def test_a_fault_while_the_storage_answers_is_tried_again_twice(context, monkeypatch, times):
    storage = Failing(times, StorageFullError("full"))
    monkeypatch.setattr(faults, "try_storage", storage)
    reading = Failing(99, OSError("no such file"))
    with pytest.raises(OSError, match="no such file"):
        with_patience(context, reading)
    assert (reading.calls, storage.calls) == (3, 3)
