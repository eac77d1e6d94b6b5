import errno
import subprocess
import sys
import threading
import time

from raim.weights.lock import exclusive, hold_if_free

CHILD = """
import sys, time
from pathlib import Path
from raim.weights.lock import exclusive
lock, log = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(5):
    with exclusive(lock):
        with log.open("a") as stream:
            stream.write("in\\n"); stream.flush(); time.sleep(0.01); stream.write("out\\n")
"""


def test_processes_are_in_one_at_a_time(tmp_path):
    command = [sys.executable, "-c", CHILD, str(tmp_path / "sub" / "lock"), str(tmp_path / "log")]
    children = [subprocess.Popen(command) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert (tmp_path / "log").read_text().split() == ["in", "out"] * 15


def test_threads_are_in_one_at_a_time(tmp_path):
    inside, most = 0, 0

    def enter():
        nonlocal inside, most
        with exclusive(tmp_path / "lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.01)
            inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_lock_is_held_only_if_it_is_free(tmp_path):
    with hold_if_free(tmp_path / "lock") as first, hold_if_free(tmp_path / "lock") as second:
        assert (first, second) == (True, False)
    with hold_if_free(tmp_path / "lock") as third:
        assert third


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def fail(_stream):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("raim.weights.lock._acquire", fail)
    with hold_if_free(tmp_path / "lock") as is_free:
        assert is_free


def test_a_killed_holder_leaves_no_lock(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from raim.weights.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n    print('in', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        holder.kill()
        with exclusive(tmp_path / "lock"):
            pass
