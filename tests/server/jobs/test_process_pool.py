"""Child processes: what they give, and that whatever ends one of them ends only its task."""

import threading

import pytest

from patience import PATIENCE_S
from pool_work import double, misbehave, tell
from raim.server.jobs.process_pool import ProcessLimits, ProcessPool, WorkerStopped

LIMITS = ProcessLimits(memory_bytes=2**29, cpu_s=1, wall_s=PATIENCE_S)


@pytest.fixture(scope="module")
def pool():
    made = ProcessPool(2, LIMITS)
    yield made
    made.close()


def test_every_task_comes_back_with_its_value_and_its_reports(pool):
    heard = []
    outcomes = dict(pool.run(double, [1, 2, 3], on_report=lambda task, text: heard.append((task, text))))
    assert {task: outcome.value for task, outcome in outcomes.items()} == {1: 2, 2: 4, 3: 6}
    assert sorted(heard) == [(1, "doubling 1"), (2, "doubling 2"), (3, "doubling 3")]


def test_children_stay_for_the_next_tasks(pool):
    def pids():
        heard = set()
        list(pool.run(tell, [0.2, 0.2], on_report=lambda _task, pid: heard.add(pid)))
        return heard

    assert pids() == pids()


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("memory", "it needs more memory than it may use"),
        ("library", "it needs more memory than it may use"),
        ("crash", "ended by SIGSEGV"),
        ("exit", "ended by itself (exit code 3)"),
        ("processor", "it took more than 1 s of processor time"),
    ],
)
def test_a_child_that_misbehaves_is_reported_and_takes_nobody_with_it(pool, task, reason):
    outcomes = dict(pool.run(misbehave, [task, "well", "done"]))
    assert reason in outcomes[task].died
    assert [outcomes[each].value for each in ("well", "done")] == ["well", "done"]


def test_a_child_that_dies_before_the_next_one_is_started_is_reported_too():
    made = ProcessPool(2, LIMITS)

    def tasks():
        yield "crash"
        made._children[0].process.join(PATIENCE_S)
        yield "well"

    outcomes = dict(made.run(misbehave, tasks()))
    made.close()
    assert "ended by SIGSEGV" in outcomes["crash"].died
    assert outcomes["well"].value == "well"


def test_an_idle_child_that_died_is_replaced():
    made = ProcessPool(1, LIMITS)
    assert dict(made.run(double, [1]))[1].value == 2
    made._children[0].process.kill()
    made._children[0].process.join(PATIENCE_S)
    assert dict(made.run(double, [2]))[2].value == 4
    assert len(made._children) == 1
    made.close()


@pytest.mark.parametrize(("task", "reason"), [("fault", "ValueError: a bug"), ("no message", "pickle")])
def test_a_bug_comes_back_as_its_traceback(pool, task, reason):
    ((_, outcome),) = pool.run(misbehave, [task])
    assert not outcome.is_fine
    assert reason in outcome.fault


def test_a_task_that_takes_too_long_is_ended(pool):
    ((_, outcome),) = pool.run(misbehave, ["time"], wall_s=1.0)
    assert outcome.died == "it took too long"


def test_stopping_ends_the_children_in_their_middle():
    stop = threading.Event()
    made = ProcessPool(1, LIMITS, stop)
    with pytest.raises(WorkerStopped):
        list(made.run(tell, [60], on_report=lambda _task, _pid: stop.set()))
    assert made._children == []
