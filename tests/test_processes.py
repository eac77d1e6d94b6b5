import errno
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from patience import PATIENCE_S
from raim import processes
from raim.errors import (
    ChallengeError,
    MissingExtraError,
    OutOfMemoryError,
    RaimError,
    UnexpectedError,
    WorkerDiedError,
)
from raim.processes import THREAD_VARIABLES, _granted_cores, available_memory, count_cores, map_processes

# Two workers that would sleep for long; they say when they are at work.
SCRIPT = """
import sys, time
from raim.processes import map_processes

def work(task):
    print("at work", flush=True)
    time.sleep(300)

if __name__ == "__main__":
    list(map_processes(work, [1, 2], 2))
"""
UNGUARDED = """
from raim.processes import map_processes
print(list(map_processes(abs, [1, 2], 2)))
"""


def work_badly(task):
    match task:
        case "dies":
            os._exit(1)
        case "runs out of memory":
            raise MemoryError
        case "fails":
            raise ValueError(task)
        case "misses a library":
            raise MissingExtraError(task)
    return task.upper()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_comes_back_with_its_result(workers):
    assert sorted(map_processes(abs, [-3, 1, -2], workers)) == [(-3, 3), (-2, 2), (1, 1)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_fails_does_not_stop_the_others(workers):
    tasks = ["a", "fails", "b", "runs out of memory", "c"]
    found = dict(map_processes(work_badly, tasks, workers))
    assert {task: found[task] for task in "abc"} == {"a": "A", "b": "B", "c": "C"}
    assert isinstance(found["fails"], UnexpectedError)
    assert isinstance(found["runs out of memory"], OutOfMemoryError)


def test_a_worker_that_dies_costs_its_own_task_only():
    tasks = ["a", "dies", "b", "c", "dies", "d"]
    found = list(map_processes(work_badly, tasks, 2))
    assert sorted(task for task, _ in found) == sorted(tasks)
    assert {task: result for task, result in found if task != "dies"} == {
        each: each.upper() for each in "abcd"
    }
    for task, result in found:
        if task == "dies":
            assert isinstance(result, WorkerDiedError)
            assert "fewer --workers" in str(result)


class TwoWordsError(Exception):
    """Cannot be unpickled: it is made of two arguments, and keeps one."""

    def __init__(self, one, two):
        super().__init__(one)
        self.two = two


class SpeechlessError(Exception):
    def __str__(self):
        raise RuntimeError


class Unsent:
    def __reduce__(self):
        raise TypeError("it stays here")


class Unread:
    def __reduce__(self):
        return int, ("no number",)


class UnsentTask(str):
    __slots__ = ()
    __reduce__ = Unsent.__reduce__


def surprise(task):
    match str(task):
        case "an error that cannot be read":
            raise TwoWordsError("one", "two")
        case "an error without a text":
            raise SpeechlessError
        case "an error that cannot be sent":
            raise ChallengeError("has problems", problems=[lambda: None])
        case "a result that cannot be sent":
            return Unsent()
        case "a result that cannot be read":
            return Unread()
        case "the end of the program":
            sys.exit(3)
        case "no end":
            return surprise(task)
    return "fine"


SURPRISES = {
    "an error that cannot be read": r"TwoWordsError: one \(nobody foresaw this, in test_processes.py line \d+",
    "an error without a text": r"SpeechlessError: \(its text cannot be read\)",
    "an error that cannot be sent": "has problems",
    "a result that cannot be sent": "TypeError: it stays here",
    "a result that cannot be read": "ValueError: invalid literal",
    "the end of the program": r"it asked the whole program to end \(exit code 3\)",
    "no end": "RecursionError",
    UnsentTask("a task that cannot be sent"): "TypeError: it stays here",
}


def test_whatever_comes_of_a_task_is_its_own_and_ends_no_worker(monkeypatch):
    monkeypatch.setattr(processes, "WorkerDiedError", None)  # none dies
    found = dict(map_processes(surprise, [*SURPRISES, "a", "b"], 2))
    for task, message in SURPRISES.items():
        error = found.pop(task)
        assert isinstance(error, UnexpectedError)
        assert re.search(message, str(error))
    assert found == {"a": "fine", "b": "fine"}


def test_a_task_that_ends_the_program_costs_itself_only_without_workers_too():
    found = dict(map_processes(surprise, ["the end of the program", "a"], 1))
    assert isinstance(found["the end of the program"], UnexpectedError)
    assert found["a"] == "fine"


@pytest.fixture
def started():
    """Give what lists the child processes that this test has started; those of a longer fixture may live on."""
    before = set(multiprocessing.active_children())
    return lambda: set(multiprocessing.active_children()) - before


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_that_concerns_all_tasks_stops_them_and_their_workers(workers, started):
    with pytest.raises(MissingExtraError):
        list(map_processes(work_badly, ["misses a library", "a", "b"], workers))
    assert not started()


def die_later(task):
    threading.Timer(0.05, os._exit, (1,)).start()
    return task


def test_a_worker_that_dies_between_tasks_costs_none():
    found = []
    for task, result in map_processes(die_later, ["a", "b", "c"], 2):
        found.append((task, result))
        time.sleep(0.15)
    assert sorted(found) == [("a", "a"), ("b", "b"), ("c", "c")]


def test_no_task_starts_no_worker_and_one_task_one_worker(monkeypatch):
    started = []
    original = ProcessPoolExecutor.submit
    monkeypatch.setattr(
        ProcessPoolExecutor, "submit", lambda pool, *work: started.append(pool) or original(pool, *work)
    )
    assert list(map_processes(abs, [], 2)) == []
    assert started == []
    assert list(map_processes(abs, [-1], 64)) == [(-1, 1)]
    assert len(started) == 1


def test_workers_end_where_the_iteration_is_left(started):
    results = map_processes(abs, [-1, -2, -3, -4], 2)
    next(results)
    assert started()
    results.close()
    assert not started()


def test_a_machine_that_starts_no_process_is_an_error_with_the_way_out(monkeypatch):
    def refuse(*_args):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", refuse)
    with pytest.raises(RaimError, match=r"Resource temporarily unavailable.*fewer --workers may do"):
        list(map_processes(abs, [1, 2], 2))


def test_a_script_without_a_guard_gets_an_error_that_names_it(tmp_path):
    (tmp_path / "script.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    # Python's own warning of what a script that failed has left behind may come last.
    said = [line for line in done.stderr.strip().splitlines() if "resource_tracker" not in line]
    assert 'if __name__ == "__main__"' in said[-1]


def test_workers_end_with_a_main_process_that_is_killed(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    with subprocess.Popen([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.kill()
        process.communicate(timeout=PATIENCE_S)  # the pipe closes when the workers have ended too


def test_cores_are_those_that_the_process_is_bound_to():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("processes cannot be bound to cores here")
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert count_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, float("inf")),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, float("inf")),
        ({"cpu.max": "nonsense"}, float("inf")),
        ({}, float("inf")),
    ],
)
def test_a_container_s_share_of_the_processor_is_read(tmp_path: Path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert _granted_cores(tmp_path) == expected


def test_memory_that_a_container_grants_bounds_what_is_available(tmp_path):
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    (tmp_path / "memory.stat").write_text("anon 300000\ninactive_file 100000\n")
    assert available_memory(tmp_path) == 700_000
    (tmp_path / "memory.max").write_text("max\n")
    unbound = available_memory(tmp_path)
    assert unbound > 1_000_000
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("5000")
    (tmp_path / "memory" / "memory.usage_in_bytes").write_text("6000")
    assert available_memory(tmp_path) == 0


def read_threads(task):
    return [os.environ.get(name) for name in THREAD_VARIABLES]


@pytest.mark.parametrize(("users", "expected"), [(None, "1"), ("3", "3")])
def test_a_worker_computes_on_one_thread_unless_the_user_says_otherwise(monkeypatch, users, expected):
    for name in THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        if users is not None:
            monkeypatch.setenv(name, users)
    assert dict(map_processes(read_threads, ["a"], 2))["a"] == [expected] * len(THREAD_VARIABLES)
    assert os.environ.get(THREAD_VARIABLES[0]) == users
