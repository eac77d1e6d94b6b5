"""Handing in: what may be submitted now, the list of a team's submissions, and the two ways to send a file."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Body
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from raim.challenge import Phase, describe_deadline
from raim.challenge.phase import submission_kind
from raim.errors import InputError, RaimError
from raim.server.contest import is_finalist
from raim.server.contest.versions import is_in_force
from raim.server.database import EntryResult, Submission
from raim.server.database.people import teams_of
from raim.server.storage import check_space, pieces
from raim.server.submissions import (
    Promise,
    begin_upload,
    count_tries,
    keep_file,
)
from raim.server.web.answers import go_to
from raim.server.web.api.records import NewSubmission
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/submit", name="submit")
def show_form(context: Admitted) -> Response:
    """Show what the team may hand in now, and the form."""
    return _show_form(context)


@router.post("/submit", name="submit.post")
async def take_form(context: Admitted, request: Request) -> Response:
    """Take a file sent by a plain form: for browsers without JavaScript. It counts when it has come whole."""
    async with request.form(max_files=1, max_fields=10) as form:
        file, target, note = form.get("file"), form.get("target"), form.get("note")
        if not isinstance(file, UploadFile) or not isinstance(target, str):
            return await run_in_threadpool(_show_form, context, error="choose a zip file and what it is for")
        try:
            number = await run_in_threadpool(
                _take_file, context, file, target, note if isinstance(note, str) else ""
            )
        except RaimError as error:
            return await run_in_threadpool(_show_form, context, error=str(error), status=status_of(error)[0])
    return go_to(f"{context.here}/submissions/{number}", note="sent")


@router.post("/submissions/new", name="submissions.create")
def begin(context: Admitted, wanted: Annotated[dict[str, Any], Body()]) -> Response:
    """Begin an upload for the page's script; the answer is that of the API."""
    from raim.server.web.api.submissions import begin_submission

    started = begin_submission(context, NewSubmission.model_validate(wanted))
    return JSONResponse(started.model_dump(mode="json"), status_code=201)


@router.get("/submissions", name="submissions")
def show_list(context: Admitted) -> Response:
    """Show all submissions of one's team, newest first."""
    with context.server.database.reading() as session:
        rows = session.execute(
            select(Submission, EntryResult)
            .outerjoin(EntryResult, is_in_force(context.contest))
            .where(Submission.team_id.in_(teams_of(context.viewer.team_id)))
            .order_by(Submission.id.desc())
        ).all()
        return render(context, "submissions.html.jinja", rows=rows, intakes=open_intakes(context, session))


def open_intakes(context: Context, session: Session) -> list[dict[str, Any]]:
    """Say for each kind of submission of each phase whether the viewer's team may submit, and what it has left."""
    found = []
    finalist = context.viewer.team_id is not None and is_finalist(
        session, context.contest, context.viewer.team_id
    )
    for phase in context.contest.challenge.phases:
        state = context.contest.state(phase, context.now)
        for kind, intake in phase.intakes.items():
            tries = count_tries(
                session,
                context.now,
                context.contest,
                team_id=context.viewer.team_id or 0,
                phase=phase.id,
                kind=kind,
            )
            is_for_them = phase.open_to == "teams" or finalist
            found.append(
                {
                    "phase": phase,
                    "kind": kind,
                    "data_set": context.contest.challenge.data_set(intake.on),
                    "tries": tries,
                    "state": state,
                    "is_for_them": is_for_them,
                    "is_open": state == "open"
                    and is_for_them
                    and tries.next_at is not None
                    and tries.next_at <= context.now,
                    "deadline": _deadline(context, phase),
                }
            )
    return found


def _deadline(context: Context, phase: Phase) -> str:
    return describe_deadline(phase, context.contest.challenge.uploads.grace_seconds)


def _show_form(context: Context, *, error: str = "", status: int = 400) -> Response:
    with context.server.database.reading() as session:
        intakes = open_intakes(context, session)
    return render(
        context,
        "submit.html.jinja",
        status=status if error else 200,
        intakes=intakes,
        error=error,
        max_bytes=context.contest.challenge.uploads.max_bytes,
    )


def _take_file(context: Context, file: UploadFile, target: str, note: str) -> int:
    phase, _, kind = target.rpartition("/")
    digest, n_bytes = hashlib.sha256(), 0
    file.file.seek(0)
    for chunk in pieces(file.file):
        digest.update(chunk)
        n_bytes += len(chunk)
    if not n_bytes:
        raise InputError("the file is empty; choose the zip with your restored images")
    check_space(context.server.storage, n_bytes)
    promise = Promise(file_name=file.filename or "submission.zip", n_bytes=n_bytes, sha256=digest.hexdigest())
    now = context.server.clock()  # when it had come, not when it began: nothing was promised before
    with context.server.database.writing() as session:
        upload = begin_upload(
            session,
            now,
            context.contest,
            member=context.member(session),
            phase=phase,
            kind=submission_kind(kind),
            promise=promise,
            note=note,
        )
        key = upload.key
    file.file.seek(0)
    return keep_file(
        context.server.database, context.server.storage, now, key=key, chunks=pieces(file.file)
    ).id
