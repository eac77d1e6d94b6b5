"""Writing a backup: a zip whose members are not compressed, written one after another, the manifest last.

A zip, so that any tool can look into it; not compressed, since images and submissions are; with 64-bit lengths. While
it is written the server may run: the rows are those of one moment, and a stored file never changes.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Table, make_url, select

from raim import __version__
from raim.errors import InputError, StateError, StorageError
from raim.files import cannot_write, check_writable, write_whole
from raim.server.backup.contents import kept_tables, list_stored, list_texts, open_snapshot
from raim.server.backup.manifest import (
    FILES,
    NAME,
    SECRET,
    TABLES,
    TEXTS,
    Manifest,
    Member,
    format_manifest,
    is_safe_text,
)
from raim.server.backup.rows import format_row
from raim.server.database import open_database
from raim.server.database.migration import newest_version, schema_version
from raim.server.settings import Settings
from raim.server.storage import CHUNK_BYTES, Storage, open_storage, read_file

OnProgress = Callable[[int, int], None]
ROWS_AT_ONCE = 500


@dataclass(kw_only=True, slots=True)
class _Writer:
    """A backup being written: members so far, and bytes of stored files, of how many."""

    archive: zipfile.ZipFile
    now: datetime
    members: list[Member] = field(default_factory=list)

    def add(self, name: str, chunks: Iterable[bytes]) -> Member:
        """Add a member; give it."""
        info = zipfile.ZipInfo(name, self.now.timetuple()[:6])
        info.external_attr = 0o600 << 16
        digest, n_bytes = hashlib.sha256(), 0
        with self.archive.open(info, "w", force_zip64=True) as entry:
            for chunk in chunks:
                digest.update(chunk)
                n_bytes += len(chunk)
                entry.write(chunk)
        member = Member(name=name, n_bytes=n_bytes, sha256=digest.hexdigest())
        self.members.append(member)
        return member


def make_backup(
    settings: Settings,
    out: Path,
    *,
    now: datetime,
    with_secret: bool = False,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Manifest:
    """Write all that a server knows into one file; the server may run meanwhile.

    Args:
        settings: Of the server.
        out: The file; it is there whole or not at all.
        now: The time.
        with_secret: Whether the server's secret goes into it, too.
        on_progress: Called with (bytes of stored files written, bytes in all).

    Returns:
        What it holds. `missing` are the stored files that could not be had whole: the backup is made without them.

    Raises:
        InputError: `out` is there already, or cannot be written.
        StateError: There is no server's database, or one of another version of raim.
        StorageError: The storage cannot be opened.
    """
    check_writable(out)
    if out.exists():
        raise InputError(f"{out} is there already; name another file, or delete it first")
    try:
        with write_whole(out) as part:
            return _write(settings, part, now, on_progress, with_secret=with_secret)
    except StorageError:
        raise
    except OSError as error:
        raise cannot_write(out, error) from error


def _write(
    settings: Settings, part: Path, now: datetime, on_progress: OnProgress, *, with_secret: bool
) -> Manifest:
    _need_database(settings)
    database = open_database(settings.database_url)
    try:
        schema = _check_schema(schema_version(database.engine))
        storage = open_storage(settings.storage_url)
        # It holds password hashes and hidden references: nobody else's to read.
        with (
            os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file,
            zipfile.ZipFile(file, "w") as archive,
        ):
            writer = _Writer(archive=archive, now=now)
            with open_snapshot(database.engine) as connection:
                tables = {table.name: _add_table(writer, connection, table) for table in kept_tables()}
                stored = list_stored(connection)
            for name in list_texts(settings.folder, apart_from=Path(storage.root)):
                if is_safe_text(name):
                    writer.add(TEXTS + name, _read(settings.folder / name))
            if with_secret:
                writer.add(SECRET, _read(settings.secret_key_file))
            manifest = Manifest(
                raim=__version__,
                schema=schema,
                database=database.engine.dialect.name,
                made_at=now,
                tables=tables,
                missing=_add_files(writer, storage, stored, on_progress),
                members=tuple(writer.members),
            )
            archive.writestr(zipfile.ZipInfo(NAME, now.timetuple()[:6]), format_manifest(manifest))
            archive.close()
            file.flush()
            os.fsync(file.fileno())
        return manifest
    finally:
        database.engine.dispose()


def _need_database(settings: Settings) -> None:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise StateError(f"there is no database {url.database}; has a server run in {settings.folder}?")


def _check_schema(version: str | None) -> str:
    newest = newest_version()
    if version is None or version != newest:
        raise StateError(
            f"the database has the schema {version}, this version of raim {newest}; make the backup with the version "
            "of raim that the server runs, or start the server once with this one"
        )
    return version


def _add_table(writer: _Writer, connection: Connection, table: Table) -> int:
    """Add the rows of a table; give how many."""
    rows = connection.execute(
        select(table).order_by(*table.primary_key.columns), execution_options={"yield_per": ROWS_AT_ONCE}
    )
    n_rows = 0

    def lines() -> Iterator[bytes]:
        nonlocal n_rows
        for row in rows:
            n_rows += 1
            yield format_row(row._asdict())

    writer.add(f"{TABLES}{table.name}.jsonl", lines())
    return n_rows


def _add_files(
    writer: _Writer, storage: Storage, stored: dict[str, int], on_progress: OnProgress
) -> dict[str, str]:
    """Add the stored files; give those that could not be had whole, with the reason."""
    missing: dict[str, str] = {}
    done, total = 0, sum(stored.values())
    on_progress(0, total)
    for sha256, n_bytes in sorted(stored.items()):
        begun = done

        def chunks(sha256: str = sha256) -> Iterator[bytes]:
            nonlocal done
            try:
                for chunk in read_file(storage, sha256):
                    done += len(chunk)
                    on_progress(min(done, total), total)
                    yield chunk
            except OSError as error:
                missing[sha256] = str(error)

        found = writer.add(FILES + sha256, chunks())
        if found.sha256 != sha256:
            missing.setdefault(sha256, f"what lies in the storage has the SHA-256 {found.sha256}")
        done = begun + n_bytes
        on_progress(done, total)
    return missing


def _read(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}; a backup needs it") from error
