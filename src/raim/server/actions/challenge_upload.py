"""Challenges that come as a zip of their folder: begun with a promise, sent, checked by a worker, taken as a draft.

Every problem is reported and changes nothing: the server's folder is touched only once the zip was
found fine (`raim.server.web.placement`).
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.challenge.reading import CHALLENGE_FILE
from raim.errors import StateError, StorageError, UnknownNameError
from raim.records.administration import NewChallengeUpload
from raim.server.actions.accounts import find_appointment
from raim.server.auditing import record_event
from raim.server.database import Challenge, ChallengeUpload, Database, Submission, User
from raim.server.gathering import UPLOAD_SILENCE, clean_file_name, keep_gathered, make_key
from raim.server.storage import Storage, delete_file

LOG = logging.getLogger(__name__)
MOST_UNDER_WAY = 3  # of a person
UNDER_WAY = ("arriving", "inspecting", "placing")
LONGEST_LIST = 1000  # problems and notes that are kept, each
SERVER_FOLDERS = frozenset({"files", "work"})  # of the server, beside the challenges


def why_not_here(folder: Path) -> str:
    """Return why a server's folder has no place for challenges; "" where it has."""
    if not (folder / CHALLENGE_FILE).exists():
        return ""
    return (
        "this server was started on the folder of one challenge, which has no place for others; start it on a folder "
        "in whose sub-folders the challenges lie, each with its challenge.toml, and upload again. The one that is here "
        "is changed in its folder, and its file read again on the page of its phases"
    )


def begin_challenge_upload(
    session: Session, now: datetime, user_id: int, wanted: NewChallengeUpload, *, folder: Path
) -> ChallengeUpload:
    """Begin to upload a challenge, or go on with the same file of the same person.

    Raises:
        StateError: The server has one challenge alone, or too many of theirs are under way.
    """
    if problem := why_not_here(folder):
        raise StateError(problem)
    session.get_one(
        User, user_id, with_for_update=True
    )  # of two that begin the same file at once one goes on
    own = select(ChallengeUpload).where(
        ChallengeUpload.user_id == user_id, ChallengeUpload.state.in_(UNDER_WAY)
    )
    same = own.where(ChallengeUpload.sha256 == wanted.sha256, ChallengeUpload.n_bytes == wanted.n_bytes)
    begun = session.scalar(same)
    if begun is not None:
        return begun
    n_under_way = session.scalar(select(func.count()).select_from(own.subquery())) or 0
    if n_under_way >= MOST_UNDER_WAY:
        raise StateError(
            f"{n_under_way} challenges of yours are under way, which are as many as may be at once; wait until one is "
            "there, or give one up"
        )
    upload = ChallengeUpload(
        user_id=user_id,
        key=make_key(),
        file_name=clean_file_name(wanted.file_name),
        n_bytes=wanted.n_bytes,
        sha256=wanted.sha256,
        begun_at=now,
        updated_at=now,
    )
    session.add(upload)
    record_event(session, now, "upload challenge", upload, actor_id=user_id, file=upload.file_name)
    return upload


def finish_challenge_upload(database: Database, storage: Storage, now: datetime, *, key: str) -> None:
    """Bring a whole zip into the storage and let its check begin.

    Raises:
        ContentMismatchError: Its SHA-256 is not the promised one; the upload begins again.
        StorageError: It cannot be kept now; nothing is lost.
    """
    with database.reading() as session:
        upload = find_by_key(session, key)
        if upload.state != "arriving":
            return
    keep_gathered(storage, key, n_bytes=upload.n_bytes, sha256=upload.sha256)
    with database.writing() as session:
        upload = session.get_one(ChallengeUpload, upload.id, with_for_update=True)
        if upload.state == "arriving":
            upload.state, upload.updated_at = "inspecting", now


def find_by_key(session: Session, key: str) -> ChallengeUpload:
    """Return an upload that can go on.

    Raises:
        UnknownNameError: There is none, or it was given up.
    """
    found = session.scalar(select(ChallengeUpload).where(ChallengeUpload.key == key))
    if found is None or found.state == "given up":
        raise UnknownNameError("there is no such upload; it may have been given up: begin it again")
    return found


def give_up(session: Session, now: datetime, upload_id: int, reason: str, *, actor_id: int | None) -> None:
    """Give up an upload that has not come whole; the server deletes its bytes."""
    upload = session.get_one(ChallengeUpload, upload_id, with_for_update=True)
    if upload.state == "arriving":
        upload.state, upload.updated_at, upload.problems = "given up", now, [reason]
        record_event(session, now, "abandon challenge", upload, actor_id=actor_id, reason=reason)


def abandon_silent_challenge_uploads(
    session: Session, now: datetime, *, silence: timedelta = UPLOAD_SILENCE
) -> None:
    """Give up uploads that have stood still."""
    silent = select(ChallengeUpload.id).where(
        ChallengeUpload.state == "arriving", ChallengeUpload.updated_at < now - silence
    )
    for upload_id in session.scalars(silent).all():
        reason = f"nothing came for {silence.total_seconds() / 3600:g} hours"
        give_up(session, now, upload_id, reason, actor_id=None)


def conclude_check(
    session: Session, now: datetime, upload_id: int, problems: Sequence[str], notes: Sequence[str] = ()
) -> str:
    """Write down what the check of an upload found; return its state then."""
    upload = session.get_one(ChallengeUpload, upload_id, with_for_update=True)
    if upload.state == "inspecting":
        upload.state = "rejected" if problems else "placing"
        upload.problems, upload.notes = list(_cut(problems)), list(_cut(notes))
        upload.updated_at = now
        if problems:
            record_event(session, now, "refuse challenge", upload, actor_id=None, problems=len(problems))
    return upload.state


def refuse_placing(session: Session, now: datetime, upload_id: int, problems: Sequence[str]) -> None:
    """Refuse an upload that was found fine and cannot be taken."""
    upload = session.get_one(ChallengeUpload, upload_id, with_for_update=True)
    upload.state, upload.updated_at, upload.problems = "rejected", now, list(_cut(problems))
    record_event(session, now, "refuse challenge", upload, actor_id=None, problems=len(problems))


def find_place(session: Session, upload: ChallengeUpload, slug: str, folder: Path) -> str:
    """Return where an uploaded challenge goes, seen from the server's folder: its own place, or a new one.

    Raises:
        StateError: It is no draft, another's, or something else is there.
    """
    if problem := why_not_here(folder):
        raise StateError(problem)
    own = session.scalar(select(Challenge).where(Challenge.slug == slug))
    if own is None:
        if slug in SERVER_FOLDERS or (folder / slug).exists():
            raise StateError(
                f"the server's folder has a {slug!r} already, which is not this challenge's; give the challenge "
                "another id, or let an administrator move that away"
            )
        return slug
    user = session.get_one(User, upload.user_id)
    held = find_appointment(session, own.id, user.id)
    if not user.is_administrator and (held is None or held.office != "organiser"):
        raise StateError(f"the id {slug!r} is taken on this server; give your challenge another one")
    if own.status != "draft":
        raise StateError(
            f"the challenge {slug!r} is {own.status} on this server, and only a draft is replaced; change it in its "
            "folder on the server and read its file again on the page of its phases, or let an administrator make it a "
            "draft first"
        )
    return own.folder


def drop_archive(database: Database, storage: Storage, sha256: str) -> None:
    """Delete the zip of an upload that has ended, unless something else needs the same file."""
    with database.reading() as session:
        needs = (
            select(ChallengeUpload.id).where(
                ChallengeUpload.sha256 == sha256, ChallengeUpload.state.in_(UNDER_WAY)
            ),
            select(Submission.id).where(Submission.committed_sha256 == sha256),
        )
        if any(session.scalar(each.limit(1)) is not None for each in needs):
            return
    try:
        delete_file(storage, sha256)
    except StorageError as error:
        LOG.warning("the zip of an upload that has ended stays: %s", error)


def _cut(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:LONGEST_LIST]
    if len(lines) > LONGEST_LIST:
        yield f"and {len(lines) - LONGEST_LIST} more"
