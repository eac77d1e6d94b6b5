"""Files of work: data sets and submissions as the processes that check and score them read them.

A data set is brought once for each of its versions, checked by SHA-256, into a folder that appears whole or not at
all. A submission in local storage is read where it lies; from elsewhere it is brought once.
"""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import ContentMismatchError, InputError
from raim.files import hash_file, write_whole
from raim.server.database import DataSet, Image
from raim.server.jobs.context import WorkerContext
from raim.server.storage import local_path, read_stored_file

DATA_SETS = "data-sets"
SUBMISSIONS = "submissions"
PACKS = "packs"
CHALLENGES = "challenges"
UNUSED_S = 24 * 3600.0  # what was not used for so long goes


@dataclass(frozen=True, kw_only=True, slots=True)
class SetFile:
    """A file of a data set: its part ("input" or "reference"), its name there and in storage."""

    part: str
    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SetFiles:
    """What a job needs to know of a data set: scenarios by stem, in the order of names, the text of its CSV or ""."""

    version: str
    manifest: str
    scenarios: dict[str, str | None]
    files: tuple[SetFile, ...]


def read_set_files(session: Session, data_set_id: int) -> SetFiles:
    """Read which files a data set consists of."""
    row = session.get_one(DataSet, data_set_id)
    images = session.scalars(select(Image).where(Image.data_set_id == data_set_id).order_by(Image.name)).all()
    files = [SetFile(part="input", name=each.input_name, sha256=each.input_sha256) for each in images]
    files += [
        SetFile(part="reference", name=each.reference_name, sha256=each.reference_sha256)
        for each in images
        if each.reference_name is not None and each.reference_sha256 is not None
    ]
    return SetFiles(
        version=row.version,
        manifest=row.manifest,
        scenarios={each.name: each.scenario for each in images},
        files=tuple(files),
    )


def bring_data_set(context: WorkerContext, files: SetFiles) -> Path:
    """Return the folder with `input` and `reference` of a data set; it is made if it is not there.

    Raises:
        StorageError: A file is not in storage, or is not what its name says.
        InputError: A file's name is no name.
    """
    place = context.work / DATA_SETS / files.version
    if not place.is_dir():
        part = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
        try:
            for each in files.files:
                _bring(context, each.sha256, _path_in(part, each))
            try:
                part.rename(place)
            except OSError:
                if not place.is_dir():  # else another worker was faster
                    raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    os.utime(place)
    return place


def bring_submission(context: WorkerContext, sha256: str) -> Path:
    """Return the path of a submission's file; one that had to be brought stays for a day after its last use.

    Raises:
        StorageError: It is not in storage, or is not what its name says.
    """
    there = local_path(context.storage, sha256)
    if there is not None:
        return there
    path = context.work / SUBMISSIONS / f"{sha256}.zip"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_whole(path) as part:
            _bring(context, sha256, part)
    os.utime(path)
    return path


def prune_work(context: WorkerContext, versions: Collection[str]) -> int:
    """Delete what is long unused: other versions of data sets, submissions, packs, challenges; say how many."""
    folders = [context.work / name for name in (DATA_SETS, SUBMISSIONS, PACKS, CHALLENGES)]
    pruned = 0
    for path in chain.from_iterable(folder.glob("*") for folder in folders):
        with contextlib.suppress(FileNotFoundError):
            if path.name not in versions and time.time() - path.stat().st_mtime > UNUSED_S:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()
                pruned += 1
    return pruned


def _path_in(folder: Path, file: SetFile) -> Path:
    if file.name in {"", ".", ".."} or "/" in file.name or "\\" in file.name:
        raise InputError(
            f"a file of a data set cannot be called {file.name!r}; rename it and restart the server"
        )
    return folder / file.part / file.name


def _bring(context: WorkerContext, sha256: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    there = local_path(context.storage, sha256)
    if there is None:
        with path.open("wb") as file:
            file.writelines(read_stored_file(context.storage, sha256))
    else:
        try:
            os.link(there, path)  # files in storage never change
        except OSError:
            shutil.copyfile(there, path)
    found = hash_file(path)
    if found != sha256:
        raise ContentMismatchError(
            f"a file of the storage has the SHA-256 {found} in place of {sha256}; bring it back from a backup"
        )
