"""A server from a backup: into an empty folder, database and storage, wholly or not at all.

The database is committed last. Whatever goes wrong before, all that was made is taken away again.
"""

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from raim.errors import BackupError, RaimError, StateError
from raim.files import cannot_write
from raim.processes import OnProgress
from raim.server.backup.data_folders import lay_out_images
from raim.server.backup.manifest import FILES, SECRET, TEXTS, BackupManifest, BackupPart
from raim.server.backup.opening import Backup, open_backup, read_member
from raim.server.backup.resetting import Reset, reset_states
from raim.server.backup.tables import check_backup_schema, find_tables, restore_rows
from raim.server.database import Database, open_database
from raim.server.settings import Settings
from raim.server.storage import Storage, open_storage, put_file

STORED_IN = ("sha256", "incoming")  # the folders of a storage


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What was recovered, what was under way and was set back, and what the organiser has to look at.

    `n_joined`: people of a challenge who have an account on its new server; `n_new`: who have one there now.
    """

    manifest: BackupManifest
    reset: Reset
    notes: tuple[str, ...]
    n_rows: int
    n_files: int
    n_joined: int = 0
    n_new: int = 0


def recover_backup(
    path: Path,
    settings: Settings,
    *,
    now: datetime,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Recovered:
    """Make a server from a backup, in an empty folder, database and storage; nothing runs yet.

    The database may be of another kind than the backup's. `on_progress` is called with (bytes read, bytes in all).

    Raises:
        BackupError: It is damaged, none, or of a newer raim.
        StateError: Folder, database, storage or secret are not empty.
        InputError: A file cannot be written.
        StorageError: A file cannot be kept.
    """
    with open_backup(path) as backup, ExitStack() as undo:
        check_backup(backup)
        database = _open_empty(settings, undo)
        with explained(settings.folder):
            storage = _open_storage(settings, undo)
            restore_files(backup, storage, backup.manifest.files, on_progress)
            restore_texts(backup, settings.folder)
            _restore_secret(backup, settings, undo)
            with database.engine.execution_options(raim_writes=True).begin() as connection:
                _need_empty(connection, settings)
                restore_rows(connection, backup)
                recovered = _finish(connection, backup, storage, settings, now)
        undo.pop_all()
        database.engine.dispose()
        return recovered


def check_backup(backup: Backup) -> None:
    """Compare all but the stored files, whose hashes are compared as they are kept.

    Raises:
        BackupError: It is damaged, or of a newer raim.
    """
    check_backup_schema(backup.manifest.schema)
    for member in backup.manifest.members:
        if not member.name.startswith(FILES):
            for _ in read_member(backup, member):
                pass  # only its hash is compared


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what disk and database refuse into errors with a way out."""
    try:
        yield
    except RaimError:
        raise
    except OSError as error:
        raise cannot_write(folder, error) from error
    except SQLAlchemyError as error:
        raise StateError(f"the database refuses: {getattr(error, 'orig', None) or error}") from error


def _finish(
    connection: Connection, backup: Backup, storage: Storage, settings: Settings, now: datetime
) -> Recovered:
    missing = backup.manifest.missing
    try:
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            reset = reset_states(session, now, backup.manifest)
            notes = lay_out_images(session, storage, settings.folder, missing=frozenset(missing))
            session.commit()
    except SQLAlchemyError as error:
        raise BackupError(f"{backup.path}: its rows do not fit each other: {error}") from error
    lost = name_missing(missing)
    return Recovered(
        manifest=backup.manifest,
        reset=reset,
        notes=(*lost, *notes),
        n_rows=backup.manifest.n_rows,
        n_files=len(backup.manifest.files),
    )


def name_missing(missing: Mapping[str, str]) -> list[str]:
    """Return a line for each file that is missing in a backup, with the reason."""
    return [f"the file {sha256} is not in the backup: {why}" for sha256, why in missing.items()]


def _open_empty(settings: Settings, undo: ExitStack) -> Database:
    """Open the database; folder and database are made, to be taken away by `undo`."""
    folder = settings.folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StateError(
            f"{folder} is not empty; a backup is recovered into a new or empty folder, or one challenge of it, with "
            "--challenge, into the folder of a server"
        )
    if settings.secret_key_file.exists():
        raise StateError(f"there is a secret {settings.secret_key_file} already; move it away")
    url = make_url(settings.database_url)
    file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
    if file is not None and file.exists() and file.stat().st_size:
        raise StateError(f"there is a database {file} already; name another one, or move it away")
    _make_folder(folder, undo)
    if file is not None:
        undo.callback(_remove_files, [file, *(file.with_name(file.name + each) for each in ("-wal", "-shm"))])
    try:
        database = open_database(settings.database_url)
        undo.callback(database.engine.dispose)
        with database.engine.connect() as connection:
            _need_empty(connection, settings)
    except SQLAlchemyError as error:
        raise StateError(f"the database cannot be opened: {getattr(error, 'orig', None) or error}") from error
    return database


def _need_empty(connection: Connection, settings: Settings) -> None:
    found = find_tables(connection)
    if found:
        place = make_url(settings.database_url).render_as_string(hide_password=True)
        raise StateError(
            f"the database {place} has {len(found)} tables already ({', '.join(found[:3])}, ...); name an empty one"
        )


def _make_folder(folder: Path, undo: ExitStack) -> None:
    """Make a folder; undone, it is empty again, or gone if it was not there."""
    try:
        was_there = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error

    def empty() -> None:
        for each in list(folder.iterdir()):
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
            else:
                each.unlink(missing_ok=True)
        if not was_there:
            folder.rmdir()

    undo.callback(empty)


def _open_storage(settings: Settings, undo: ExitStack) -> Storage:
    storage = open_storage(settings.storage_url, keep_free_bytes=settings.keep_free_bytes)
    places = [f"{storage.root}/{each}" for each in STORED_IN]
    for place in places:
        with contextlib.suppress(FileNotFoundError):
            if storage.system.ls(place, detail=False):
                raise StateError(
                    f"the storage {settings.storage_url} is not empty; name another place for files"
                )

    def empty() -> None:
        for place in places:
            with contextlib.suppress(OSError):
                storage.system.rm(place, recursive=True)

    undo.callback(empty)
    return storage


def restore_files(
    backup: Backup, storage: Storage, members: Collection[BackupPart], on_progress: OnProgress
) -> None:
    """Keep stored files of a backup."""
    done, total = 0, sum(member.n_bytes for member in members)
    on_progress(done, total)
    for member in members:
        put_file(storage, read_member(backup, member), n_bytes=member.n_bytes, sha256=member.sha256)
        done += member.n_bytes
        on_progress(done, total)


def restore_texts(backup: Backup, folder: Path, *, part: str = ".") -> None:
    """Write the texts of a part of the backup's folder into another folder."""
    for member in backup.manifest.texts:
        path = PurePosixPath(member.name.removeprefix(TEXTS))
        if path.is_relative_to(part):
            place = folder / path.relative_to(part)
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(backup, member, place, mode=0o644)


def _restore_secret(backup: Backup, settings: Settings, undo: ExitStack) -> None:
    for member in backup.manifest.members:
        if member.name == SECRET:
            undo.callback(_remove_files, [settings.secret_key_file])
            _write(backup, member, settings.secret_key_file, mode=0o600)


def _write(backup: Backup, member: BackupPart, path: Path, *, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        for chunk in read_member(backup, member):
            file.write(chunk)


def _remove_files(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
