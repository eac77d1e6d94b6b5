"""The tiles of a study's image: made once by a child process, put into the storage, written into its row."""

import functools
import hashlib
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import RaimError
from raim.server.database import Image, Study, StudyEntry, StudyImage, Submission, Team
from raim.server.jobs.crew import Crew, Outcome
from raim.server.jobs.faults import describe_fault, with_patience
from raim.server.jobs.scratch import open_submission
from raim.server.jobs.station import Station
from raim.server.storage import adopt_file, read_file
from raim.server.tiles import pack_facts, read_index

OPEN_STATES = ("draft", "open")
LONGEST_ERROR = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a pack is made of.

    Attributes:
        image: Stem of the image's files.
        input_sha256: Of the input.
        archives: SHA-256 of each entry's zip, by its code.
        teams: Name of each entry's team, by its code, for messages to organisers.
    """

    image: str
    input_sha256: str
    archives: Mapping[str, str]
    teams: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackTask:
    """The same as a child process needs it."""

    image: str
    input: bytes
    archives: dict[str, Path]
    target: Path


def read_due_tiles(session: Session) -> list[tuple[int, int]]:
    """Give (row, attempt) of each image whose tiles are due, in the order of studies."""
    rows = session.execute(
        select(StudyImage.id, StudyImage.attempt)
        .join(Study, Study.id == StudyImage.study_id)
        .where(
            StudyImage.pack_sha256.is_(None),
            StudyImage.error.is_(None),
            Study.state.in_(OPEN_STATES),
        )
        .order_by(StudyImage.study_id, StudyImage.id)
    )
    return [(row_id, attempt) for row_id, attempt in rows]


def run_tiling(station: Station, study_image_id: int) -> str:
    """Make the tiles of an image; nothing is done if they are there, or nobody wants them any more.

    Returns:
        "made", "failed", or "" if nothing was done.

    Raises:
        WorkerStopped: The worker is to end.
    """
    wanted = with_patience(station, lambda: _read(station, study_image_id))
    if wanted is None:
        return ""
    with station.busy("tiles", f"making the tiles of {wanted.image}", []):
        try:
            return with_patience(station, lambda: _make(station, study_image_id, wanted))
        except Exception as error:  # noqa: BLE001 - whatever it is, the organisers are told
            reason = describe_fault(error)
            with_patience(station, lambda: _fail(station, study_image_id, reason))
            return "failed"


def pack_archives(task: PackTask, report: Callable[[Any], None]) -> None:
    """Make a pack out of the zips of teams, in a child process under limits.

    Raises:
        RaimError: A zip has no such image, or it cannot be used; the entry's code is named.
    """
    del report
    from raim.server.tiles.packing import INPUT, make_pack

    sources = {INPUT: task.input}
    for code, path in task.archives.items():
        images = _open(path)
        if task.image not in images:
            raise RaimError(f"{code}: there is no image {task.image!r} in the submission")
        sources[code] = images[task.image].read_bytes()
    make_pack(sources, task.target, blurred_from=min(task.archives))


def _read(station: Station, study_image_id: int) -> Wanted | None:
    with station.database.reading() as session:
        row = session.get(StudyImage, study_image_id)
        if row is None or row.pack_sha256 is not None or row.error is not None:
            return None
        if session.get_one(Study, row.study_id).state not in OPEN_STATES:
            return None
        image = session.get_one(Image, row.image_id)
        entries = session.execute(
            select(StudyEntry.code, Submission.committed_sha256, Team.name)
            .join(Submission, Submission.id == StudyEntry.submission_id)
            .join(Team, Team.id == Submission.team_id)
            .where(StudyEntry.study_id == row.study_id)
            .order_by(StudyEntry.code)
        ).all()
    return Wanted(
        image=image.name,
        input_sha256=image.input_sha256,
        archives={code: sha256 for code, sha256, _ in entries},
        teams={code: team for code, _, team in entries},
    )


def _make(station: Station, study_image_id: int, wanted: Wanted) -> str:
    station.work.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=station.work, prefix="tiles-")))
        task = PackTask(
            image=wanted.image,
            input=b"".join(read_file(station.storage, wanted.input_sha256)),
            archives={
                code: stack.enter_context(open_submission(station, sha256))
                for code, sha256 in wanted.archives.items()
            },
            target=folder / "pack",
        )
        outcome = _run_child(station, task)
        if not outcome.is_fine:
            _fail(station, study_image_id, _say(wanted, outcome))
            return "failed"
        _keep(station, study_image_id, task.target)
    return "made"


def _run_child(station: Station, task: PackTask) -> Outcome:
    crew = Crew(1, station.limits.check, station.stop)
    try:
        ((_, outcome),) = crew.run(pack_archives, [task])
        return outcome
    finally:
        crew.close()


def _keep(station: Station, study_image_id: int, path: Path) -> None:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    n_bytes = path.stat().st_size
    adopt_file(station.storage, path, n_bytes=n_bytes, sha256=sha256)
    facts = pack_facts(read_index(station.storage, sha256))
    with station.database.writing() as session:
        row = session.get_one(StudyImage, study_image_id)
        row.pack_sha256, row.pack_bytes, row.pack, row.made_at = sha256, n_bytes, facts, station.clock()


def _fail(station: Station, study_image_id: int, reason: str) -> None:
    with station.database.writing() as session:
        row = session.get_one(StudyImage, study_image_id)
        if row.pack_sha256 is None:
            row.error = reason[:LONGEST_ERROR]


def _say(wanted: Wanted, outcome: Outcome) -> str:
    """Say for organisers what was wrong, with the team in place of the entry's code."""
    if outcome.died is not None:
        return f"{wanted.image}: {outcome.died}"
    last = (outcome.fault or "").strip().splitlines()[-1].partition(": ")[2]
    named = re.sub(r"\be\d+\b", lambda code: wanted.teams.get(code[0], code[0]), last)
    return f"{wanted.image}: {named}"


@functools.lru_cache(maxsize=32)
def _open(path: Path) -> Any:
    from raim.scoring.submission import open_images

    return open_images(path)
