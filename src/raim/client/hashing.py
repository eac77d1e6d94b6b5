"""The file that is handed in: opened once, hashed piece by piece, and watched for changes while it is sent."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from raim.errors import InputError

PIECE_BYTES = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An opened file.

    Attributes:
        path: Where it lies.
        file: Opened for reading.
        n_bytes: Its length.
        sha256: Of its content.
        changed_ns: When it was changed last, as the file system says.
    """

    path: Path
    file: BinaryIO
    n_bytes: int
    sha256: str
    changed_ns: int


@contextmanager
def open_source(path: Path, on_progress: Callable[[int, int], None]) -> Iterator[Source]:
    """Open and hash a file.

    Args:
        path: Which.
        on_progress: Called with (bytes hashed, bytes in all).

    Raises:
        InputError: It cannot be read or is empty.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        before = os.fstat(file.fileno())
        if before.st_size == 0:
            raise InputError(f"{path} is empty")
        try:
            digest = _hash(file, before.st_size, on_progress)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        source = Source(
            path=path, file=file, n_bytes=before.st_size, sha256=digest, changed_ns=before.st_mtime_ns
        )
        check_unchanged(source)
        yield source


def has_changed(source: Source) -> bool:
    """Say whether a file was written to since it was hashed."""
    now = os.fstat(source.file.fileno())
    return (now.st_size, now.st_mtime_ns) != (source.n_bytes, source.changed_ns)


def check_unchanged(source: Source) -> None:
    """Refuse a file that is written to while it is sent: its SHA-256 was promised.

    Raises:
        InputError: It has changed.
    """
    if has_changed(source):
        raise InputError(
            f"{source.path} changed while it was being sent, so nothing of it counts and no try is taken; wait until "
            "it is written, then run the same command again"
        )


def _hash(file: BinaryIO, n_bytes: int, on_progress: Callable[[int, int], None]) -> str:
    digest, done = hashlib.sha256(), 0
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
        done += len(piece)
        on_progress(done, n_bytes)
    return digest.hexdigest()
