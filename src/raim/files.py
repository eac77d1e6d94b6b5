"""Files that appear whole or not at all, and their hashes."""

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from raim.errors import InputError, OutputError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def place_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there; nothing is left behind where that fails.

    A link stays one: what it points to is replaced. What is no ordinary file, such as a pipe, is written into.

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
        if _is_stream(path):
            path.write_bytes(content)
        else:
            replace_file(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise cannot_write(path, error) from error


def _is_stream(path: Path) -> bool:
    """Return whether a path is a device or a pipe; /dev/stdout is one, whatever file it leads to."""
    is_system = path.absolute().parts[1:2] in (("dev",), ("proc",))
    return path.exists() and not path.is_dir() and (is_system or not path.is_file())


def replace_file(path: Path, content: bytes) -> None:
    """Do as `place_file`, for callers that have their own words for what may go wrong.

    Raises:
        OSError: It cannot be written.
    """
    with write_whole(path) as part:
        part.write_bytes(content)


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Give a place beside a file where it is written, and move it there afterwards; nothing is left where that fails.

    Raises:
        OSError: It cannot be moved.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with write_whole(Path(folder, "a.txt")) as part:
        ...         _ = part.write_text("all of it")
        ...     [file.name for file in Path(folder).iterdir()]
        ['a.txt']
    """
    # Another writer of the same file has another name for its part, which is not too long where the file's is not.
    part = path.with_name(f".{path.name[:40]}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """Make the error for a file that cannot be written.

    Example:
        >>> print(cannot_write(Path("a.png"), OSError(errno.ENOSPC, "No space left on device")))
        a.png cannot be written: No space left on device; free some space, then the same command goes on
    """
    way_out = "free some space" if error.errno in FULL else "check the folder and its permissions"
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}; {way_out}, then the same command goes on"
    )


def check_writable(path: Path) -> None:
    """Refuse, before any work, a file that could not be written after it.

    Raises:
        InputError: Its folder is not there or cannot be written to, or the path is a folder itself.
    """
    with _named(path):
        folder = path.absolute().parent
        if not folder.is_dir():
            raise InputError(f"{path} cannot be written: there is no folder {folder}")
        if path.is_dir():
            raise InputError(f"{path} cannot be written: it is a folder; name a file in it")
        place = path if _is_stream(path) else Path(os.path.realpath(path)).parent
        _need_access(path, place)


def check_folder(folder: Path) -> None:
    """Refuse, before any work, a folder that could not be made or written to after it.

    Raises:
        InputError: It, or what it would lie in, is a file or cannot be written to.
    """
    with _named(folder):
        there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
        if not there.is_dir():
            raise InputError(f"{folder} cannot be written: {there} is a file; name a folder")
        _need_access(folder, there)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Make what the system says of a path, such as that its name is too long, an error of that path."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error


def _need_access(path: Path, place: Path) -> None:
    if not os.access(place, os.W_OK):
        raise InputError(f"{path} cannot be written: {place} is not yours to write to; name another place")


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
    """Return the SHA-256 of a file, in hexadecimal digits; it is read piece by piece.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def say_size(n_bytes: int) -> str:
    """Return a number of bytes as text.

    Example:
        >>> say_size(2 * 2**30), say_size(1500)
        ('2.0 GiB', '1.5 KiB')
    """
    size = float(n_bytes)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{n_bytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
