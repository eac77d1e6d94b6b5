"""A program that is run to its end or to a time limit, and never outlives its caller.

It leads a process group of its own, which ends with it: after a time limit, an error, Ctrl-C, SIGTERM, SIGHUP, and
when the program has ended itself, since what a launcher has left behind would go on for ever. What calls `setsid`
leaves the group, and lives on.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO

KEPT_BYTES = 1 << 16  # of what the program says
GRACE_S = 3.0  # between SIGTERM and SIGKILL
# A child that has left the group may hold the pipe open: nothing it says is waited for longer.
LAST_WORDS_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        code: Its exit code; negative for a signal; None where it ran out of time.
        said: The end of what it wrote to its standard error.
    """

    code: int | None
    said: str


def run_program(words: Sequence[str], *, timeout_s: float) -> Ended:
    r"""Run a program, without a shell and at most so many seconds; nothing of its process group is left.

    Raises:
        OSError: It cannot be started.

    Example:
        >>> run_program(["sh", "-c", "echo so far >&2; exit 3"], timeout_s=60)
        Ended(code=3, said='so far\n')
    """
    with (
        _hold_signals() as release_signals,
        subprocess.Popen(  # noqa: S603 - the user names the program
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process,
    ):
        tail = bytearray()
        listener = threading.Thread(target=_listen, args=(process.stderr, tail), daemon=True)
        try:
            listener.start()
            release_signals()
            code: int | None = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end_group(process)
            listener.join(LAST_WORDS_S)
            if listener.is_alive():
                process.stderr = None  # left to the listener, whom closing it would wait for
    return Ended(code=code, said=bytes(tail).decode(errors="replace"))


def _listen(stream: IO[bytes], tail: bytearray) -> None:
    """Read all that is said, so that nobody waits for a full pipe, and keep its end."""
    with stream:
        while said := stream.read1(KEPT_BYTES):  # type: ignore[attr-defined]
            tail.extend(said)
            del tail[:-KEPT_BYTES]


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the group: politely, then for certain."""
    try:
        if process.poll() is None:
            _signal_group(process, "SIGTERM")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_S)
    finally:  # a second Ctrl-C too
        _signal_group(process, "SIGKILL")


def _signal_group(process: subprocess.Popen[bytes], name: str) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, getattr(signal, name))
    else:
        process.kill()


@contextlib.contextmanager
def _hold_signals() -> Iterator[Callable[[], None]]:
    """Yield the function that lets signals through, which are held until then: no program is started and forgotten.

    From then on SIGTERM and SIGHUP end this process as Ctrl-C does, with all that is to be done before.
    """
    held: list[int] = []
    is_held = True

    def take(number: int, frame: FrameType | None) -> None:
        del frame
        if is_held:
            held.append(number)
        else:
            _leave(number)

    def release() -> None:
        nonlocal is_held
        is_held = False
        for number in held:
            _leave(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        # Whoever ignores or handles one has reasons of their own.
        numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        usual = (signal.SIG_DFL, signal.default_int_handler)
        before = {n: signal.signal(n, take) for n in numbers if signal.getsignal(n) in usual}
    try:
        yield release
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if is_held:  # it could not be started
            release()


def _leave(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
