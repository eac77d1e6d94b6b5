"""Part files: the bytes of an upload on their way, in the server's folder, under the upload's random key.

Bytes are added at the offset that the part file has; what has come once is never asked for again. When all are there
their SHA-256 is compared with the promised one, and the file is moved to the storage.
"""

import contextlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from raim.errors import ContentMismatchError, StateError, StorageError
from raim.files import hash_file
from raim.server.storage import Storage, adopt_file, no_room

KEY_BYTES = 24
FOLDER = "uploads"  # in the server's folder
SILENCE = timedelta(hours=24)  # after which an upload that stands still is given up


def make_key() -> str:
    """Make the key of an upload."""
    return secrets.token_hex(KEY_BYTES)


def clean_file_name(name: str) -> str:
    r"""Give a file name as it is shown: its last part, printable, not too long.

    Example:
        >>> clean_file_name("C:\\results\\team 1.zip")
        'team 1.zip'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign if sign.isprintable() else "?" for sign in last)[:200] or "submission.zip"


def part_file(folder: Path, key: str) -> Path:
    """Give where the bytes of an upload are gathered."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    return place / key


def received_bytes(folder: Path, key: str) -> int:
    """Say how much of an upload is there."""
    with contextlib.suppress(FileNotFoundError):
        return part_file(folder, key).stat().st_size
    return 0


def add_bytes(part: Path, offset: int, chunks: Iterable[bytes], *, n_bytes: int) -> int:
    """Write chunks at an offset, which has to be the end of what is there; give the new end.

    Raises:
        StateError: The offset is another.
        ContentMismatchError: There would be more than was promised.
        StorageError: The disk is full.
    """
    there = part.stat().st_size if part.exists() else 0
    if there != offset:
        raise StateError(f"the upload has {there} bytes, not {offset}; go on from there")
    try:
        with part.open("ab") as file:
            for chunk in chunks:
                if offset + len(chunk) > n_bytes:
                    raise ContentMismatchError(f"more than the promised {n_bytes} bytes were sent")
                file.write(chunk)
                offset += len(chunk)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise no_room(n_bytes, error) from error
    return offset


def adopt_part(storage: Storage, part: Path, *, n_bytes: int, sha256: str) -> None:
    """Move a part file that has come whole into the storage.

    Raises:
        ContentMismatchError: Its SHA-256 is not the promised one; what was sent is dropped, the upload begins anew.
        StorageError: It cannot be kept now; nothing is lost.
    """
    found = hash_file(part)
    if found != sha256 or part.stat().st_size != n_bytes:
        part.unlink(missing_ok=True)
        raise ContentMismatchError(
            f"the SHA-256 of what was sent is {found}, {sha256} was promised; the file changed on its way or while it "
            "was sent: send it again from the beginning"
        )
    adopt_file(storage, part, n_bytes=n_bytes, sha256=sha256)
