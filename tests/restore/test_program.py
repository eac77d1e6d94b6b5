import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from raim.errors import InputError
from raim.restore import restore, restorer_from_command
from raim.restore.program import KEPT_BYTES, run_program

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
# A launcher whose child is the real program, as conda run, uv run and shell scripts are; the child says its number.
LAUNCHER = "sleep 600 & echo $! > {file}; wait"


def is_alive(pid):
    """Look whether a process is there and no zombie that nobody has reaped."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(claim):
    while not claim():
        time.sleep(0.01)
    return True


def read_pid(file):
    wait_until(lambda: file.exists() and file.read_text().strip())
    return int(file.read_text())


def test_a_time_limit_ends_what_the_program_has_started_too(tmp_path):
    ended = run_program(["sh", "-c", LAUNCHER.format(file=tmp_path / "pid")], timeout_s=0.5)
    assert ended.code is None
    assert wait_until(lambda: not is_alive(read_pid(tmp_path / "pid")))


def test_a_program_that_ignores_sigterm_is_ended_all_the_same(monkeypatch):
    monkeypatch.setattr("raim.restore.program.GRACE_S", 0.1)
    assert run_program(["sh", "-c", "trap '' TERM; sleep 600 & wait; wait"], timeout_s=0.3).code is None


def test_what_a_program_leaves_behind_neither_hangs_raim_nor_goes_on(tmp_path):
    leaves = f"sleep 600 & echo $! > {tmp_path / 'pid'}; echo done >&2"  # the child holds the pipe
    ended = run_program(["sh", "-c", leaves], timeout_s=600)
    assert (ended.code, ended.said) == (0, "done\n")
    assert wait_until(lambda: not is_alive(read_pid(tmp_path / "pid")))


def test_a_child_that_left_the_group_and_holds_the_pipe_does_not_hang_raim(tmp_path, monkeypatch):
    monkeypatch.setattr("raim.restore.program.LAST_WORDS_S", 0.1)
    file = tmp_path / "pid"
    leaves = f"setsid sh -c 'echo $$ > {file}; exec sleep 600' & while [ ! -s {file} ]; do :; done"
    assert run_program(["sh", "-c", leaves], timeout_s=600).code == 0
    os.kill(read_pid(file), signal.SIGKILL)


def test_a_program_that_says_much_is_not_kept_in_memory():
    talk = "import sys\nfor _ in range(400): sys.stderr.write('x' * 65536)\nsys.stderr.write('the end')"
    said = run_program([sys.executable, "-c", talk], timeout_s=600).said
    assert len(said) == KEPT_BYTES
    assert said.endswith("xthe end")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_to_raim_ends_the_program_and_its_children(tmp_path, name):
    code = (
        "from raim.restore.program import run_program\n"
        f"run_program(['sh', '-c', {LAUNCHER.format(file=tmp_path / 'pid')!r}], timeout_s=600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as running:
        pid = read_pid(tmp_path / "pid")
        running.send_signal(getattr(signal, name))
        assert running.wait() == {"SIGINT": -signal.SIGINT, "SIGTERM": 143, "SIGHUP": 129}[name]
    assert wait_until(lambda: not is_alive(pid))


WRITERS = {
    "garbage": ("head -c 99 /dev/zero > $2", "what sh wrote cannot be used"),
    "nothing": ("true", "exit code 0 and no result: it said nothing"),
    "an-empty-file": (": > $2", "what sh wrote cannot be used"),
    "a-folder": ("mkdir $2", "no result"),
    "its-input-and-fails": ("cp $1 $2; echo much too dark >&2; exit 4", "exit code 4: much too dark"),
    "coloured": ('printf "\\033[31mred" >&2; exit 4', r"no result: \\x1b\[31mred"),
    "killed": ("kill -9 $$", "exit code -9 and no result"),
    "slow": ("sleep 600", "ended after 0.3 seconds; raise --timeout"),
}


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_a_program_that_gives_no_picture_is_refused_by_its_name(kind):
    script, message = WRITERS[kind]
    line = f"sh -c '{script}' x {{input}} {{output}}"
    with pytest.raises(InputError, match=message):
        restore(IMAGE, restorer_from_command(line, timeout_s=0.3 if kind == "slow" else 600))


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((9, 12, 3), np.uint8), "gave 12x9 for 12x8; expected the same size"),
        (np.zeros((4, 6, 3), np.uint8), "what sh wrote cannot be used: the image is 6x4"),
        (np.zeros((8, 12, 4), np.uint8), "what sh wrote cannot be used: .*alpha"),
    ],
    ids=["size", "tiny", "alpha"],
)
def test_a_program_that_gives_another_picture_is_refused(tmp_path, pixels, message):
    from PIL import Image

    Image.fromarray(pixels).save(tmp_path / "wrong.png")
    with pytest.raises(InputError, match=message):
        restore(
            IMAGE, restorer_from_command(f"sh -c 'cp {tmp_path / 'wrong.png'} $2' x {{input}} {{output}}")
        )


def test_a_program_that_copies_gives_every_bit_back():
    np.testing.assert_array_equal(restore(IMAGE, restorer_from_command("cp {input} {output}")).pixels, IMAGE)
