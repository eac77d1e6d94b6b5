"""Files on their way: their bytes are gathered beside the storage's files, so that any host goes on with an upload.

In a local folder a file grows. Elsewhere, where files do not grow, each piece is a file that is named by where it
starts; of those only the chain that begins at 0 counts, so one that was cut off and sent again leaves nothing wrong.
"""

import contextlib
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from raim.errors import ContentMismatchError, StateError, StorageError
from raim.files import hash_file
from raim.server.database.columns import Arriving
from raim.server.storage import Storage, adopt_file, is_local, no_room, put_file

FOLDER = "uploads"  # in the storage
LOCAL_PIECE = 2**20
REMOTE_PIECE = 8 * 2**20  # each is a request
KEY_BYTES = 24
UPLOAD_SILENCE = timedelta(hours=24)  # after which an upload that stands still is given up
CLAIM = timedelta(seconds=60)  # how long one request may write to an upload without a sign of life


def make_key() -> str:
    """Make the key of an upload."""
    return secrets.token_hex(KEY_BYTES)


def clean_file_name(name: str) -> str:
    r"""Return a file name as it is shown: its last part, printable, not too long.

    Example:
        >>> clean_file_name("C:\\results\\team 1.zip")
        'team 1.zip'
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign if sign.isprintable() else "?" for sign in last)[:200] or "submission.zip"


def claim(session: Session, table: type[Arriving], now: datetime, key: str, holder: str) -> bool:
    """Let one request at a time write to an upload, on whichever host; whether it is this one's turn is returned.

    Who holds it goes on holding it by claiming it again; who gives no sign of life for a while (`CLAIM`) loses it.
    """
    is_free = or_(table.holder.is_(None), table.holder == holder, table.held_until < now)
    held = update(table).where(table.key == key, is_free).values(holder=holder, held_until=now + CLAIM)
    return bool(session.execute(held).rowcount)  # type: ignore[attr-defined]


def release(session: Session, table: type[Arriving], key: str, holder: str) -> None:
    """Let the next request write."""
    mine = table.key == key, table.holder == holder
    session.execute(update(table).where(*mine).values(holder=None, held_until=None))


def piece_bytes(storage: Storage) -> int:
    """Return how many bytes are best given at once."""
    return LOCAL_PIECE if is_local(storage) else REMOTE_PIECE


def gathered_bytes(storage: Storage, key: str) -> int:
    """Return how much of a file is there."""
    if is_local(storage):
        with contextlib.suppress(FileNotFoundError):
            return _grown(storage, key).stat().st_size
        return 0
    return sum(n_bytes for _, n_bytes in _chain(storage, key))


def gather(
    storage: Storage, key: str, offset: int, content: bytes, *, n_bytes: int, goes_on: bool = False
) -> int:
    """Add bytes at an offset, which has to be the end of what is there; return the new end.

    Who `goes_on` has just added what is before, in turn: pieces elsewhere are not listed again.

    Raises:
        StateError: The offset is another.
        ContentMismatchError: There would be more than the `n_bytes` that were promised.
        StorageError: They cannot be kept.
    """
    there = offset if goes_on and not is_local(storage) else gathered_bytes(storage, key)
    if there != offset:
        raise StateError(f"the upload has {there} bytes, not {offset}; go on from there")
    if offset + len(content) > n_bytes:
        raise ContentMismatchError(f"more than the promised {n_bytes} bytes were sent")
    try:
        if is_local(storage):
            place = _grown(storage, key)
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("ab") as file:
                file.write(content)
        elif content:
            storage.system.pipe_file(f"{_place(storage, key)}/{offset:015d}", content)
    except OSError as error:
        raise no_room(n_bytes, error) from error
    return offset + len(content)


def keep_gathered(storage: Storage, key: str, *, n_bytes: int, sha256: str) -> None:
    """Let a whole file be one of the storage's.

    Raises:
        ContentMismatchError: Its SHA-256 is not the promised one; what was gathered is dropped.
        StorageError: It cannot be kept now; nothing is lost.
    """
    try:
        if is_local(storage):
            _adopt(storage, _grown(storage, key), n_bytes, sha256)
        else:
            put_file(storage, _read(storage, key), n_bytes=n_bytes, sha256=sha256)
    except ContentMismatchError as error:
        drop_gathered(storage, key)
        why = str(error).partition(";")[0]
        raise ContentMismatchError(
            f"{why}; the file changed on its way or while it was sent: send it again from the beginning"
        ) from error
    drop_gathered(storage, key)


def drop_gathered(storage: Storage, key: str) -> None:
    """Delete what is there of a file."""
    with contextlib.suppress(FileNotFoundError):
        if is_local(storage):
            _grown(storage, key).unlink()
        else:
            storage.system.rm(_place(storage, key), recursive=True)


def list_gathered(storage: Storage) -> set[str]:
    """Return the keys of all files of which something is there."""
    with contextlib.suppress(FileNotFoundError):
        return {path.rpartition("/")[2] for path in _list(storage, f"{storage.root}/{FOLDER}")}
    return set()


def _adopt(storage: Storage, path: Path, n_bytes: int, sha256: str) -> None:
    found = hash_file(path)
    if found != sha256 or path.stat().st_size != n_bytes:
        raise ContentMismatchError(f"the SHA-256 of what was sent is {found}, {sha256} was promised")
    adopt_file(storage, path, n_bytes=n_bytes, sha256=sha256)


def _read(storage: Storage, key: str) -> Iterator[bytes]:
    for path, _ in _chain(storage, key):
        try:
            yield storage.system.cat_file(path)
        except OSError as error:
            raise StorageError(f"what was sent cannot be read: {error.strerror or error}") from error


def _chain(storage: Storage, key: str) -> list[tuple[str, int]]:
    """Return the pieces that follow each other from 0 on: (path, length)."""
    sizes: dict[int, int] = {}
    with contextlib.suppress(FileNotFoundError):
        sizes = {int(path[-15:]): n_bytes for path, n_bytes in _list(storage, _place(storage, key)).items()}
    chain, end = [], 0
    while n_bytes := sizes.get(end, 0):
        chain.append((f"{_place(storage, key)}/{end:015d}", n_bytes))
        end += n_bytes
    return chain


def _list(storage: Storage, place: str) -> dict[str, int]:
    listed = storage.system.ls(place, detail=True, refresh=True)
    return {entry["name"].rstrip("/"): entry["size"] or 0 for entry in listed}


def _place(storage: Storage, key: str) -> str:
    return f"{storage.root}/{FOLDER}/{key}"


def _grown(storage: Storage, key: str) -> Path:
    return Path(_place(storage, key))
