"""What a process gives up for good before it touches hostile bytes: the network, all files, most of the kernel.

Linux only, by system calls, without a helper program and without rights of root: a network namespace with nothing in
it, Landlock with no rule (no file, folder or signal beyond the process), and a seccomp filter for what neither holds
back, such as sockets in the file system. What a machine does not have is left out and reported (`probe`).

Source: Linux, Documentation/userspace-api/landlock.rst and seccomp_filter.rst; man unshare(2); the numbers of calls are
those of arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

import ctypes
import json
import os
import platform
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SIGKILL = 9
CLONE_THREAD, CLONE_NEWUSER, CLONE_NEWNET = 0x00010000, 0x10000000, 0x40000000
# Landlock. Rights on files by the version of its interface that brought them; of the network; scopes.
CREATE_RULESET, RESTRICT_SELF = 444, 446
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
# seccomp: instructions of classic BPF, offsets in seccomp_data, answers.
LOAD, EQUAL, AT_LEAST, HAS_BITS, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, REFUSE, NOT_THERE = 0x7FFF0000, 0x00050000 | 1, 0x00050000 | 38  # EPERM, ENOSYS
FILTER_MODE, X32 = 2, 0x40000000
# By machine: its audit number, clone, clone3, and what is refused: the network, other processes, other programs, what
# undoes `end_with_parent`, the kernel's other doors (namespaces, keys, shared memory, BPF, io_uring, files by handle).
CALLS: Mapping[str, tuple[int, int, int, tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E, 56, 435,
        (41, 42, 43, 44, 46, 49, 50, 53, 288, 307, 57, 58, 59, 322, 62, 200, 234, 424, 434, 438, 101, 157, 310, 311,
         165, 272, 308, 248, 249, 250, 29, 64, 68, 298, 304, 321, 323, 425),
    ),
    "aarch64": (
        0xC00000B7, 220, 435,
        (198, 199, 200, 201, 202, 203, 206, 211, 242, 269, 221, 281, 129, 130, 131, 424, 434, 438, 117, 167, 270, 271,
         40, 97, 268, 217, 218, 219, 194, 190, 186, 241, 265, 280, 282, 425),
    ),
}  # fmt: skip
PROBE_S = 30.0
# What is given up, in words.
NAMES = {"network": "network namespace", "files": "Landlock", "calls": "seccomp filter"}


def leave_network() -> None:
    """Go into a network namespace with nothing in it; the process must have one thread.

    Raises:
        OSError: The machine does not let it.
    """
    _check(_libc().unshare(CLONE_NEWUSER | CLONE_NEWNET))


def give_up_files() -> None:
    """Let this process open, make or remove no file from now on; open ones stay open.

    Raises:
        OSError: The kernel has no Landlock.
    """
    libc = _libc()
    version = _check(libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1)))
    bits = max(count for since, count in FILE_RIGHTS.items() if since <= version)
    sizes = 1 + (version >= 4) + (version >= 6)
    attributes = struct.pack("=3Q", 2**bits - 1, 3, 3)[: 8 * sizes]
    rules = _check(
        libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    )
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check(libc.syscall(RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint(0)))
    os.close(rules)


def give_up_calls() -> None:
    """Have the kernel refuse this process sockets, other processes and other programs; threads stay possible.

    Raises:
        OSError: The kernel has no filters, or the processor is another.
    """
    if platform.machine() not in CALLS:
        raise OSError(f"not known for the processor {platform.machine()}")
    audit, clone, clone3, refused = CALLS[platform.machine()]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, audit),
        (ANSWER, 0, 0, REFUSE),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, len(refused) + 5, 0, X32),
        *((EQUAL, len(refused) + 4 - at, 0, number) for at, number in enumerate(refused)),
        (EQUAL, 5, 0, clone3),  # its flags cannot be looked at; the C library falls back to clone
        (EQUAL, 0, 2, clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (HAS_BITS, 0, 1, CLONE_THREAD),
        (ANSWER, 0, 0, ALLOW),
        (ANSWER, 0, 0, REFUSE),
        (ANSWER, 0, 0, NOT_THERE),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    kept = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(steps), ctypes.addressof(kept))
    libc = _libc()
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _check(libc.prctl(PR_SET_SECCOMP, FILTER_MODE, program, 0, 0))


def end_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    _libc().prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)


def missing_after(steps: Mapping[str, Callable[[], None]]) -> dict[str, str]:
    """Take steps, and return why some could not be taken, by name."""
    missing = {}
    for name, step in steps.items():
        try:
            step()
        except (OSError, AttributeError) as error:  # AttributeError: the C library has no such call
            missing[name] = getattr(error, "strerror", None) or str(error)
    return missing


def probe() -> dict[str, str]:
    """Return what cannot be given up on this machine, with the reason, by the names of `NAMES`; {} where all can.

    Example:
        >>> set(probe()) <= {"network", "files", "calls"}
        True
    """
    if sys.platform != "linux":
        return dict.fromkeys(NAMES, "only Linux has it")
    said = subprocess.run(
        [sys.executable, "-c", "from raim.sandbox import print_missing; print_missing()"],
        capture_output=True,
        timeout=PROBE_S,
        check=False,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if said.returncode:
        return dict.fromkeys(NAMES, "it could not be tried")
    return dict(json.loads(said.stdout))


def print_missing() -> None:
    """Give up everything and print why some of it cannot be."""
    steps = {"network": leave_network, "files": give_up_files, "calls": give_up_calls}
    print(json.dumps(missing_after(steps)))  # noqa: T201 - for the process that asked


def describe(missing: Mapping[str, str]) -> str:
    """Return what holds on a machine.

    Example:
        >>> describe({})
        'network namespace, Landlock, seccomp filter'
        >>> describe({"files": "Function not implemented"})
        'network namespace, seccomp filter; no Landlock (Function not implemented)'
    """
    held = ", ".join(text for name, text in NAMES.items() if name not in missing) or "limits only"
    return "; ".join([held, *(f"no {NAMES[name]} ({why})" for name, why in missing.items())])


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
