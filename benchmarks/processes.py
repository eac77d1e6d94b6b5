"""Measured processes seen from outside: they are started, asked to take turns, and their memory is watched."""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from turns import ANSWER

SAMPLE_S = 0.01  # between two looks at the memory of a process and its children

# One thread in every library that would start more.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one turn took.

    Attributes:
        wall_s: Seconds on the clock.
        cpu_s: Seconds of processor time.
        peak_mb: Highest resident size so far of the process and its children together, in 10^6 bytes.
        values: What was measured.
        notes: What the process says beside it.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    values: Mapping[str, float | None] = field(default_factory=dict)
    notes: Sequence[str] = ()


class ProcessFailedError(Exception):
    """A measured process ended before it answered; the message holds the end of what it said."""


class Process:
    """A fresh process that computes when it is asked to."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed below
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=make_environment(environment),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        """End the process; it stops by itself when its input is closed."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
        self._errors.close()

    def wait_until_ready(self) -> None:
        """Wait for the end of the warm-up."""
        self._read()

    def take_turn(self) -> Turn:
        """Let it compute once.

        Raises:
            ProcessFailedError: If it ended instead.
        """
        with watch_memory(self._process.pid) as watched:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write("go\n")
                self._process.stdin.flush()
            answer = self._read()
        return Turn(**{**answer, "peak_mb": max(answer["peak_mb"], watched.peak_mb)})

    def _read(self) -> dict[str, Any]:
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                return json.loads(line.removeprefix(ANSWER))
        code = self._process.wait()
        self._errors.seek(0)
        raise ProcessFailedError(f"exit code {code}: {self._errors.read()[-1500:]}")


def run_command(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Turn:
    """Run a command to its end.

    Raises:
        ProcessFailedError: If it fails.
    """
    before, start = _children_cpu_s(), time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=make_environment(environment),
    )
    with watch_memory(process.pid) as watched:
        errors = process.communicate()[1]
    wall_s = time.perf_counter() - start
    if process.returncode:
        raise ProcessFailedError(f"{' '.join(command)}: exit code {process.returncode}: {errors[-1500:]}")
    return Turn(wall_s=wall_s, cpu_s=_children_cpu_s() - before, peak_mb=watched.peak_mb)


def make_environment(own: Mapping[str, str] | None) -> dict[str, str]:
    """Give this process's environment, with one thread, no downloads, and `own` on top."""
    return {**os.environ, **ONE_THREAD, "RAIM_OFFLINE": "1", **(own or {})}


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass(kw_only=True, slots=True)
class _Watched:
    peak_mb: float = 0.0


@contextlib.contextmanager
def watch_memory(pid: int) -> Iterator[_Watched]:
    """Look at the resident sizes of a process and its children again and again; their sum's peak comes out.

    Pages that processes share are counted for each, so the sum is an upper bound. Zero where there is no /proc.
    """
    watched, is_over = _Watched(), threading.Event()

    def look() -> None:
        while True:
            watched.peak_mb = max(watched.peak_mb, sum(map(_resident_mb, _family(pid))))
            if is_over.wait(SAMPLE_S):
                return

    thread = threading.Thread(target=look, daemon=True)
    if sys.platform == "linux":
        thread.start()
    try:
        yield watched
    finally:
        is_over.set()
        if thread.is_alive():
            thread.join()


def _family(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text(encoding="ascii").split():
                found += _family(int(child))
    return found


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):  # it has ended meanwhile
        return 0.0
    return pages * resource.getpagesize() / 1e6
