"""Files by their content: a file's only name is its SHA-256, so no user's file name ever reaches a path.

A file is written under `incoming/` with a random name and moved to its place once its length and SHA-256 are
those that were promised; it is there whole or not at all. A SHA-256 that is none is an InputError everywhere.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import fsspec

from raim.errors import ContentMismatchError, InputError, StorageError, StorageFullError

CHUNK_BYTES = 2**20
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """An opened place for files: fsspec's file system, the folder in it, and how much disk is to stay free."""

    system: Any
    root: str
    keep_free_bytes: int


def open_storage(url: str, *, keep_free_bytes: int = 0) -> Storage:
    """Open a place for files; a folder is made if it is not there.

    Args:
        url: Of fsspec: file:///srv/raim/files, s3://bucket/prefix, memory://...
        keep_free_bytes: Files are refused that would leave less free; known for local folders only.

    Raises:
        StorageError: It cannot be opened.

    Example:
        >>> storage = open_storage("memory://example")
        >>> content = b"all of it"
        >>> digest = hashlib.sha256(content).hexdigest()
        >>> put_file(storage, [content], n_bytes=9, sha256=digest)
        >>> b"".join(read_stored_file(storage, digest))
        b'all of it'
    """
    try:
        system, root = fsspec.core.url_to_fs(url)
        system.makedirs(f"{root}/incoming", exist_ok=True)
    except (OSError, ValueError, ImportError) as error:
        raise StorageError(f"the storage {url} cannot be opened: {error}; check RAIM_STORAGE_URL") from error
    return Storage(system=system, root=root.rstrip("/"), keep_free_bytes=keep_free_bytes)


def free_bytes(storage: Storage) -> int | None:
    """Return the free bytes of a local folder's disk; None for places that do not tell."""
    return shutil.disk_usage(storage.root).free if is_local(storage) else None


def check_space(storage: Storage, n_bytes: int) -> None:
    """Refuse a file for which there is no room, before it is sent.

    Raises:
        StorageFullError: Less than `keep_free_bytes` would stay free.
    """
    free = free_bytes(storage)
    if free is not None and free - n_bytes < storage.keep_free_bytes:
        raise StorageFullError(
            f"a file of {n_bytes} bytes does not fit: {free} bytes are free and {storage.keep_free_bytes} are to stay "
            "so; the organiser has to make room"
        )


def put_file(storage: Storage, chunks: Iterable[bytes], *, n_bytes: int, sha256: str) -> None:
    """Keep a file of a promised length and SHA-256, in pieces of any size; the same file may be there already.

    Raises:
        ContentMismatchError: Length or SHA-256 are not the promised ones; reading stops as soon as there is more.
        StorageFullError: There is no room.
        StorageError: It cannot be written for another reason.
    """
    place = _place(storage, sha256)
    check_space(storage, n_bytes)
    part = f"{storage.root}/incoming/{secrets.token_hex(16)}"
    try:
        with storage.system.open(part, "wb") as file:
            _copy(chunks, file, n_bytes, sha256)
            if is_local(storage):
                file.flush()
                os.fsync(file.fileno())
        storage.system.makedirs(place.rpartition("/")[0], exist_ok=True)
        storage.system.mv(part, place)
        _sync_folder(storage, place)
    except StorageError:
        raise
    except OSError as error:
        raise no_room(n_bytes, error) from error
    finally:
        with contextlib.suppress(OSError):
            storage.system.rm_file(part)


def adopt_file(storage: Storage, path: Path, *, n_bytes: int, sha256: str) -> None:
    """Take over a file whose length and SHA-256 the caller has checked; it is moved where that can be, else copied.

    Raises:
        StorageFullError: There is no room.
        StorageError: It cannot be kept for another reason.
    """
    place = _place(storage, sha256)
    try:
        if is_local(storage) and path.stat().st_dev == Path(storage.root).stat().st_dev:
            with path.open("rb") as file:
                os.fsync(file.fileno())
            storage.system.makedirs(place.rpartition("/")[0], exist_ok=True)
            path.replace(place)
            _sync_folder(storage, place)
            return
        with path.open("rb") as file:
            put_file(storage, pieces(file), n_bytes=n_bytes, sha256=sha256)
        path.unlink()
    except StorageError:
        raise
    except OSError as error:
        raise no_room(n_bytes, error) from error


def no_room(n_bytes: int, error: OSError) -> StorageError:
    """Make the error for a file that cannot be kept."""
    kind = StorageFullError if error.errno in FULL else StorageError
    return kind(f"a file of {n_bytes} bytes cannot be kept: {error.strerror or error}")


def local_path(storage: Storage, sha256: str) -> Path | None:
    """Return where a file lies on this machine's disk; None if it lies elsewhere or not at all."""
    place = Path(_place(storage, sha256))
    return place if is_local(storage) and place.is_file() else None


def read_stored_file(storage: Storage, sha256: str, *, start: int = 0) -> Iterator[bytes]:
    """Yield a file's content in pieces of 1 MiB, from a byte on.

    Raises:
        StorageError: There is no such file.
    """
    place = _place(storage, sha256)
    try:
        file = storage.system.open(place, "rb")
    except FileNotFoundError as error:
        raise StorageError(f"there is no file {sha256} in the storage") from error
    with file:
        file.seek(start)
        yield from pieces(file)


def read_range(storage: Storage, sha256: str, *, start: int, length: int) -> bytes:
    """Return some bytes of a file, fewer where it ends; nothing else of it is fetched.

    Raises:
        StorageError: There is no such file, or it cannot be read.
    """
    place = _place(storage, sha256)
    try:
        if not is_local(storage):
            return bytes(storage.system.cat_file(place, start=start, end=start + length))
        with Path(place).open("rb") as file:
            file.seek(start)
            return file.read(length)
    except FileNotFoundError as error:
        raise StorageError(f"there is no file {sha256} in the storage") from error
    except OSError as error:
        raise StorageError(f"the file {sha256} cannot be read: {error.strerror or error}") from error


def try_storage(storage: Storage) -> None:
    """Write an empty file and look that it is there.

    Raises:
        StorageFullError: There is no room.
        StorageError: It cannot be written or is not found; a far place's library may raise errors of its own.
    """
    nothing = hashlib.sha256().hexdigest()
    put_file(storage, [], n_bytes=0, sha256=nothing)
    if not has_file(storage, nothing):
        raise StorageError("a file that was just written is not in the storage")


def has_file(storage: Storage, sha256: str) -> bool:
    """Return whether a file is there, whole."""
    return bool(storage.system.exists(_place(storage, sha256)))


def delete_file(storage: Storage, sha256: str) -> None:
    """Delete a file, if it is there; whether rows still name it is the caller's to know.

    Raises:
        StorageError: It cannot be deleted.
    """
    try:
        storage.system.rm_file(_place(storage, sha256))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StorageError(f"the file {sha256} cannot be deleted: {error.strerror or error}") from error


def sweep_incoming(storage: Storage, *, before: datetime) -> int:
    """Delete what a killed process left half-written before a time; give how many files.

    Places that do not tell when a file was changed are left alone; some, such as S3, have no empty folders.
    """
    swept, entries = 0, []
    with contextlib.suppress(FileNotFoundError):
        entries = storage.system.ls(f"{storage.root}/incoming", detail=True, refresh=True)
    for entry in entries:
        with contextlib.suppress(FileNotFoundError, NotImplementedError):
            if entry["type"] == "file" and storage.system.modified(entry["name"]) < before:
                storage.system.rm_file(entry["name"])
                swept += 1
    return swept


def pieces(file: Any) -> Iterator[bytes]:
    """Yield an open file's content from where it stands, in pieces of 1 MiB."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _copy(chunks: Iterable[bytes], file: Any, n_bytes: int, sha256: str) -> None:
    digest, written = hashlib.sha256(), 0
    for chunk in chunks:
        written += len(chunk)
        if written > n_bytes:
            raise ContentMismatchError(f"more than the promised {n_bytes} bytes were sent; send it again")
        digest.update(chunk)
        file.write(chunk)
    if written != n_bytes:
        raise ContentMismatchError(
            f"{written} of the promised {n_bytes} bytes were sent; send the file again"
        )
    if digest.hexdigest() != sha256:
        raise ContentMismatchError(
            f"the SHA-256 of what was sent is {digest.hexdigest()}, {sha256} was promised; send the file again"
        )


def _place(storage: Storage, sha256: str) -> str:
    if len(sha256) != 64 or not set(sha256) <= DIGITS:
        raise InputError("a file is named by its SHA-256 in 64 digits 0-9a-f and by nothing else")
    return f"{storage.root}/sha256/{sha256[:2]}/{sha256}"


def is_local(storage: Storage) -> bool:
    """Return whether files lie in a folder of this machine."""
    return "file" in storage.system.protocol


def _sync_folder(storage: Storage, place: str) -> None:
    # The file's new name outlives a power cut only once its folder is written.
    if is_local(storage) and hasattr(os, "O_DIRECTORY"):
        folder = os.open(place.rpartition("/")[0], os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
