"""Submissions: begin, list, look at, withdraw, choose."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.challenge import current_phase
from raim.challenge.phase import submission_kind
from raim.errors import StateError, StorageFullError, UnknownNameError
from raim.server.database import EntryResult, Phase, Submission, Team, Upload
from raim.server.database.people import teams_of
from raim.server.jobs.queue_facts import expected_at, queue_position
from raim.server.storage import check_space
from raim.server.submissions import (
    Promise,
    begin_upload,
    choose,
    drop_upload,
    list_comments,
    received_bytes,
    withdraw,
)
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.records import (
    CommentList,
    CommentRecord,
    ImageResult,
    NewSubmission,
    ResultList,
    StartedSubmission,
    SubmissionList,
    SubmissionRecord,
    UploadRecord,
    as_plain,
)
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.submission import (
    acting_member,
    give_file,
    give_restored,
    newest_entries,
    read_results,
)

router = APIRouter(prefix=PREFIX, tags=["submissions"], responses=FAILURES, dependencies=LIMITED)
PATH = "/submissions/{submission_id}"
MOST_LISTED = 200


@router.post("/submissions", name="api.submissions.create", status_code=201)
def create_submission(context: Admitted, wanted: NewSubmission) -> StartedSubmission:
    """Begin a submission: takes the try and answers where the file goes; the same file goes on where it stopped."""
    return begin_submission(context, wanted)


def begin_submission(context: Context, wanted: NewSubmission) -> StartedSubmission:
    """Begin a submission, or go on with the one that was begun with the same file."""
    kind = submission_kind(wanted.kind)
    phase = wanted.phase or _open_phase(context)
    promise = Promise(file_name=wanted.file_name, n_bytes=wanted.n_bytes, sha256=wanted.sha256)
    if wanted.n_bytes > context.server.settings.upload_limit_bytes:
        raise StorageFullError(
            f"this server takes files of up to {context.server.settings.upload_limit_bytes} bytes; ask the organisers"
        )
    check_space(context.server.storage, wanted.n_bytes)
    folder = context.server.settings.folder
    with context.server.database.writing() as session:
        upload = begin_upload(
            session,
            context.now,
            context.contest,
            member=context.member(session),
            phase=phase,
            kind=kind,
            promise=promise,
            note=wanted.note,
        )
        record = describe(context, session, upload.submission_id)
        return StartedSubmission(
            submission=record,
            upload=UploadRecord(
                url=f"{context.here}/uploads/{upload.key}", offset=received_bytes(folder, upload)
            ),
        )


@router.get("/submissions", name="api.submissions")
def list_submissions(
    context: Admitted,
    phase: Annotated[str | None, Query(max_length=80)] = None,
    kind: Annotated[str | None, Query(max_length=20)] = None,
) -> SubmissionList:
    """Give the submissions of one's team, newest first; organisers are given all teams'."""
    found = select(Submission.id).order_by(Submission.id.desc()).limit(MOST_LISTED)
    if not context.viewer.is_organiser:
        found = found.where(Submission.team_id.in_(teams_of(context.viewer.team_id)))
    if phase is not None:
        found = found.where(Submission.phase_id == context.contest.phase_ids.get(phase, 0))
    if kind is not None:
        found = found.where(Submission.kind == kind)
    with context.server.database.reading() as session:
        ids = session.scalars(found).all()
        return SubmissionList(submissions=describe_all(context, session, ids))


@router.get(PATH, name="api.submission")
def read_submission(context: Admitted, submission_id: int) -> SubmissionRecord:
    """Give a submission as it is now."""
    with context.server.database.reading() as session:
        return describe(context, session, submission_id)


@router.get(f"{PATH}/results", name="api.results")
def read_image_results(context: Admitted, submission_id: int) -> ResultList:
    """Give the measures of its images, worst first."""
    with context.server.database.reading() as session:
        rows = read_results(session, session.get_one(Submission, submission_id), context.contest)
        return ResultList(
            submission_id=submission_id,
            scorer_version=rows[0][0].scorer_version if rows else None,
            images=[
                ImageResult(
                    name=image.name,
                    scenario=image.scenario,
                    score=as_plain(result.score),
                    measures=result.measures,
                    unscorable=result.unscorable,
                )
                for result, image in rows
            ],
        )


@router.get(f"{PATH}/comments", name="api.comments")
def read_comments(context: Admitted, submission_id: int) -> CommentList:
    """Give the organisers' comments."""
    with context.server.database.reading() as session:
        rows = list_comments(session, submission_id, for_team=not context.viewer.is_organiser)
        return CommentList(
            comments=[
                CommentRecord(
                    author=author,
                    image=image,
                    region=None
                    if each.region_x is None
                    else [
                        each.region_x,
                        each.region_y or 0,
                        each.region_width or 0,
                        each.region_height or 0,
                    ],
                    text=each.text,
                    created_at=each.created_at,
                )
                for each, author, image in rows
            ]
        )


@router.post(f"{PATH}/withdraw", name="api.withdraw")
def withdraw_submission(context: Admitted, submission_id: int) -> SubmissionRecord:
    """Take a submission back; before scoring has begun, its try too."""
    with context.server.database.writing() as session:
        withdraw(session, context.now, submission_id, acting_member(context, session, submission_id))
        drop_upload(session, context.now, context.server.settings.folder, submission_id)
        return describe(context, session, submission_id)


@router.post(f"{PATH}/choose", name="api.choose")
def choose_submission(context: Admitted, submission_id: int) -> SubmissionRecord:
    """Let this entry count."""
    with context.server.database.writing() as session:
        choose(session, context.now, submission_id, acting_member(context, session, submission_id))
        return describe(context, session, submission_id)


def describe(context: Context, session: Session, submission_id: int) -> SubmissionRecord:
    """Give the JSON form of a submission.

    Raises:
        UnknownNameError: There is none.
    """
    found = describe_all(context, session, [submission_id])
    if not found:
        raise UnknownNameError("there is no such submission")
    return found[0]


def describe_all(context: Context, session: Session, submission_ids: Sequence[int]) -> list[SubmissionRecord]:
    """Give the JSON form of submissions, newest first, with few questions however many there are."""
    rows = session.execute(
        select(Submission, Team.name, Phase.slug, Upload)
        .join(Team, Team.id == Submission.team_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(Upload, Upload.submission_id == Submission.id)
        .where(Submission.id.in_(submission_ids))
        .order_by(Submission.id.desc())
    ).all()
    entries = newest_entries(session, submission_ids, context.contest)
    return [
        _record(context, session, row, team=team, phase=phase, upload=upload, entry=entries.get(row.id))
        for row, team, phase, upload in rows
    ]


def _record(
    context: Context,
    session: Session,
    row: Submission,
    *,
    team: str,
    phase: str,
    upload: Upload | None,
    entry: EntryResult | None,
) -> SubmissionRecord:
    report = row.report or {}
    is_waiting = row.facts.is_waiting
    came = row.committed_bytes
    if row.facts.is_arriving and upload is not None:
        came = received_bytes(context.server.settings.folder, upload)
    return SubmissionRecord(
        id=row.id,
        page=f"{context.here}/submissions/{row.id}",
        phase=phase,
        kind=row.kind,
        state=row.state,
        team=team,
        file_name="" if upload is None else upload.file_name,
        n_bytes=row.committed_bytes,
        received_bytes=came,
        sha256=row.committed_sha256,
        note=row.note,
        received_at=row.received_at,
        state_at=row.state_at,
        takes_try=row.takes_try,
        is_chosen=row.is_chosen,
        error=row.error,
        problems=[each["message"] for each in report.get("problems", [])],
        notes=[each["message"] for each in report.get("notes", [])],
        images_done=row.images_done,
        images_total=row.images_total,
        position=queue_position(session, row.id) if is_waiting else None,
        expected_at=expected_at(session, context.now, row.id) if is_waiting else None,
        score=None if entry is None else as_plain(entry.score),
        measures={} if entry is None else entry.measures,
        scenarios={} if entry is None else entry.scenarios,
        scorer_version=None if entry is None else entry.scorer_version,
        upload=UploadRecord(url=f"{context.here}/uploads/{upload.key}", offset=came)
        if row.facts.is_arriving and upload is not None
        else None,
    )


def _open_phase(context: Context) -> str:
    phase = current_phase(context.contest.challenge, context.now)
    if phase is None:
        raise StateError("no phase is open now; name the phase that the submission is for")
    return phase.id


@router.get(f"{PATH}/file", name="api.file", response_class=Response)
def download_file(context: Admitted, submission_id: int) -> Response:
    """Give back the zip that was handed in."""
    return give_file(context, submission_id)


@router.get(f"{PATH}/restored/{{name}}", name="api.restored", response_class=Response)
def download_restored(context: Admitted, submission_id: int, name: str) -> Response:
    """Give one restored image of a checked submission."""
    return give_restored(context, submission_id, name)
