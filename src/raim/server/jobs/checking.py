"""The check of one submission, from its lease to its verdict."""

from contextlib import ExitStack
from typing import Any

from sqlalchemy import select

from raim.server.database import Submission, Upload
from raim.server.jobs.archive_work import Checked, CheckTask, check_archive
from raim.server.jobs.context import WorkerContext, has_lease, take_lease
from raim.server.jobs.faults import (
    Throttle,
    describe_fault,
    describe_traceback,
    fail_submission,
    log_line,
    with_patience,
)
from raim.server.jobs.flags import flag_files
from raim.server.jobs.process_pool import Outcome, ProcessPool
from raim.server.jobs.work_folder import bring_data_set, open_submission, read_set_files
from raim.server.submissions import change_state
from raim.server.submissions.states import after_check, lock_submission

PROGRESS_EVERY_S = 0.5
TRIES = 2
FAULT = "the check of images has a fault"
REFUSED = (
    "it could not be checked: {reason}, twice in a row. Look for an image that is damaged or far larger than the "
    "others; `raim check` finds it on your own machine"
)


def run_check(context: WorkerContext, submission_id: int, attempt: int) -> str:
    """Check a submission; nothing is done if it needs none any more, or another worker has it.

    Args:
        context: Who does it.
        submission_id: Which.
        attempt: Number of the lease that it takes.

    Returns:
        The state that the submission has then, or "" if nothing was done.

    Raises:
        WorkerStopped: The worker is to end.
    """
    with context.busy("check", f"checking submission {submission_id}", [submission_id]):
        if not with_patience(context, lambda: _begin(context, submission_id, attempt)):
            return ""
        try:
            outcome = with_patience(context, lambda: _check(context, submission_id))
        except Exception as error:  # noqa: BLE001 - whatever it is, the team is told and has its try back
            reason, log = describe_fault(error), describe_traceback(error)
            with_patience(context, lambda: _fail(context, submission_id, attempt, reason, log))
            return "failed"
        return with_patience(context, lambda: _conclude(context, submission_id, attempt, outcome))


def _begin(context: WorkerContext, submission_id: int, attempt: int) -> bool:
    with context.database.writing() as session:
        row = lock_submission(session, submission_id)
        if not row.facts.is_in_check or not take_lease(
            session, context.clock(), context, submission_id, attempt
        ):
            return False
        row.images_done = row.images_total = 0
        return True


def _check(context: WorkerContext, submission_id: int) -> Outcome:
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

    with ExitStack() as stack:
        path = stack.enter_context(open_submission(context, sha256))
        pool = ProcessPool(1, context.limits.check, context.stop)
        stack.callback(pool.close)
        task = CheckTask(
            path=path, label=label or "submission.zip", inputs=folder / "input", manifest=files.manifest
        )
        outcome = Outcome(died="it was not begun")
        for _ in range(TRIES):  # a process may be killed once for reasons that are not the archive's
            ((_, outcome),) = pool.run(check_archive, [task], on_report=on_report)
            if outcome.is_fine:
                break
        return outcome


def _show_progress(context: WorkerContext, submission_id: int, done: int, total: int) -> None:
    with context.database.writing() as session:
        row = lock_submission(session, submission_id)
        if row.facts.is_in_check and row.lease_owner == context.name:
            row.images_done, row.images_total = min(done, total), total


def _conclude(context: WorkerContext, submission_id: int, attempt: int, outcome: Outcome) -> str:
    if outcome.fault is not None:
        _fail(context, submission_id, attempt, FAULT, outcome.fault)
        return "failed"
    now = context.clock()
    with context.database.writing() as session:
        row = lock_submission(session, submission_id)
        if not has_lease(row, context, attempt):
            return row.state
        if outcome.died is not None:
            log_line(session, now, context, submission_id, f"the check died: {outcome.died}")
            error = REFUSED.format(reason=outcome.died)
            return change_state(session, now, submission_id, "refused", error=error).state
        return _judge(session, context, row, outcome.value)


def _judge(session: Any, context: WorkerContext, row: Submission, checked: Checked) -> str:
    row.report = checked.report
    row.images_done = row.images_total = checked.n_images
    if not checked.is_fine:
        return change_state(session, context.clock(), row.id, "refused", error=checked.text).state
    row.flags = {**row.flags, **flag_files(session, row, checked.report["image_sha256"])}
    return change_state(session, context.clock(), row.id, after_check(row.kind)).state


def _fail(context: WorkerContext, submission_id: int, attempt: int, reason: str, log: str) -> None:
    fail_submission(context, submission_id, attempt, what="checked", reason=reason, log=log)
