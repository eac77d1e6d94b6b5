"""Writing a backup: a zip whose members are not compressed, written one after another, the manifest last.

A zip, so that any tool can look into it; not compressed, since images and submissions are; with 64-bit lengths. While
it is written the server may run: the rows are those of one moment, and a stored file never changes.
"""

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, select, union

from raim import __version__
from raim.errors import InputError, StorageError, unknown_name
from raim.files import cannot_write, check_writable, write_whole
from raim.processes import OnProgress
from raim.server.actions.challenge_upload import SERVER_FOLDERS
from raim.server.backup.manifest import (
    FILES,
    NAME,
    SECRET,
    TABLES,
    TEXTS,
    BackupManifest,
    BackupPart,
    format_backup_manifest,
    is_safe_text,
)
from raim.server.backup.scope import IMAGES, SUBMISSIONS, is_of, list_tables, select_rows
from raim.server.backup.tables import ROWS_AT_ONCE, format_row
from raim.server.database import (
    Challenge,
    Image,
    Submission,
)
from raim.server.database.entries import is_kept
from raim.server.database.migration import newest_version, open_existing
from raim.server.settings import Settings
from raim.server.storage import Storage, open_storage, pieces, read_stored_file


@dataclass(kw_only=True, slots=True)
class _Writer:
    """A backup being written, and its members so far."""

    archive: zipfile.ZipFile
    now: datetime
    members: list[BackupPart] = field(default_factory=list)

    def add(self, name: str, chunks: Iterable[bytes]) -> BackupPart:
        """Add a member; give it."""
        info = zipfile.ZipInfo(name, self.now.timetuple()[:6])
        info.external_attr = 0o600 << 16
        digest, n_bytes = hashlib.sha256(), 0
        with self.archive.open(info, "w", force_zip64=True) as entry:
            for chunk in chunks:
                digest.update(chunk)
                n_bytes += len(chunk)
                entry.write(chunk)
        member = BackupPart(name=name, n_bytes=n_bytes, sha256=digest.hexdigest())
        self.members.append(member)
        return member


def make_backup(
    settings: Settings,
    out: Path,
    *,
    now: datetime,
    challenge_id: str = "",
    with_secret: bool = False,
    on_progress: OnProgress = lambda _done, _total: None,
) -> BackupManifest:
    """Write all that a server knows, or of one challenge with its people, into one file; the server may run meanwhile.

    The file is there whole or not at all. `on_progress` is called with (bytes of stored files written, bytes in all).
    What it gives as `missing` are stored files that could not be had whole: the backup is made without them.

    Raises:
        InputError: `out` is there already, or cannot be written.
        UnknownNameError: There is no such challenge.
        StateError: There is no server's database, or one of another version of raim.
        StorageError: The storage cannot be opened.
    """
    check_writable(out)
    if out.exists():
        raise InputError(f"{out} is there already; name another file, or delete it first")
    try:
        with write_whole(out) as part:
            return _write(settings, part, now, on_progress, challenge_id, with_secret=with_secret)
    except StorageError:
        raise
    except OSError as error:
        raise cannot_write(out, error) from error


def _write(
    settings: Settings,
    part: Path,
    now: datetime,
    on_progress: OnProgress,
    challenge_id: str,
    *,
    with_secret: bool,
) -> BackupManifest:
    with open_existing(settings.database_url) as database:
        storage = open_storage(settings.storage_url)
        # It holds password hashes and hidden references: nobody else's to read.
        with (
            os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file,
            zipfile.ZipFile(file, "w") as archive,
        ):
            writer = _Writer(archive=archive, now=now)
            with _open_snapshot(database.engine) as connection:
                row = find_challenge(connection, challenge_id) if challenge_id else None
                number, folder = (None, ".") if row is None else (row.id, row.folder)
                kept = list_tables(number)
                tables = {table.name: _add_table(writer, connection, table, number) for table in kept}
                stored = list_stored(connection, number)
            for name in _list_texts(settings.folder, folder, apart_from=Path(storage.root)):
                writer.add(TEXTS + name, _read(settings.folder / name))
            if with_secret:
                writer.add(SECRET, _read(settings.secret_key_file))
            manifest = BackupManifest(
                raim=__version__,
                schema=str(newest_version()),
                database=database.engine.dialect.name,
                made_at=now,
                tables=tables,
                missing=_add_files(writer, storage, stored, on_progress),
                members=tuple(writer.members),
            )
            archive.writestr(zipfile.ZipInfo(NAME, now.timetuple()[:6]), format_backup_manifest(manifest))
            archive.close()
            file.flush()
            os.fsync(file.fileno())
        return manifest


@contextmanager
def _open_snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees the database as it is now, whatever others write meanwhile.

    SQLite: a reading transaction of the write-ahead log. PostgreSQL: REPEATABLE READ, READ ONLY.
    """
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with engine.connect() as connection, connection.begin():
        yield connection


def find_challenge(connection: Connection, slug: str) -> Any:
    """Find the row (id, slug, folder) of a challenge.

    Raises:
        UnknownNameError: There is none; the nearest is named.
    """
    rows = connection.execute(select(Challenge.id, Challenge.slug, Challenge.folder)).all()
    by_slug = {row.slug: row for row in rows}
    if slug not in by_slug:
        raise unknown_name("challenge", slug, by_slug)
    return by_slug[slug]


def list_stored(connection: Connection, challenge_id: int | None) -> dict[str, int]:
    """Return SHA-256 and length of every stored file that rows refer to, of one challenge or all.

    Uploads that are under way, or ended without being whole, have no file. Packs of tiles are left out: they are
    larger than what they are made of, and a worker makes them again, the same to the byte.
    """
    of_submissions, of_images = is_of(SUBMISSIONS, challenge_id), is_of(IMAGES, challenge_id)
    whole = select(Submission.committed_sha256, Submission.committed_bytes).where(of_submissions, is_kept())
    images = select(Image.input_sha256, Image.input_bytes).where(of_images)
    references = select(Image.reference_sha256, Image.reference_bytes).where(
        of_images, Image.reference_sha256.is_not(None)
    )
    rows: Iterable[Any] = connection.execute(union(images, references, whole))
    return {row[0]: row[1] for row in rows}


def _list_texts(folder: Path, part: str, *, apart_from: Path) -> list[str]:
    """Return the paths, from the server's folder, of the texts in a part of it: challenge.toml, Markdown, manifests.

    The folder of stored files may lie there too.
    """
    found = []
    for place, folders, files in os.walk(folder / part):
        path = Path(place)
        own = SERVER_FOLDERS if path == folder else frozenset()
        inner = sorted(each for each in folders if not each.startswith(".") and each not in own)
        folders[:] = [each for each in inner if path / each != apart_from]
        found += [(path / each).relative_to(folder).as_posix() for each in sorted(files)]
    return [each for each in found if is_safe_text(each)]


def _add_table(writer: _Writer, connection: Connection, table: Table, challenge_id: int | None) -> int:
    """Add the rows of a table; give how many."""
    found = select_rows(table, challenge_id)
    rows = connection.execute(found.execution_options(yield_per=ROWS_AT_ONCE))
    writer.add(f"{TABLES}{table.name}.jsonl", (format_row(row._asdict()) for row in rows))
    return connection.scalar(select(func.count()).select_from(found.order_by(None).subquery())) or 0


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
                for chunk in read_stored_file(storage, sha256):
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
            yield from pieces(file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}; a backup needs it") from error
