"""Resumable uploads by the tus protocol 1.0: HEAD tells how much is there, PATCH adds, DELETE gives up.

An upload is created by `POST /api/v1/submissions`, where length and SHA-256 are promised; so the extensions for
creating one are not offered. Source: https://tus.io/protocols/resumable-upload, version 1.0.0.

Why not tuspyserver, which the field uses: its body handler runs before the check of who sends.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from raim.errors import InputError, StateError
from raim.server.database import Submission, Upload
from raim.server.submissions.choices import withdraw
from raim.server.submissions.uploads import add_bytes, drop_upload, find_upload, finish_upload, part_file
from raim.server.web.context import Admitted, Context
from raim.server.web.routes.submissions import acting_member
from raim.server.web.routing import Area

area = Area("submissions")
PATH = "/uploads/{key}"
VERSION = {"Tus-Resumable": "1.0.0"}
WRITE_BYTES = 2**20  # so much is gathered before it is written
MEDIA_TYPE = "application/offset+octet-stream"
LOOK_S = 0.05
WAIT_S = 20  # for another request that still writes to the same upload, such as one whose client has gone


@area.special("OPTIONS", PATH, who="team")
def tell_options(context: Admitted, key: str) -> Response:
    """Say what is offered."""
    del key
    most = context.challenge.definition.uploads.max_bytes
    headers = {**VERSION, "Tus-Version": "1.0.0", "Tus-Extension": "termination", "Tus-Max-Size": str(most)}
    return Response(status_code=204, headers=headers)


@area.special("HEAD", PATH, who="team")
def tell_offset(context: Admitted, key: str, request: Request) -> Response:
    """Say how much has come; what has come whole and could not be kept then is kept now."""
    with context.server.database.reading() as session:
        upload, submission = find_upload(session, key)
        offset = _offset(context, upload, submission)
        length, is_coming = submission.committed_bytes, submission.facts.is_arriving
    if is_coming and offset == length:
        with _turn(request.app.state.turns, key) as is_ours:
            if is_ours:  # else another request is keeping it
                _finish(context, key)
    headers = {
        **VERSION,
        "Upload-Offset": str(offset),
        "Upload-Length": str(length),
        "Cache-Control": "no-store",
    }
    return Response(status_code=200, headers=headers)


@area.special("PATCH", PATH, who="team")
async def add_piece(context: Admitted, key: str, request: Request) -> Response:
    """Add bytes at an offset; with the last one the file is checked against its promise."""
    offset = _read_header(request, "upload-offset")
    if request.headers.get("content-type") != MEDIA_TYPE:
        raise InputError(f"the content type must be {MEDIA_TYPE}")
    async with _own_turn(request.app.state.turns, key):
        part, n_bytes = await run_in_threadpool(_prepare, context, key)
        if part is None:
            return Response(status_code=204, headers={**VERSION, "Upload-Offset": str(n_bytes)})
        offset = await _receive(request, part, offset, n_bytes)
        await run_in_threadpool(_note_progress, context, key, offset)
        if offset == n_bytes:
            await run_in_threadpool(_finish, context, key)
    return Response(status_code=204, headers={**VERSION, "Upload-Offset": str(offset)})


@area.special("DELETE", PATH, who="team")
def give_up(context: Admitted, key: str) -> Response:
    """Give an upload up: the submission is withdrawn, its try given back."""
    with context.server.database.writing() as session:
        _, submission = find_upload(session, key)
        withdraw(session, context.now, submission.id, acting_member(context, submission.id, session))
        drop_upload(session, context.now, context.server.settings.folder, submission.id)
    return Response(status_code=204, headers=VERSION)


async def _receive(request: Request, part: Path, offset: int, n_bytes: int) -> int:
    """Write what comes; what has come before the client goes away stays."""
    gathered = bytearray()
    try:
        async for chunk in request.stream():
            gathered += chunk
            if len(gathered) >= WRITE_BYTES:
                offset = await run_in_threadpool(add_bytes, part, offset, [bytes(gathered)], n_bytes=n_bytes)
                gathered.clear()
    except ClientDisconnect:
        await run_in_threadpool(add_bytes, part, offset, [bytes(gathered)], n_bytes=n_bytes)
        raise
    return await run_in_threadpool(add_bytes, part, offset, [bytes(gathered)], n_bytes=n_bytes)


def _prepare(context: Context, key: str) -> tuple[Path | None, int]:
    with context.server.database.reading() as session:
        upload, submission = find_upload(session, key)
        if not submission.facts.is_arriving:
            return None, submission.committed_bytes
        return part_file(context.server.settings.folder, upload), submission.committed_bytes


def _note_progress(context: Context, key: str, offset: int) -> None:
    with context.server.database.writing() as session:
        upload, _ = find_upload(session, key)
        upload.received_bytes, upload.updated_at = offset, context.server.clock()


def _finish(context: Context, key: str) -> None:
    server = context.server
    finish_upload(
        server.database,
        server.storage,
        server.clock(),
        folder=server.settings.folder,
        challenge=context.challenge,
        key=key,
    )


def _offset(context: Context, upload: Upload, submission: Submission) -> int:
    if not submission.facts.is_arriving:
        return submission.committed_bytes
    part = part_file(context.server.settings.folder, upload)
    return part.stat().st_size if part.exists() else 0


def _read_header(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InputError(f"the header {name} must be a number of bytes")
    return int(text)


@contextlib.contextmanager
def _turn(taken: dict[str, object], key: str) -> Iterator[bool]:
    """Let one request at a time write to an upload; whether this one may is given. A database has one server."""
    mine = object()
    is_ours = taken.setdefault(key, mine) is mine
    try:
        yield is_ours
    finally:
        if is_ours:
            del taken[key]


@contextlib.asynccontextmanager
async def _own_turn(taken: dict[str, object], key: str) -> AsyncIterator[None]:
    """Wait for the turn."""
    end = time.monotonic() + WAIT_S
    while True:
        with _turn(taken, key) as is_ours:
            if is_ours:
                yield
                return
        if time.monotonic() > end:
            raise StateError("another request still sends to this upload; ask for its offset and go on")
        await asyncio.sleep(LOOK_S)
