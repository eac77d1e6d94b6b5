"""Files that appear whole or not at all, and their hashes."""

import errno
import hashlib
import os
import threading
from pathlib import Path

from raim.errors import InputError, OutputError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def place_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there; nothing is left behind where that fails.

    Raises:
        OutputError: It cannot be written; the message says what to do, and that the same command goes on.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     place_file(Path(folder, "a.txt"), b"all of it")
        ...     [(file.name, file.read_bytes()) for file in Path(folder).iterdir()]
        [('a.txt', b'all of it')]
    """
    try:
        replace_file(path, content)
    except OSError as error:
        raise cannot_write(path, error) from error


def replace_file(path: Path, content: bytes) -> None:
    """Do as `place_file`, for callers that have their own words for what may go wrong.

    Raises:
        OSError: It cannot be written.
    """
    # Another writer of the same file has another name for its part.
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Make the error for a file that cannot be written.

    Example:
        >>> print(cannot_write(Path("a.png"), OSError(errno.ENOSPC, "No space left on device")))
        a.png cannot be written: No space left on device; free some space, then the same command goes on
    """
    mend = "free some space" if error.errno in FULL else "check the folder and its permissions"
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}; {mend}, then the same command goes on"
    )


def check_writable(path: Path) -> None:
    """Refuse, before any work, a file that could not be written after it.

    Raises:
        InputError: Its folder is not there or cannot be written to, or the path is a folder itself.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {folder}")
    if path.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path} cannot be written: {folder} is not yours to write to; name another place")


def check_folder(folder: Path) -> None:
    """Refuse, before any work, a folder that could not be made or written to after it.

    Raises:
        InputError: It, or what it would lie in, is a file or cannot be written to.
    """
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not there.is_dir():
        raise InputError(f"{folder} cannot be written: {there} is a file; name a folder")
    if not os.access(there, os.W_OK):
        raise InputError(f"{folder} cannot be written: {there} is not yours to write to; name another place")


def make_folder(folder: Path) -> Path:
    """Make a folder, and those that it lies in, unless it is there; give it.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def hash_file(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal digits; it is read piece by piece.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
