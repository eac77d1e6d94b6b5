"""Submissions of one's own team: what may be handed in, the list, one with its images, and what a team decides."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Query
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from raim.challenge import describe_deadline
from raim.challenge.phase import submission_kind
from raim.errors import AccessError, InputError, RaimError, StorageFullError, UnknownNameError
from raim.records import STATES
from raim.records.submissions import (
    NewAnswer,
    NewSubmission,
    ResultList,
    StartedSubmission,
    Submission,
    SubmissionDetails,
    SubmissionForm,
    SubmissionImage,
    SubmissionList,
    UploadPlace,
)
from raim.server import database as tables
from raim.server.database import Member, Upload, User
from raim.server.database.people import merged_team_ids
from raim.server.queries import submissions as queries
from raim.server.queries.images import find_image
from raim.server.queries.rows import find_row
from raim.server.storage import check_space, pieces
from raim.server.submissions.choices import choose, withdraw
from raim.server.submissions.comments import add_comment
from raim.server.submissions.kept import check_quotas, kept_of_team
from raim.server.submissions.restored import find_restored
from raim.server.submissions.tries import check_length, check_rate
from raim.server.submissions.uploads import begin_upload, end_upload, keep_file
from raim.server.web import restored
from raim.server.web.body_limit import SMALL_BODY
from raim.server.web.context import Admitted, RequestContext
from raim.server.web.failures import read_problem
from raim.server.web.fields import Page, RowId
from raim.server.web.routes.data import give_stored, verdict
from raim.server.web.routing import Area, show_again
from raim.tables import format_table

area = Area("submissions")
PATH = "/submissions/{submission_id}"
ImageName = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]


@area.get("/submit", who="member", template="submit", is_api=False)
def show_form(context: RequestContext) -> SubmissionForm:
    """Show what the team may hand in now, and the form."""
    definition = context.challenge.definition
    team_id = context.member().team_id
    targets = queries.list_targets(context.session, context.challenge, context.now, team_id)
    phases = [definition.phase(each.phase) for each in targets if each.is_open]
    grace = definition.uploads.grace_seconds
    return SubmissionForm(
        targets=targets,
        deadline=describe_deadline(phases[0], grace) if phases else "",
        max_bytes=definition.uploads.max_bytes,
        kept=kept_of_team(context.session, context.challenge, team_id, for_team=True),
    )


@area.special("POST", "/submit", who="member")
async def take_form(context: Admitted, request: Request) -> Response:
    """Take a file sent by a plain form: for browsers without JavaScript. It counts when it has come whole."""
    request.state.typed = {}
    coming: list[ComingFile] = request.app.state.coming
    mine = _announced(context, request)
    coming.append(mine)
    try:
        await run_in_threadpool(_check_room, context, mine, coming)
        async with request.form(max_files=1, max_fields=10) as form:
            request.state.typed = {name: value for name, value in form.items() if isinstance(value, str)}
            number = await run_in_threadpool(_take_file, context, form.get("file"), request.state.typed)
    except RaimError as error:
        return await run_in_threadpool(show_again, show_form, request, error)
    finally:
        coming.remove(mine)
    return RedirectResponse(f"{context.here}/submissions/{number}?note=sent", status_code=303)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ComingFile:
    """A file that comes with a form into this machine's temporary folder: of which team, and how long at most."""

    team_id: int | None
    n_bytes: int


def _announced(context: RequestContext, request: Request) -> ComingFile:
    length = request.headers.get("content-length", "")
    n_bytes = int(length) if length.isdigit() else context.challenge.definition.uploads.max_bytes
    return ComingFile(team_id=context.viewer.team_id, n_bytes=n_bytes)


def _check_room(context: RequestContext, mine: ComingFile, coming: list[ComingFile]) -> None:
    """Count a file against its team and the temporary folder before any of it lies there."""
    others = [each for each in coming if each is not mine]
    with context.server.database.reading() as session:
        team_id = context.member(session).team_id
        n_of_team = sum(each.team_id == team_id for each in others)
        check_rate(session, context.now, team_id, besides=n_of_team)
        least = max(1, mine.n_bytes - SMALL_BODY)  # what else the form has is shorter
        check_length(context.challenge, least)
        check_quotas(session, context.challenge, team_id, n_bytes=least)
    free = shutil.disk_usage(tempfile.gettempdir()).free - sum(each.n_bytes for each in coming)
    if free < context.server.storage.keep_free_bytes:
        raise StorageFullError(
            "there is no room for a file of this form now; try again later, or send it with `raim submit`"
        )


def _take_file(context: RequestContext, file: object, typed: dict[str, str]) -> int:
    """Keep a file that has come with a form, and give the number of its submission."""
    if not isinstance(file, UploadFile) or "target" not in typed:
        raise InputError("choose a zip file and what it is for")
    phase, _, kind = typed["target"].rpartition("/")
    digest, n_bytes = hashlib.sha256(), 0
    file.file.seek(0)
    for chunk in pieces(file.file):
        digest.update(chunk)
        n_bytes += len(chunk)
    if not n_bytes:
        raise InputError("the file is empty; choose the zip with your restored images")
    server = context.server
    check_space(server.storage, n_bytes)
    try:
        wanted = NewSubmission(
            phase=phase,
            kind=submission_kind(kind),
            file_name=(file.filename or "submission.zip")[-500:],
            n_bytes=n_bytes,
            sha256=digest.hexdigest(),
            note=typed.get("note", ""),
        )
    except ValidationError as error:
        raise read_problem(error) from error
    now = server.clock()  # when it had come, not when it began: nothing was promised before
    with server.database.writing() as session:
        key = begin_upload(session, now, context.challenge, context.member(session), wanted).key
    file.file.seek(0)
    return keep_file(server.database, server.storage, now, key=key, chunks=pieces(file.file)).id


@area.post("/submissions", who="member", status=201)
def begin_submission(context: RequestContext, wanted: NewSubmission) -> StartedSubmission:
    """Begin a submission: takes the try and answers where the file goes; the same file goes on where it stopped."""
    limit = context.server.settings.upload_limit_bytes
    if wanted.n_bytes > limit:
        raise StorageFullError(f"this server takes files of up to {limit} bytes; ask the organisers")
    check_space(context.server.storage, wanted.n_bytes)
    upload = begin_upload(context.session, context.now, context.challenge, context.member(), wanted)
    begun = show_submission_status(context, upload.submission_id)
    url = f"{context.here}/uploads/{upload.key}"
    return StartedSubmission(submission=begun, upload=UploadPlace(url=url, offset=begun.received_bytes))


@area.get("/submissions", who="participant", template="submissions")
def list_submissions(
    context: RequestContext,
    phase: Annotated[str, Query(max_length=80)] = "",
    kind: Annotated[str, Query(max_length=20)] = "",
    page: Page = "",
) -> SubmissionList:
    """Return the submissions of one's team, newest first; organisers are given all teams'."""
    return queries.list_submissions(
        context.session,
        context.challenge,
        context.forecast,
        team_ids=None if context.viewer.is_organiser else merged_team_ids(context.viewer.team_id),
        phase=phase,
        kind=kind,
        page=page,
    )


@area.get(PATH, who="team", template="submission")
def show_submission(context: RequestContext, submission_id: RowId) -> SubmissionDetails:
    """Return a submission as it is now, with its images, their results and the organisers' comments."""
    return queries.read_details(
        context.session,
        context.challenge,
        context.forecast,
        submission_id,
        for_team=not context.viewer.is_organiser,
    )


@area.get(f"{PATH}/status", who="team", template="submission_status")
def show_submission_status(context: RequestContext, submission_id: RowId) -> Submission:
    """Return what changes while a submission is worked on."""
    found = queries.read_submission(
        context.session,
        context.challenge,
        context.forecast,
        submission_id,
        for_team=not context.viewer.is_organiser,
    )
    if not STATES[found.state].is_under_way:
        context.headers["HX-Refresh"] = "true"  # it has ended: the whole page has more to show now
    return found


@area.get(f"{PATH}/results", who="team")
def list_results(context: RequestContext, submission_id: RowId) -> ResultList:
    """Return the measures of its images, worst first."""
    for_team = not context.viewer.is_organiser
    return queries.read_results(context.session, context.challenge, submission_id, for_team=for_team)


@area.get(f"{PATH}/results.csv", who="team", is_page=True, is_api=False)
def give_results(context: RequestContext, submission_id: RowId) -> Response:
    """Return the measures of every image as CSV."""
    columns = context.challenge.profile.columns
    rows = []
    for each in list_results(context, submission_id).images:
        values = {**each.measures, "score": each.score}
        rows.append([each.name, each.scenario, *(values.get(name) for name in columns), each.unscorable])
    text = format_table(["image", "scenario", *columns, "unscorable"], rows)
    name = f'attachment; filename="submission-{submission_id}.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": name})


@area.get(f"{PATH}/file", who="team", is_page=True)
def give_file(context: RequestContext, submission_id: RowId) -> Response:
    """Give back the zip that was handed in."""
    submission = _find(context, submission_id)
    name = context.session.scalar(
        select(Upload.file_name).where(Upload.submission_id == submission_id, Upload.finished_at.is_not(None))
    )
    if name is None:
        raise UnknownNameError("the file of this submission has not come whole")
    if submission.freed_at is not None:
        raise UnknownNameError(
            f"the file of this submission was freed on {submission.freed_at:%Y-%m-%d}: it was refused"
        )
    sha256, n_bytes = submission.committed_sha256, submission.committed_bytes
    answer = context.aside(give_stored, context, sha256, name="a.zip", n_bytes=n_bytes)
    answer.headers["Content-Type"] = "application/zip"
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer


@area.get(f"{PATH}/images/{{name}}", who="team", template="submission_image")
def show_image(context: RequestContext, submission_id: RowId, name: ImageName) -> SubmissionImage:
    """Return what is known of a restored image; the reference only where it was given out."""
    submission = _find(context, submission_id)
    data_set, is_organiser = (
        context.challenge.data_set_of_row(submission.data_set_id),
        context.viewer.is_organiser,
    )
    return queries.read_submission_image(
        context.session,
        context.challenge,
        submission_id,
        name,
        for_team=not is_organiser,
        has_input=verdict(context, data_set, "input").is_allowed,
        has_reference=verdict(context, data_set, "reference").is_allowed and not is_organiser,
    )


@area.get(f"{PATH}/restored/{{name}}", who="team", is_page=True)
def give_restored(context: RequestContext, submission_id: RowId, name: ImageName) -> Response:
    """Return a restored image of a checked submission, as it lies in the zip; of a withdrawn one to organisers only."""
    submission = _find(context, submission_id)
    image = find_image(context.session, submission, name)
    is_shown = submission.has_images if context.viewer.is_organiser else submission.facts.is_checked
    if not is_shown:
        raise UnknownNameError(f"images are shown once the submission is checked; it is {submission.state}")
    sha256, place = submission.committed_sha256, find_restored(context.session, submission.id, image.name)
    return context.aside(restored.answer_with_restored, context.server.storage, sha256, place)


@area.post(f"{PATH}/withdraw", who="team", page=show_submission, note="withdrawn")
def withdraw_submission(context: RequestContext, submission_id: RowId) -> SubmissionDetails:
    """Take a submission back; before scoring has begun, its try too."""
    withdraw(context.session, context.now, submission_id, acting_member(context, submission_id))
    end_upload(context.session, context.now, submission_id)
    return show_submission(context, submission_id)


@area.post(f"{PATH}/choose", who="team", page=show_submission, note="chosen")
def choose_submission(context: RequestContext, submission_id: RowId) -> SubmissionDetails:
    """Let this entry count."""
    member = acting_member(context, submission_id)
    choose(context.session, context.now, context.challenge, submission_id, member)
    return show_submission(context, submission_id)


@area.post(f"{PATH}/comments", who="team", page=show_submission, note="commented", status=201)
def answer(context: RequestContext, submission_id: RowId, wanted: NewAnswer) -> SubmissionDetails:
    """Write a comment on one's own submission, or on an image of it; organisers comment at their desk."""
    if context.viewer.is_organiser:
        raise AccessError(
            f"you run this challenge: comment at {context.here}/desk/submissions/{submission_id}"
        )
    submission = _find(context, submission_id)
    add_comment(
        context.session,
        context.now,
        submission=submission,
        author=context.session.get_one(User, context.user_id),
        text=wanted.text,
        image=find_image(context.session, submission, wanted.image) if wanted.image else None,
        is_of_team=True,
    )
    return show_submission(context, submission_id)


def acting_member(context: RequestContext, submission_id: int, session: Session | None = None) -> Member:
    """Return the member who decides: of the team, never an organiser in its place.

    Args:
        context: The request.
        submission_id: About which submission.
        session: That of a route which opens its own.

    Raises:
        UnknownNameError: Who asks is an organiser.
    """
    if context.viewer.team_id != _find(context, submission_id, session).team_id:
        raise UnknownNameError(
            "only the team decides about its submissions; suspend or flag it on your desk instead"
        )
    return context.member(session)


def _find(context: RequestContext, submission_id: int, session: Session | None = None) -> tables.Submission:
    return find_row(session or context.session, tables.Submission, submission_id, "submission")
