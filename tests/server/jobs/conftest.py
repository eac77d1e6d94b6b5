"""The example challenge in each kind of database, and one child process that scores for all tests."""

from datetime import date

import numpy as np
import pytest

from jobs_world import make_world
from raim.challenge.example import write_example
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.process_pool import ProcessPool, TaskLimits


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """Write the example challenge."""
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, first_day=date(2026, 3, 1), rng=np.random.default_rng(7))
    return folder


@pytest.fixture(scope="session")
def pool():
    """Keep one child that scores for all tests: its start takes seconds."""
    made = ProcessPool(1, TaskLimits().score)
    yield made
    made.close()


@pytest.fixture
def known_values(tmp_path_factory, monkeypatch):
    """Share known values between tests, so that the same images are measured once."""
    path = tmp_path_factory.getbasetemp() / "known values" / "scores.sqlite"
    monkeypatch.setattr(WorkerContext, "cache", property(lambda _: path))


@pytest.fixture
def own_values(known_values, tmp_path, monkeypatch):
    """Measure everything in this test."""
    monkeypatch.setattr(WorkerContext, "cache", property(lambda _: tmp_path / "own.sqlite"))


@pytest.fixture
def world(database, example, tmp_path, known_values):
    """Bring the example into an empty database, with three teams."""
    return make_world(database, example, tmp_path)
