"""One challenge out of a backup into a server that is there, with its people: wholly or not at all.

The rows go through a database of their own first, where they have to fit each other and what was under way is set back;
folder and images are made beside their place. The database is committed last, as in a whole recovery.
"""

import shutil
from collections.abc import Collection
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge.reading import CHALLENGE_FILE
from raim.errors import StateError
from raim.processes import OnProgress
from raim.server.actions.challenge_upload import SERVER_FOLDERS
from raim.server.auditing import record_event
from raim.server.backup.data_folders import lay_out_images
from raim.server.backup.manifest import BackupPart, is_safe_part
from raim.server.backup.opening import open_backup
from raim.server.backup.recovering import (
    Recovered,
    check_backup,
    explained,
    name_missing,
    restore_files,
    restore_texts,
)
from raim.server.backup.renumbering import bring_rows
from raim.server.backup.resetting import reset_states
from raim.server.backup.tables import restore_rows
from raim.server.backup.writing import find_challenge, list_stored
from raim.server.database import Challenge, Database, open_database
from raim.server.database.engine import STORAGE_LOCK, take_turn
from raim.server.database.migration import open_existing
from raim.server.settings import Settings
from raim.server.storage import Storage, delete_file, has_file, open_storage
from raim.server.submissions.kept import list_files


def recover_challenge(
    path: Path,
    settings: Settings,
    challenge_id: str,
    *,
    now: datetime,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Recovered:
    """Bring one challenge of a backup into a server, which may run meanwhile; `on_progress` as in `recover_backup`.

    Raises:
        BackupError: It is damaged, none, or of a newer raim.
        UnknownNameError: It has no such challenge.
        StateError: The server has one of that id already, or takes no more; or there is no server.
        OutputError: A file cannot be written.
        StorageError: A file cannot be kept.
    """
    with ExitStack() as opened, ExitStack() as undo, explained(settings.folder):
        backup = opened.enter_context(open_backup(path))
        check_backup(backup)
        target = opened.enter_context(open_existing(settings.database_url))
        place = _find_place(target, settings, challenge_id)
        storage = open_storage(settings.storage_url, keep_free_bytes=settings.keep_free_bytes)
        beside = Path(opened.enter_context(TemporaryDirectory(dir=settings.folder, prefix=".recover-")))
        source = open_database(f"sqlite:///{beside / 'rows.db'}")
        opened.callback(source.engine.dispose)
        rows = opened.enter_context(source.engine.execution_options(raim_writes=True).connect())
        opened.enter_context(rows.begin())
        restore_rows(rows, backup)
        found = find_challenge(rows, challenge_id)
        stored = list_stored(rows, found.id)
        missing = {sha256: why for sha256, why in backup.manifest.missing.items() if sha256 in stored}
        files = [each for each in backup.manifest.files if each.sha256 in stored]
        new = [each for each in files if not has_file(storage, each.sha256)]
        undo.callback(_delete_unused, target, storage, new)
        restore_files(backup, storage, new, on_progress)
        folder = beside / challenge_id
        folder.mkdir()
        restore_texts(backup, folder, part=found.folder)
        with Session(rows) as session:
            reset = reset_states(session, now, backup.manifest, challenge_id=found.id)
            session.get_one(Challenge, found.id).folder = challenge_id
            session.flush()
            notes = lay_out_images(
                session, storage, beside, missing=frozenset(missing), challenge_id=found.id
            )
        with target.writing() as session:
            take_turn(
                session, STORAGE_LOCK
            )  # nothing is freed from here on; what was meanwhile is kept again
            freed = [each for each in files if not has_file(storage, each.sha256)]
            restore_files(backup, storage, freed, on_progress)
            arrived = bring_rows(rows, session, found.id)
            people = arrived.people
            row = session.get_one(Challenge, arrived.id)
            facts: dict[str, Any] = {
                "made_at": backup.manifest.made_at.isoformat(),
                "raim": backup.manifest.raim,
            }
            facts |= {"joined": len(people.joined), "new": len(people.new)}
            record_event(session, now, "recover challenge", row, actor_id=None, **facts)
            folder.rename(place)
            undo.callback(shutil.rmtree, place, ignore_errors=True)
        undo.pop_all()
    return Recovered(
        manifest=backup.manifest,
        reset=reset,
        notes=(*people.notes, *name_missing(missing), *notes),
        n_rows=arrived.n_rows,
        n_files=len(files),
        n_joined=len(people.joined),
        n_new=len(people.new),
    )


def _find_place(target: Database, settings: Settings, challenge_id: str) -> Path:
    """Return where a challenge's folder comes to lie."""
    with target.reading() as session:
        if session.scalar(select(Challenge.id).where(Challenge.slug == challenge_id)) is not None:
            raise StateError(
                f"the server of {settings.folder} has a challenge {challenge_id!r} already; to see it as it was in the "
                "backup, recover that into a new folder"
            )
    if (settings.folder / CHALLENGE_FILE).exists():
        raise StateError(
            f"{settings.folder} is the folder of one challenge; stop its server, move {CHALLENGE_FILE} and what "
            "belongs to it into a sub-folder, start the server once, and recover then"
        )
    place = settings.folder / challenge_id
    if not is_safe_part(challenge_id) or challenge_id in SERVER_FOLDERS or place.exists():
        raise StateError(f"{place} is there already; move it away: the challenge's files come to lie there")
    return place


def _delete_unused(target: Database, storage: Storage, added: Collection[BackupPart]) -> None:
    """Delete files that were added, but those that somebody has handed in meanwhile."""
    with target.writing() as session:
        take_turn(session, STORAGE_LOCK)
        used = set(session.scalars(select(list_files().subquery().c.sha256)))
        for each in added:
            if each.sha256 not in used:
                delete_file(storage, each.sha256)
