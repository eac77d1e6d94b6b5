"""One process at a time. The operating system frees the lock when its holder ends, however it ends."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

POLL_S = 0.05


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file; wait while another process or thread holds it.

    Args:
        path: The lock file. It is created, and stays: removing it would let two in.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as stream:
        while not _acquire(stream):
            time.sleep(POLL_S)
        yield


@contextmanager
def hold_if_free(path: Path) -> Iterator[bool]:
    """Hold a lock file unless another process or thread does; say whether nobody else does.

    On a file system that has no locks, as Lustre may be, nobody can be told apart.

    Args:
        path: The lock file, in a folder that is there. It is created, and stays.

    Raises:
        OSError: It cannot be opened.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     lock = Path(folder, "lock")
        ...     with hold_if_free(lock) as first, hold_if_free(lock) as second:
        ...         first, second
        (True, False)
    """
    with path.open("a+b") as stream:
        try:
            is_free = _acquire(stream)
        except OSError:
            is_free = True
        yield is_free


if sys.platform == "win32":
    import msvcrt

    def _acquire(stream: IO[bytes]) -> bool:
        stream.seek(0)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _acquire(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
