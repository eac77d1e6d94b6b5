"""Bring a challenge's file and images into database and storage, at every start of the server.

What is there already is left alone: files are named by their content. Dates that an organiser has changed from the
page stay until the file states others. A data set that teams have submitted to keeps its images' names; their files
may be corrected, which makes another version of it and calls for scoring again.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Challenge, DataImage, DataSet, Phase, as_plain
from raim.errors import StateError
from raim.files import hash_file
from raim.processes import OnProgress
from raim.server import database as tables
from raim.server.actions.challenge_folders import forget_problems
from raim.server.actions.teams import approve_waiting
from raim.server.auditing import record_event
from raim.server.database import Database, announce_change
from raim.server.storage import Storage, has_file, pieces, put_file
from raim.tables import decode_table, read_content


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredFile:
    """A file that lies in storage.

    Attributes:
        name: Its file name in the challenge's folder.
        sha256: Its name in storage.
        n_bytes: Its length.
    """

    name: str
    sha256: str
    n_bytes: int


StoredPair = tuple[StoredFile, StoredFile | None]
StoredSets = dict[str, dict[str, StoredPair]]


def import_challenge(
    database: Database,
    storage: Storage,
    now: datetime,
    challenge: Challenge,
    *,
    scorer_version: str,
    folder: str | None = None,
    status: str = "open",
    on_progress: OnProgress = lambda _done, _total: None,
) -> int:
    """Bring a challenge, read and checked, into database and storage; give the id of its row.

    Progress is called with (images stored, images in all). `folder`: where its file lies, seen from the server's
    folder; None for where it lay, or that folder itself. `status`: of one that is new here.

    Raises:
        StateError: Its folder held another challenge, or misses what teams have submitted to: a phase, a data set, an
            image of one; a line each.
        StorageError: A file cannot be kept.
    """
    with database.reading() as session:
        conflicts = list(_find_conflicts(session, challenge, folder))
    if conflicts:
        raise StateError("\n".join(conflicts))
    stored = _store_all(storage, challenge, on_progress)
    with database.writing() as session:
        row = _put_challenge(session, now, challenge, scorer_version, folder=folder, status=status)
        if not challenge.registration.approval_required:
            approve_waiting(session, now, row.id)
        for position, phase in enumerate(challenge.phases, start=1):
            _put_phase(session, row.id, position, phase)
        is_at_once = challenge.leaderboard.new_versions == "at-once"
        for data_set in challenge.data_sets:
            _put_data_set(session, now, row, data_set, stored[data_set.id], is_at_once=is_at_once)
        return row.id


def _find_conflicts(session: Session, challenge: Challenge, folder: str | None) -> Iterator[str]:
    """Yield what a challenge's file must not change while teams take part, each with a way out."""
    rows = list(session.scalars(select(tables.Challenge)))
    own = next((row for row in rows if row.slug == challenge.id), None)
    place = folder or ("." if own is None else own.folder)
    other = next((row.slug for row in rows if row.folder == place and row is not own), None)
    if other is not None:
        yield (
            f"the file is of the challenge {challenge.id!r}, its folder was that of {other!r}: put its id back, or "
            "give the new challenge a folder of its own"
        )
    elif own is not None:
        yield from _lost(session, own.id, challenge)
        yield from _overlaps(session, own.id, challenge)


def _lost(session: Session, challenge_id: int, challenge: Challenge) -> Iterator[str]:
    """Yield phases and data sets that have submissions and are no longer in the file."""
    phases, sets = {each.id for each in challenge.phases}, {each.id for each in challenge.data_sets}
    table: Any
    for what, table, used, there in (
        ("phase", tables.Phase, tables.Submission.phase_id, phases),
        ("data set", tables.DataSet, tables.Submission.data_set_id, sets),
    ):
        found = select(table.slug).where(table.challenge_id == challenge_id, table.id.in_(select(used)))
        for slug in session.scalars(found.order_by(table.slug)):
            if slug not in there:
                yield f"teams have submitted to the {what} {slug!r}, which is no longer in the file; put it back"


def _overlaps(session: Session, challenge_id: int, challenge: Challenge) -> Iterator[str]:
    """Yield phases that would overlap: dates that were changed on the page stay while the file's own stay the same."""
    stated = {
        row.slug: row
        for row in session.scalars(select(tables.Phase).where(tables.Phase.challenge_id == challenge_id))
    }
    dates = []
    for phase in challenge.phases:
        opens, closes, row = phase.opens, phase.closes, stated.get(phase.id)
        if row is not None and (row.stated_opens_at, row.stated_closes_at) == (opens, closes):
            opens, closes = row.opens_at, row.closes_at
        dates.append((opens, closes, phase.name))
    for (_, closes, name), (opens, _, following) in zip(sorted(dates), sorted(dates)[1:], strict=False):
        if opens < closes:
            yield (
                f"{following} would open at {opens:%Y-%m-%d %H:%M} UTC, before {name} closes at "
                f"{closes:%Y-%m-%d %H:%M} UTC as it was set on the page; change one of them"
            )


def _store_all(storage: Storage, challenge: Challenge, on_progress: OnProgress) -> StoredSets:
    total = sum(len(data_set.images) for data_set in challenge.data_sets)
    stored: StoredSets = {}
    done = 0
    on_progress(0, total)
    for data_set in challenge.data_sets:
        stored[data_set.id] = {}
        for image in data_set.images:
            stored[data_set.id][image.name] = _store_image(storage, image)
            done += 1
            on_progress(done, total)
    return stored


def _store_image(storage: Storage, image: DataImage) -> StoredPair:
    given = _store_file(storage, image.input_file)
    return given, None if image.reference_file is None else _store_file(storage, image.reference_file)


def _store_file(storage: Storage, path: Path) -> StoredFile:
    # Hashed again at every start: what lies in the folder counts, not what a manifest says of it.
    sha256, n_bytes = hash_file(path), path.stat().st_size
    if not has_file(storage, sha256):
        with path.open("rb") as file:
            put_file(storage, pieces(file), n_bytes=n_bytes, sha256=sha256)
    return StoredFile(name=path.name, sha256=sha256, n_bytes=n_bytes)


def _put_challenge(
    session: Session,
    now: datetime,
    challenge: Challenge,
    scorer_version: str,
    *,
    folder: str | None,
    status: str,
) -> tables.Challenge:
    plain = as_plain(challenge) | {"folder": "."}  # the same wherever a host has it
    sha256 = hashlib.sha256(repr(plain).encode()).hexdigest()
    forget_problems(session, folder or ".")  # and wait for another host that brings in the same
    row = session.scalar(select(tables.Challenge).where(tables.Challenge.slug == challenge.id))
    if row is None:
        row = tables.Challenge(slug=challenge.id, status=status, created_at=now)
    row.folder = folder or row.folder or "."
    if row.definition_sha256 == sha256 and row.scorer_version == scorer_version:
        return row
    row.title, row.definition, row.definition_sha256 = challenge.name, plain, sha256
    row.profile, row.scorer_version = challenge.profile, scorer_version
    session.add(row)
    record_event(session, now, "read challenge", row, actor_id=None, sha256=sha256, version=scorer_version)
    return row


def _put_phase(session: Session, challenge_id: int, position: int, phase: Phase) -> None:
    row = session.scalar(
        select(tables.Phase).where(tables.Phase.challenge_id == challenge_id, tables.Phase.slug == phase.id)
    )
    if row is None:
        row = tables.Phase(challenge_id=challenge_id, slug=phase.id)
    if (row.stated_opens_at, row.stated_closes_at) != (phase.opens, phase.closes):
        row.opens_at, row.closes_at = phase.opens, phase.closes
        row.stated_opens_at, row.stated_closes_at = phase.opens, phase.closes
    row.title, row.position = phase.name, position
    session.add(row)
    session.flush()


def _put_data_set(
    session: Session,
    now: datetime,
    challenge: tables.Challenge,
    data_set: DataSet,
    files: dict[str, StoredPair],
    *,
    is_at_once: bool,
) -> None:
    row = session.scalar(
        select(tables.DataSet).where(
            tables.DataSet.challenge_id == challenge.id, tables.DataSet.slug == data_set.id
        )
    )
    if row is None:
        row = tables.DataSet(challenge_id=challenge.id, slug=data_set.id, created_at=now)
    manifest = data_set.manifest_file
    row.title, row.kind = data_set.name, data_set.kind
    row.manifest = "" if manifest is None else decode_table(read_content(manifest), manifest.name)[0]
    row.version, row.contents = _version(files), _hash_contents(data_set, files)
    newest = (challenge.scorer_version, row.version)
    if row.id is None or is_at_once or not _has_results_in_force(session, row):
        row.scorer_version_in_force, row.reference_version_in_force = newest
    if session.is_modified(row):
        announce_change(session, challenge.id)
    session.add(row)
    session.flush()
    _put_images(session, row, data_set, files)


def _put_images(
    session: Session, row: tables.DataSet, data_set: DataSet, files: dict[str, StoredPair]
) -> None:
    there = {
        each.name: each
        for each in session.scalars(select(tables.Image).where(tables.Image.data_set_id == row.id))
    }
    gone = there.keys() - files.keys()
    if there and there.keys() != files.keys() and _is_used(session, row.id):
        raise StateError(
            f"teams have submitted to the data set {data_set.id!r}, so its images cannot be added or taken away: "
            f"{', '.join(sorted(there.keys() ^ files.keys())[:5])}; make another data set for another phase"
        )
    for name in gone:
        session.delete(there[name])
    for image in data_set.images:
        record = there.get(image.name) or tables.Image(data_set_id=row.id, name=image.name)
        given, reference = files[image.name]
        record.scenario, record.width, record.height = image.scenario, image.width, image.height
        record.input_name, record.input_sha256, record.input_bytes = given.name, given.sha256, given.n_bytes
        record.reference_name = None if reference is None else reference.name
        record.reference_sha256 = None if reference is None else reference.sha256
        record.reference_bytes = None if reference is None else reference.n_bytes
        session.add(record)
    session.flush()


def _is_used(session: Session, data_set_id: int) -> bool:
    used = select(tables.Submission.id).where(tables.Submission.data_set_id == data_set_id).limit(1)
    return session.scalar(used) is not None


def _version(files: dict[str, StoredPair]) -> str:
    digest = hashlib.sha256()
    for name, (given, reference) in sorted(files.items()):
        digest.update(f"{name}\0{given.sha256}\0{reference.sha256 if reference else ''}\n".encode())
    return digest.hexdigest()


def _hash_contents(data_set: DataSet, files: dict[str, StoredPair]) -> str:
    said = [
        (image.name, image.scenario, image.width, image.height, *map(repr, files[image.name]))
        for image in data_set.images
    ]
    return hashlib.sha256(repr((data_set.id, said)).encode()).hexdigest()


def _has_results_in_force(session: Session, data_set: tables.DataSet) -> bool:
    """Return whether anything is scored under a data set's pair in force."""
    found = (
        select(tables.EntryResult.id)
        .join(tables.Submission, tables.Submission.id == tables.EntryResult.submission_id)
        .where(
            tables.Submission.data_set_id == data_set.id,
            tables.EntryResult.scorer_version == data_set.scorer_version_in_force,
            tables.EntryResult.reference_version == data_set.reference_version_in_force,
        )
    )
    return session.scalar(found.limit(1)) is not None
