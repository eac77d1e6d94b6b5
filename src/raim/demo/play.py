"""The whole demo: a challenge is made, entered three times, each entry checked, all scored, the results published."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from raim.data import read_manifest
from raim.demo.challenge import DemoChallenge, copy_challenge, make_challenge
from raim.demo.entering import Stopwatch, write_entry
from raim.demo.photographs import require_opencv
from raim.demo.restorers import ENTRIES
from raim.demo.workplace import Workplace, open_workplace
from raim.errors import SubmissionError
from raim.processes import OnProgress
from raim.report import PictureFolders, write_score_page
from raim.scoring import ScoreTable, score_folders, write_csv, write_json
from raim.scoring.submission import CheckReport, check_submission

ShowProgress = Callable[[str], AbstractContextManager[OnProgress]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What the demo made.

    Attributes:
        workplace: The folder.
        challenge: The images and how they were made.
        checks: The check of each submission.
        table: The scores.
    """

    workplace: Workplace
    challenge: DemoChallenge
    checks: tuple[CheckReport, ...]
    table: ScoreTable


def show_nothing(what: str) -> AbstractContextManager[OnProgress]:
    """Show no progress."""
    del what
    return nullcontext(lambda _done, _total: None)


def play_demo(
    folder: Path,
    *,
    data: Path | None = None,
    overwrite: bool = False,
    workers: int = 1,
    profile: str = "raim-2024",
    cache: Path | None = None,
    show_progress: ShowProgress = show_nothing,
    clock: Stopwatch = time.perf_counter,
    created: datetime | None = None,
) -> Played:
    """Play the demo into a folder.

    Args:
        folder: New, empty, or with `overwrite` one that an earlier demo made.
        data: The reader's own pairs; None degrades the photographs of scikit-image's wheel.
        overwrite: Whether an earlier demo in the folder is replaced.
        workers: Processes that score.
        profile: What is measured.
        cache: File of known values; None keeps none.
        show_progress: Gives, for the name of a step, a context with the function that shows (done, in all).
        clock: Seconds, for the run time that each readme.txt states.
        created: The time that the page states.

    Raises:
        MissingExtraError: If scikit-image or OpenCV are not installed.
        InputError: If the folder must not be replaced or the data hold no pair.
        SubmissionError: If one of the demo's own submissions has a problem.
        WeightsMissingError: If the pretrained weights are not here and cannot be fetched.
    """
    require_opencv()
    workplace = open_workplace(folder, data=data, overwrite=overwrite)
    with show_progress("making the challenge") as on_progress:
        challenge = (
            make_challenge(workplace, on_progress=on_progress)
            if data is None
            else copy_challenge(workplace, data, on_progress=on_progress)
        )
    _enter_all(workplace, len(challenge.names), clock, show_progress)
    checks = _check_all(workplace, show_progress)
    with show_progress("scoring") as on_progress:
        table = score_folders(
            _zips(workplace),
            workplace.references,
            profile=profile,
            manifest=workplace.manifest,
            names=[entry.name for entry in ENTRIES],
            workers=workers,
            cache=cache,
            on_progress=on_progress,
        )
    _publish(workplace, challenge, table, created)
    return Played(workplace=workplace, challenge=challenge, checks=checks, table=table)


def _zips(workplace: Workplace) -> list[Path]:
    return [workplace.submissions / f"{entry.file_name}.zip" for entry in ENTRIES]


def _enter_all(workplace: Workplace, n_images: int, clock: Stopwatch, show_progress: ShowProgress) -> None:
    manifest = read_manifest(workplace.manifest)
    total, done = n_images * len(ENTRIES), 0
    with show_progress("restoring in three ways") as on_progress:

        def count() -> None:
            nonlocal done
            done += 1
            on_progress(done, total)

        for entry, path in zip(ENTRIES, _zips(workplace), strict=True):
            write_entry(entry, path, workplace.inputs, manifest, clock=clock, on_image=count)


def _check_all(workplace: Workplace, show_progress: ShowProgress) -> tuple[CheckReport, ...]:
    manifest = read_manifest(workplace.manifest)
    reports = []
    for path in _zips(workplace):
        with show_progress(f"checking {path.name}") as on_progress:
            report = check_submission(path, workplace.inputs, manifest=manifest, progress=on_progress)
        if not report.is_fine:
            raise SubmissionError(report.as_text(), problems=report.problems)
        reports.append(report)
    return tuple(reports)


def _publish(
    workplace: Workplace, challenge: DemoChallenge, table: ScoreTable, created: datetime | None
) -> None:
    write_json(table, workplace.scores_json)
    write_csv(table, workplace.scores_csv)
    entries = "; ".join(f"{entry.name}: {entry.description}" for entry in ENTRIES)
    write_score_page(
        table,
        workplace.page,
        pictures=PictureFolders(
            reference=workplace.references,
            restored={entry.name: path for entry, path in zip(ENTRIES, _zips(workplace), strict=True)},
            inputs=workplace.inputs,
        ),
        title="A small restoration challenge",
        note=f"{challenge.note} Entries: {entries}.",
        created=created,
    )
