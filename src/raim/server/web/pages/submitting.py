"""Handing in: what may be submitted now, the list of a team's submissions, and the two ways to send a file."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Body
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from raim.challenge import Phase, describe_deadline
from raim.challenge.phase import submission_kind
from raim.errors import InputError, RaimError
from raim.server.contest import is_finalist
from raim.server.database import EntryResult, Submission
from raim.server.storage import check_space, pieces
from raim.server.submissions import (
    Promise,
    begin_upload,
    count_tries,
    keep_file,
)
from raim.server.web.answers import go_to
from raim.server.web.api.records import NewSubmission
from raim.server.web.failures import status_of
from raim.server.web.forms import FIELD, check_form_token
from raim.server.web.rendering import render
from raim.server.web.visit import Admitted, Visit

router = APIRouter(include_in_schema=False)


@router.get("/submit", name="submit")
def show_form(visit: Admitted) -> Response:
    """Show what the team may hand in now, and the form."""
    return _show_form(visit)


@router.post("/submit", name="submit.post")
async def take_form(visit: Admitted, request: Request) -> Response:
    """Take a file sent by a plain form: for browsers without JavaScript. It counts when it has come whole."""
    async with request.form(max_files=1, max_fields=10) as form:
        token = form.get(FIELD)
        if not visit.viewer.by_token:
            check_form_token(
                visit.server.secret, visit.viewer.session_token, token if isinstance(token, str) else ""
            )
        file, target, note = form.get("file"), form.get("target"), form.get("note")
        if not isinstance(file, UploadFile) or not isinstance(target, str):
            return await run_in_threadpool(_show_form, visit, error="choose a zip file and what it is for")
        try:
            number = await run_in_threadpool(
                _take_file, visit, file, target, note if isinstance(note, str) else ""
            )
        except RaimError as error:
            return await run_in_threadpool(_show_form, visit, error=str(error), status=status_of(error)[0])
    return go_to(f"/submissions/{number}", note="sent")


@router.post("/submissions/new", name="submissions.create")
def begin(visit: Admitted, wanted: Annotated[dict[str, Any], Body()]) -> Response:
    """Begin an upload for the page's script; the answer is that of the API."""
    from raim.server.web.api.submissions import begin_submission

    started = begin_submission(visit, NewSubmission.model_validate(wanted))
    return JSONResponse(started.model_dump(mode="json"), status_code=201)


@router.get("/submissions", name="submissions")
def show_list(visit: Admitted) -> Response:
    """Show all submissions of one's team, newest first."""
    with visit.server.database.reading() as session:
        rows = session.execute(
            select(Submission, EntryResult)
            .outerjoin(
                EntryResult,
                (EntryResult.submission_id == Submission.id)
                & (EntryResult.scorer_version == visit.contest.scorer_version),
            )
            .where(Submission.team_id == visit.viewer.team_id)
            .order_by(Submission.id.desc())
        ).all()
        return render(visit, "submissions.html.jinja", rows=rows, intakes=open_intakes(visit))


def open_intakes(visit: Visit) -> list[dict[str, Any]]:
    """Say for each kind of submission of each phase whether the viewer's team may submit, and what it has left."""
    found = []
    with visit.server.database.reading() as session:
        finalist = visit.viewer.team_id is not None and is_finalist(
            session, visit.contest, visit.viewer.team_id
        )
        for phase in visit.contest.challenge.phases:
            state = visit.contest.state(phase, visit.now)
            for kind, intake in phase.intakes.items():
                tries = count_tries(
                    session,
                    visit.now,
                    visit.contest,
                    team_id=visit.viewer.team_id or 0,
                    phase=phase.id,
                    kind=kind,
                )
                is_for_them = phase.open_to == "teams" or finalist
                found.append(
                    {
                        "phase": phase,
                        "kind": kind,
                        "data_set": visit.contest.challenge.data_set(intake.on),
                        "tries": tries,
                        "state": state,
                        "is_for_them": is_for_them,
                        "is_open": state == "open"
                        and is_for_them
                        and tries.next_at is not None
                        and tries.next_at <= visit.now,
                        "deadline": _deadline(visit, phase),
                    }
                )
    return found


def _deadline(visit: Visit, phase: Phase) -> str:
    return describe_deadline(phase, visit.contest.challenge.uploads.grace_seconds)


def _show_form(visit: Visit, *, error: str = "", status: int = 400) -> Response:
    return render(
        visit,
        "submit.html.jinja",
        status=status if error else 200,
        intakes=open_intakes(visit),
        error=error,
        max_bytes=visit.contest.challenge.uploads.max_bytes,
    )


def _take_file(visit: Visit, file: UploadFile, target: str, note: str) -> int:
    phase, _, kind = target.rpartition("/")
    digest, n_bytes = hashlib.sha256(), 0
    file.file.seek(0)
    for chunk in pieces(file.file):
        digest.update(chunk)
        n_bytes += len(chunk)
    if not n_bytes:
        raise InputError("the file is empty; choose the zip with your restored images")
    check_space(visit.server.storage, n_bytes)
    promise = Promise(file_name=file.filename or "submission.zip", n_bytes=n_bytes, sha256=digest.hexdigest())
    now = visit.server.clock()  # when it had come, not when it began: nothing was promised before
    with visit.server.database.writing() as session:
        upload = begin_upload(
            session,
            now,
            visit.contest,
            member=visit.member(session),
            phase=phase,
            kind=submission_kind(kind),
            promise=promise,
            note=note,
        )
        key = upload.key
    file.file.seek(0)
    return keep_file(visit.server.database, visit.server.storage, now, key=key, chunks=pieces(file.file)).id
