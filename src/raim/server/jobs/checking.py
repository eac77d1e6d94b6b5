"""The check of one submission, from its lease to its verdict."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.database import Submission, Upload
from raim.server.jobs.archive_work import Checked, CheckTask, check_archive
from raim.server.jobs.context import WorkerContext, has_lease, take_lease
from raim.server.jobs.faults import Throttle, describe_fault, fail_submission, log_line, with_patience
from raim.server.jobs.flags import flag_files
from raim.server.jobs.process_pool import TaskOutcome, run_alone
from raim.server.jobs.work_folder import bring_data_set, bring_submission, read_set_files
from raim.server.submissions.restored import note_restored
from raim.server.submissions.states import after_check, change_state, lock_submission

PROGRESS_EVERY_S = 0.5
FAULT = "the check of images has a fault"
REFUSED = (
    "it could not be checked: {reason}, twice in a row. Look for an image that is damaged or far larger than the "
    "others; `raim check` finds it on your own machine"
)


def run_check(context: WorkerContext, submission_id: int, attempt: int) -> str:
    """Check a submission, under the lease of a number; give its state then.

    Returns "" with nothing done if it needs no check any more, or another worker has it.
    """
    with context.busy("check", f"checking submission {submission_id}", [submission_id]):
        if not with_patience(context, lambda: _begin(context, submission_id, attempt)):
            return ""
        try:
            outcome = with_patience(context, lambda: _check(context, submission_id))
        except Exception as error:  # noqa: BLE001 - whatever it is, the team gets the reason and its try back
            reason_and_log = describe_fault(error)
            with_patience(
                context, lambda: fail_submission(context, submission_id, attempt, "checked", reason_and_log)
            )
            return "failed"
        return with_patience(context, lambda: _conclude(context, submission_id, attempt, outcome))


def _begin(context: WorkerContext, submission_id: int, attempt: int) -> bool:
    with context.database.writing() as session:
        row = lock_submission(session, submission_id)
        if not row.facts.is_in_check or take_lease(session, context, submission_id, attempt) is None:
            return False
        row.images_done = row.images_total = 0
        return True


def _check(context: WorkerContext, submission_id: int) -> TaskOutcome:
    with context.database.reading() as session:
        row = session.get_one(Submission, submission_id)
        sha256, data_set_id = row.committed_sha256, row.data_set_id
        label = session.scalar(select(Upload.file_name).where(Upload.submission_id == submission_id))
        files = read_set_files(session, data_set_id)
    folder = bring_data_set(context, files)
    throttle = Throttle(PROGRESS_EVERY_S)

    def on_report(_task: object, message: tuple[int, int]) -> None:
        if throttle.is_open():
            _show_progress(context, submission_id, *message)

    task = CheckTask(
        path=bring_submission(context, sha256),
        label=label or "submission.zip",
        inputs=folder / "input",
        manifest=files.manifest,
    )
    return run_alone(check_archive, task, context.limits.check, context.stop, on_report)


def _show_progress(context: WorkerContext, submission_id: int, done: int, total: int) -> None:
    with context.database.writing() as session:
        row = lock_submission(session, submission_id)
        if row.facts.is_in_check and row.lease_owner == context.name:
            row.images_done, row.images_total = min(done, total), total


def _conclude(context: WorkerContext, submission_id: int, attempt: int, outcome: TaskOutcome) -> str:
    if outcome.fault is not None:
        fail_submission(context, submission_id, attempt, "checked", (FAULT, outcome.fault))
        return "failed"
    now = context.clock()
    flags = {} if outcome.died is not None else _flag(context, submission_id, outcome.value)
    with context.database.writing() as session:
        row = lock_submission(session, submission_id)
        if not has_lease(row, context, attempt):
            return row.state
        if outcome.died is not None:
            log_line(session, now, context, submission_id, f"the check died: {outcome.died}")
            error = REFUSED.format(reason=outcome.died)
            return change_state(session, now, submission_id, "refused", error=error).state
        return _judge(session, context, row, outcome.value, flags)


def _flag(context: WorkerContext, submission_id: int, checked: Checked) -> dict[str, str]:
    """Note the images and compare them with all that were noted before: of two alike, the later one sees the other.

    They are written first, in a transaction of their own, so that nobody waits for the comparison.
    """
    with context.database.writing() as session:
        note_restored(session, submission_id, checked.images)
    with context.database.reading() as session:
        return flag_files(session, session.get_one(Submission, submission_id))


def _judge(
    session: Session, context: WorkerContext, row: Submission, checked: Checked, flags: dict[str, str]
) -> str:
    row.report = checked.report
    row.images_done = row.images_total = checked.report["images"]
    if not checked.report["ok"]:
        return change_state(session, context.clock(), row.id, "refused", error=checked.text).state
    row.flags = {**row.flags, **flags}
    return change_state(session, context.clock(), row.id, after_check(row.kind)).state
