import os
import subprocess
import sys

import pytest

from raim.errors import RaimError
from raim.processes import map_processes

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


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_comes_back_with_its_result(workers):
    assert sorted(map_processes(abs, [-3, 1, -2], workers)) == [(-3, 3), (-2, 2), (1, 1)]


def test_a_killed_worker_says_what_to_do():
    with pytest.raises(RaimError, match=r"a worker process was killed.*fewer --workers"):
        list(map_processes(os._exit, [1, 1], workers=2))


def test_workers_end_with_a_main_process_that_is_killed(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    with subprocess.Popen([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.kill()
        process.communicate(timeout=60)  # the pipe closes when the workers have ended too
