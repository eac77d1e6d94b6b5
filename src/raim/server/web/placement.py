"""Uploaded challenges that were found fine: put below the server's folder, and served as drafts.

The server does it itself, in a thread: its folder may be out of the workers' reach, and it alone knows what it serves.
Of several web processes one does. Killed at any point, it begins again: the database knows the draft before its folder
is moved into place.
"""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from raim.errors import RaimError
from raim.files import write_whole
from raim.scoring.submission import unpack_folder
from raim.server.actions.accounts import appoint, find_appointment
from raim.server.actions.challenge_folders import FOLDER_SUFFIXES, load_challenge
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.challenge_upload import drop_archive, find_place, refuse_placing
from raim.server.auditing import record_event
from raim.server.database import ChallengeUpload, User
from raim.server.database.engine import PLACING_LOCK, try_turn
from raim.server.jobs.versions import scorer_version
from raim.server.storage import local_path, read_stored_file
from raim.server.web.server import WebServer

LOG = logging.getLogger(__name__)
FOLDER = Path("work", "placing")  # of what is on its way to its place, in the server's folder


def place_uploads(server: WebServer) -> None:
    """Take every upload that waits for it, or say why it cannot be taken; another host may be at it."""
    if not _list_waiting(server):
        return
    with try_turn(server.database, PLACING_LOCK) as is_ours:
        for upload in _list_waiting(server) if is_ours else ():
            _take_or_refuse(server, upload)


def _list_waiting(server: WebServer) -> Sequence[ChallengeUpload]:
    with server.database.reading() as session:
        waiting = session.scalars(
            select(ChallengeUpload).where(ChallengeUpload.state == "placing").order_by(ChallengeUpload.id)
        ).all()
        session.expunge_all()
        return waiting


def _take_or_refuse(server: WebServer, upload: ChallengeUpload) -> None:
    try:
        _place(server, upload)
    except (OperationalError, InterfaceError):
        raise  # the database is unavailable: it is tried again
    except (RaimError, OSError) as error:
        _refuse(server, upload, str(error).splitlines())
    except Exception:
        LOG.exception("an uploaded challenge could not be taken")
        _refuse(server, upload, ["it could not be taken because of a fault of the server; send it again"])
    drop_archive(server.database, server.storage, upload.sha256)


def _refuse(server: WebServer, upload: ChallengeUpload, problems: list[str]) -> None:
    with server.database.writing() as session:
        refuse_placing(session, server.clock(), upload.id, problems)


def _place(server: WebServer, upload: ChallengeUpload) -> None:
    folder = server.settings.folder
    work = folder / FOLDER / upload.key
    shutil.rmtree(work, ignore_errors=True)
    try:
        new = work / "new"
        work.mkdir(parents=True)
        unpack_folder(
            _find_archive(server, upload, work), new, suffixes=FOLDER_SUFFIXES, label=upload.file_name
        )
        definition = load_challenge(new)
        with server.database.reading() as session:
            place = find_place(session, upload, definition.id, folder)
        challenge_id = import_challenge(
            server.database,
            server.storage,
            server.clock(),
            definition,
            scorer_version=scorer_version(definition.profile),
            folder=place,
            status="draft",
        )
        _appoint(server, upload, challenge_id)
        _exchange(new, folder / place, work / "old")
        _take(server, upload, challenge_id)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _exchange(new: Path, place: Path, old: Path) -> None:
    """Move a folder into its place; what was there is moved away, and back again where that fails."""
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise


def _find_archive(server: WebServer, upload: ChallengeUpload, work: Path) -> Path:
    """Return the zip as a file of this machine."""
    there = local_path(server.storage, upload.sha256)
    if there is not None:
        return there
    path = work / "archive.zip"
    with write_whole(path) as part, part.open("wb") as file:
        file.writelines(read_stored_file(server.storage, upload.sha256))
    return path


def _appoint(server: WebServer, upload: ChallengeUpload, challenge_id: int) -> None:
    """Make who sent a challenge its organiser; administrators run every challenge."""
    with server.database.writing() as session:
        user = session.get_one(User, upload.user_id)
        if not user.is_administrator and find_appointment(session, challenge_id, user.id) is None:
            appoint(session, server.clock(), challenge_id, user, "organiser", actor_id=user.id)


def _take(server: WebServer, upload: ChallengeUpload, challenge_id: int) -> None:
    with server.database.writing() as session:
        row = session.get_one(ChallengeUpload, upload.id)
        row.state, row.updated_at, row.challenge_id = "taken", server.clock(), challenge_id
        record_event(session, server.clock(), "take challenge", row, actor_id=upload.user_id)
