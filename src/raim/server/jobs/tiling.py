"""The tiles of a study's image: made once by a child process, put into the storage, written into its row."""

import functools
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from raim.errors import InputError, RaimError
from raim.files import hash_file
from raim.images import ReadImage, read_image
from raim.images.decoder import read_apart
from raim.scoring.submission import open_images
from raim.server.database import Challenge, Image, Study, StudyEntry, StudyImage, Submission, Team
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.faults import describe_fault, with_patience
from raim.server.jobs.process_pool import Report, TaskOutcome, run_alone
from raim.server.jobs.work_folder import PACKS, bring_submission
from raim.server.storage import adopt_file, check_space, has_file
from raim.server.study.packs import forget_packs
from raim.server.tiles import PACKED_INPUT, pack_facts, read_index

OPEN_STATES = ("draft", "open")
LONGEST_ERROR = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class PackSources:
    """What a pack is made of: an input, SHA-256 of zips and, for messages to organisers, names of teams by code."""

    image: str
    input_sha256: str
    archives: Mapping[str, str]
    teams: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class PackTask:
    """The same as a child process needs it; the input is read there, too."""

    image: str
    input: Path
    archives: dict[str, Path]
    target: Path


def read_due_tiles(session: Session, *conditions: ColumnElement[bool]) -> list[tuple[int, int]]:
    """Return (row, attempt) of each image whose tiles are due, in the order of studies; conditions on its challenge."""
    rows = session.execute(
        select(StudyImage.id, StudyImage.attempt)
        .join(Study, Study.id == StudyImage.study_id)
        .join(Challenge, Challenge.id == Study.challenge_id)
        .where(StudyImage.pack_sha256.is_(None), StudyImage.error.is_(None), Study.state.in_(OPEN_STATES))
        .where(*conditions)
        .order_by(StudyImage.study_id, StudyImage.id)
    )
    return [(row_id, attempt) for row_id, attempt in rows]


def run_tiling(context: WorkerContext, study_image_id: int, *, in_child: bool = True) -> str:
    """Make the tiles of an image; give "made", "failed", or "" if they are there, or nobody wants them any more.

    It is done in a process apart, as with all that teams send; `in_child` is False for files of our own making only.
    """
    wanted = with_patience(context, lambda: _read(context, study_image_id))
    if wanted is None:
        return ""
    with context.busy("tiles", f"making the tiles of {wanted.image}", []):
        try:
            return with_patience(context, lambda: _make(context, study_image_id, wanted, in_child=in_child))
        except Exception as error:  # noqa: BLE001 - whatever it is, the organisers get the reason
            reason, _ = describe_fault(error)
            with_patience(context, lambda: _fail(context, study_image_id, reason))
            return "failed"


def pack_archives(task: PackTask, report: Report, read: ReadImage = read_apart) -> str:
    """Make a pack out of the zips of teams, in a child process under limits.

    Returns:
        "", or why it cannot be: the image is missing in a zip, or cannot be used; the entry's code is named.
    """
    del report
    from raim.server.tiles.packing import make_pack

    entries = {code: functools.partial(_read_entry, task, code) for code in task.archives}
    try:
        make_pack({PACKED_INPUT: task.input, **entries}, task.target, blurred_from=min(entries), read=read)
    except RaimError as error:
        return str(error)
    return ""


def _read_entry(task: PackTask, code: str) -> bytes:
    try:
        images = open_images(task.archives[code])
        if task.image not in images:
            raise InputError(f"there is no image {task.image!r} in the submission")
        return images[task.image].read_bytes()
    except RaimError as error:
        raise InputError(f"{code}: {error}") from error


def forget_lost_packs(context: WorkerContext) -> int:
    """Let the tiles be made again whose pack is gone from the storage; give of how many images."""
    with context.database.reading() as session:
        rows = session.execute(
            select(StudyImage.id, StudyImage.pack_sha256)
            .join(Study, Study.id == StudyImage.study_id)
            .where(StudyImage.pack_sha256.is_not(None), Study.state.in_(OPEN_STATES))
        ).all()
    lost = [row_id for row_id, sha256 in rows if sha256 and not has_file(context.storage, sha256)]
    if lost:
        with context.database.writing() as session:
            forget_packs(session, StudyImage.id.in_(lost))
    return len(lost)


def _read(context: WorkerContext, study_image_id: int) -> PackSources | None:
    with context.database.reading() as session:
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
    return PackSources(
        image=image.name,
        input_sha256=image.input_sha256,
        archives={code: sha256 for code, sha256, _ in entries},
        teams={code: team for code, _, team in entries},
    )


def _make(context: WorkerContext, study_image_id: int, wanted: PackSources, *, in_child: bool) -> str:
    target = context.work / PACKS / uuid.uuid4().hex
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        task = PackTask(
            image=wanted.image,
            input=bring_submission(context, wanted.input_sha256),
            archives={code: bring_submission(context, sha256) for code, sha256 in wanted.archives.items()},
            target=target,
        )
        if in_child:
            outcome = run_alone(pack_archives, task, context.limits.check, context.stop)
        else:
            outcome = TaskOutcome(value=pack_archives(task, print, read_image))
        if outcome.is_fine and not outcome.value:
            _keep(context, study_image_id, target)
            return "made"
        _fail(context, study_image_id, _say(wanted, outcome))
        return "failed"
    finally:
        target.unlink(missing_ok=True)


def _keep(context: WorkerContext, study_image_id: int, path: Path) -> None:
    sha256, n_bytes = hash_file(path), path.stat().st_size
    check_space(context.storage, n_bytes)
    adopt_file(context.storage, path, n_bytes=n_bytes, sha256=sha256)
    facts = pack_facts(read_index(context.storage, sha256))
    with context.database.writing() as session:
        row = session.get_one(StudyImage, study_image_id)
        row.pack_sha256, row.pack_bytes, row.pack, row.made_at = sha256, n_bytes, facts, context.clock()
        row.error = None


def _fail(context: WorkerContext, study_image_id: int, reason: str) -> None:
    with context.database.writing() as session:
        row = session.get_one(StudyImage, study_image_id)
        if row.pack_sha256 is None:
            row.error = reason[:LONGEST_ERROR]


def _say(wanted: PackSources, outcome: TaskOutcome) -> str:
    """Return for organisers what was wrong, with the team in place of the entry's code."""
    if outcome.died is not None:
        return f"{wanted.image}: {outcome.died}"
    if outcome.fault is not None:
        return f"{wanted.image}: making tiles has a fault\n{outcome.fault}"
    named = re.sub(r"\be\d+\b", lambda code: wanted.teams.get(code[0], code[0]), outcome.value)
    return f"{wanted.image}: {named}"
