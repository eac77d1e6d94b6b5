"""What child processes do with a team's file: check the whole archive, or score one photograph of several archives.

These run under limits and take and give plain values. Images of teams are decoded by a process of each of them, which
sees nothing else (`raim.images.decoder`).
"""

import functools
import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raim.data import parse_manifest
from raim.errors import SubmissionError
from raim.images.decoder import read_apart
from raim.scoring.photograph import Setting, Task, score_photograph
from raim.scoring.profiles import Profile, find_profile
from raim.scoring.records import ImageScore
from raim.scoring.submission import ArchiveMember, ImageFolder, check_submission, open_images
from raim.server.jobs.process_pool import Report
from raim.server.submissions.restored import Place, list_restored

NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # SHA-256 of no bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckTask:
    """An archive to check, what its team calls it, the folder of inputs, and the text of the data set's CSV or ""."""

    path: Path
    label: str
    inputs: Path
    manifest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a check found: raim-check/1, the report for people, and where each image lies if it is fine."""

    report: dict[str, Any]
    text: str
    images: list[Place]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreTask:
    """A photograph to score, by the stem of its files: a folder of references, archives by submission, known values."""

    name: str
    scenario: str | None
    reference: Path
    archives: dict[int, Path]
    profile: str
    cache: Path | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredTask:
    """Records of a photograph by submission, in JSON form with `sha256` of the restored file; new values to keep."""

    records: dict[int, dict[str, Any]]
    new_values: dict[str, dict[str, Any]]


def check_archive(task: CheckTask, report: Report) -> Checked:
    """Check an archive; (images done, images in all) is reported after each."""
    manifest = parse_manifest(task.manifest, file_name="manifest.csv") if task.manifest else None
    found = check_submission(
        task.path,
        task.inputs,
        manifest=manifest,
        progress=lambda done, total: report((done, total)),
        read=read_apart,
    )
    named = replace(found, submission=task.label)
    images = list_restored(task.path) if named.is_fine else []
    return Checked(report=named.as_dict(), text=named.as_text(), images=images)


def score_task(task: ScoreTask, report: Report) -> ScoredTask:
    """Score all candidates of one photograph together.

    Raises:
        RaimError: Something failed though the files are whole; whoever asked tries again with each candidate alone.
    """
    del report
    profile = find_profile(task.profile)
    members: dict[int, ArchiveMember | None] = {}
    refused: dict[int, ImageScore] = {}
    for submission_id, path in task.archives.items():
        try:
            members[submission_id] = _open(path).get(task.name)
        except SubmissionError as error:
            values = dict.fromkeys(profile.columns)
            refused[submission_id] = ImageScore(
                name=task.name, scenario=task.scenario, values=values, unscored=str(error)
            )
    scored = score_photograph(
        Task(
            name=task.name,
            reference=_open_own(task.reference)[task.name],
            candidates=tuple(members.values()),
            scenario=task.scenario,
        ),
        Setting(profile=profile, engine=board_engine(profile), cache=task.cache, threads=1, read=read_apart),
    )
    if scored.faults:
        raise scored.faults[0]
    images = refused | dict(zip(members, scored.images, strict=True))
    return ScoredTask(
        records={key: _record(images[key], members.get(key)) for key in task.archives},
        new_values=scored.new_values,
    )


def board_engine(profile: Profile) -> str:
    """Name the engine of a board's scores: the same on every worker, whatever is faster on its processor.

    Example:
        >>> board_engine(find_profile("raim-2024-fast"))
        'fast'
    """
    if profile.engine != "auto":
        return profile.engine
    return "ncnn" if importlib.util.find_spec("ncnn") else "torch"


def _record(image: ImageScore, member: ArchiveMember | None) -> dict[str, Any]:
    try:
        sha256 = NOTHING if member is None else member.sha256()
    except SubmissionError:
        sha256 = NOTHING
    return {**image.as_dict(), "sha256": sha256}


@functools.lru_cache(maxsize=16)
def _open(path: Path) -> ImageFolder:
    return open_images(path)


@functools.lru_cache(maxsize=2)
def _open_own(path: Path) -> ImageFolder:
    return open_images(path, allow_links=True)
