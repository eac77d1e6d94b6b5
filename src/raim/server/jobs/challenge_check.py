"""The check of an uploaded challenge: its zip is unpacked and examined in a child process; all problems are found."""

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import examine_challenge
from raim.data import read_manifest
from raim.errors import SubmissionError
from raim.scoring.profiles import PROFILES
from raim.scoring.submission import unpack_folder
from raim.server.actions.challenge_folders import FOLDER_SUFFIXES
from raim.server.actions.challenge_upload import conclude_check, drop_archive
from raim.server.database import ChallengeUpload
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.faults import Throttle, describe_fault, with_patience
from raim.server.jobs.process_pool import Report, TaskOutcome, run_alone
from raim.server.jobs.work_folder import CHALLENGES, bring_submission

PROGRESS_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class ChallengeTask:
    """A zip, what its sender calls it, the folder to unpack it into, and how much may be written there."""

    path: Path
    label: str
    target: Path
    free_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedChallenge:
    """What was found in a challenge, a line each; files are named as they lie in its folder."""

    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_due_challenges(session: Session) -> list[tuple[int, int]]:
    """Return (row, attempt) of each uploaded challenge that waits for its check, in order of arrival."""
    rows = session.execute(
        select(ChallengeUpload.id, ChallengeUpload.attempt)
        .where(ChallengeUpload.state == "inspecting")
        .order_by(ChallengeUpload.id)
    )
    return [(row_id, attempt) for row_id, attempt in rows]


def run_challenge_check(context: WorkerContext, upload_id: int) -> str:
    """Check an uploaded challenge; give its state then, or "" if it needs no check any more."""
    with context.database.reading() as session:
        upload = session.get(ChallengeUpload, upload_id)
        if upload is None or upload.state != "inspecting":
            return ""
        sha256, label = upload.sha256, upload.file_name
    with context.busy("challenge", f"checking the challenge in {label}", []):
        try:
            found = with_patience(context, lambda: _check(context, upload_id, sha256, label))
        except Exception as error:  # noqa: BLE001 - whatever it is, who sent it gets the reason
            reason, _ = describe_fault(error)
            found = CheckedChallenge(problems=(f"the server could not check it: {reason}; send it again",))

        def conclude() -> str:
            with context.database.writing() as session:
                return conclude_check(session, context.clock(), upload_id, found.problems, found.notes)

        state = with_patience(context, conclude)
        if state == "rejected":
            drop_archive(context.database, context.storage, sha256)
        return state


def check_challenge(task: ChallengeTask, report: Report) -> CheckedChallenge:
    """Unpack a challenge and examine it; (files done, files in all) is reported: each counts twice."""
    done = total = 0

    def show(unpacked: int, n_files: int) -> None:
        nonlocal done, total
        done, total = unpacked, 2 * n_files
        report((done, total))

    def step(n_files: int) -> None:
        nonlocal done
        done += n_files
        report((min(done, total), total))

    try:
        ignored = unpack_folder(
            task.path,
            task.target,
            suffixes=FOLDER_SUFFIXES,
            label=task.label,
            free_bytes=task.free_bytes,
            on_file=show,
        )
    except SubmissionError as error:
        return CheckedChallenge(problems=tuple(f"{task.label}: {each.message}" for each in error.problems))
    return _examine(task.target, ignored, step)


def _examine(folder: Path, ignored: tuple[str, ...], step: Callable[[int], None]) -> CheckedChallenge:
    examined = examine_challenge(
        folder, profiles=PROFILES, read_manifest=read_manifest, is_closed=True, on_image=step
    )

    def lines(severity: str) -> tuple[str, ...]:
        found = (str(each) for each in examined.found if each.severity == severity)
        return tuple(each.replace(f"{folder}/", "").replace(str(folder), ".") for each in found)

    return CheckedChallenge(problems=lines("problem"), notes=(*ignored, *lines("note")))


def _check(context: WorkerContext, upload_id: int, sha256: str, label: str) -> CheckedChallenge:
    place = context.work / CHALLENGES
    place.mkdir(parents=True, exist_ok=True)
    target = place / uuid.uuid4().hex
    throttle = Throttle(PROGRESS_EVERY_S)

    def on_report(_task: object, message: tuple[int, int]) -> None:
        if throttle.is_open():
            _show_progress(context, upload_id, *message)

    task = ChallengeTask(
        path=bring_submission(context, sha256),
        label=label,
        target=target,
        free_bytes=shutil.disk_usage(place).free - context.storage.keep_free_bytes,
    )
    try:
        outcome = run_alone(check_challenge, task, context.limits.check, context.stop, on_report)
    finally:
        shutil.rmtree(target, ignore_errors=True)
    return _judge(outcome)


def _judge(outcome: TaskOutcome) -> CheckedChallenge:
    if outcome.is_fine:
        found: CheckedChallenge = outcome.value
        return found
    reason = outcome.died or "the check has a fault"
    problem = (
        f"it could not be checked: {reason}, twice in a row; look for a file that is damaged or far larger than the "
        "others; `raim challenge validate` finds it on your own machine"
    )
    return CheckedChallenge(problems=(problem,))


def _show_progress(context: WorkerContext, upload_id: int, done: int, total: int) -> None:
    with context.database.writing() as session:
        row = session.get_one(ChallengeUpload, upload_id, with_for_update=True)
        if row.state == "inspecting":
            row.n_done, row.n_files = done, total
