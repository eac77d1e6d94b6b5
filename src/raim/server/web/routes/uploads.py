"""Resumable uploads by the tus protocol 1.0: HEAD tells how much is there, PATCH adds, DELETE gives up.

An upload is created by a POST (of a submission, or of a challenge), where length and SHA-256 are promised; so the
extensions for creating one are not offered. Source: https://tus.io/protocols/resumable-upload, version 1.0.0.

Why not tuspyserver, which the field uses: its body handler runs before the check of who sends.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from raim.errors import InputError, StateError
from raim.server.part_files import add_bytes, part_file, received_bytes
from raim.server.submissions.choices import withdraw
from raim.server.submissions.uploads import drop_upload, find_upload, finish_upload
from raim.server.web.access import Who
from raim.server.web.context import Admitted, Context
from raim.server.web.routes.submissions import acting_member
from raim.server.web.routing import Area

area = Area("submissions")
VERSION = {"Tus-Resumable": "1.0.0"}
WRITE_BYTES = 2**20  # so much is gathered before it is written
MEDIA_TYPE = "application/offset+octet-stream"
LOOK_S = 0.05
WAIT_S = 20  # for another request that still writes to the same upload, such as one whose client has gone


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What was promised of an upload, and whether its bytes are still to come."""

    n_bytes: int
    is_coming: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploaded:
    """What is uploaded, as the protocol's routes need it; each function takes a context and the upload's key.

    Attributes:
        most_bytes: Length of the longest one.
        find: Gives its promise, or an UnknownNameError.
        note: Writes down how much has come.
        finish: Takes what has come whole.
        give_up: Ends it.
    """

    most_bytes: Callable[[Context], int]
    find: Callable[[Context, str], Promise]
    note: Callable[[Context, str, int], None]
    finish: Callable[[Context, str], object]
    give_up: Callable[[Context, str], None]


def add_routes(area: Area, path: str, who: Who, uploaded: Uploaded) -> None:
    """Add the protocol's routes at an address that has the upload's key."""

    def tell_options(context: Admitted, key: str) -> Response:
        """Say what is offered."""
        del key
        most = str(uploaded.most_bytes(context))
        headers = {**VERSION, "Tus-Version": "1.0.0", "Tus-Extension": "termination", "Tus-Max-Size": most}
        return Response(status_code=204, headers=headers)

    def tell_offset(context: Admitted, key: str, request: Request) -> Response:
        """Say how much has come; what has come whole and could not be kept then is kept now."""
        promise = uploaded.find(context, key)
        folder = context.server.settings.folder
        offset = received_bytes(folder, key) if promise.is_coming else promise.n_bytes
        if promise.is_coming and offset == promise.n_bytes:
            with _turn(request.app.state.turns, key) as is_ours:
                if is_ours:  # else another request is keeping it
                    uploaded.finish(context, key)
        headers = {
            **VERSION,
            "Upload-Offset": str(offset),
            "Upload-Length": str(promise.n_bytes),
            "Cache-Control": "no-store",
        }
        return Response(status_code=200, headers=headers)

    async def add_piece(context: Admitted, key: str, request: Request) -> Response:
        """Add bytes at an offset; with the last one the file is checked against its promise."""
        offset = _read_header(request, "upload-offset")
        if request.headers.get("content-type") != MEDIA_TYPE:
            raise InputError(f"the content type must be {MEDIA_TYPE}")
        async with _own_turn(request.app.state.turns, key):
            promise = await run_in_threadpool(uploaded.find, context, key)
            if not promise.is_coming:
                return Response(status_code=204, headers={**VERSION, "Upload-Offset": str(promise.n_bytes)})
            part = part_file(context.server.settings.folder, key)
            offset = await _receive(request, part, offset, promise.n_bytes)
            await run_in_threadpool(uploaded.note, context, key, offset)
            if offset == promise.n_bytes:
                await run_in_threadpool(uploaded.finish, context, key)
        return Response(status_code=204, headers={**VERSION, "Upload-Offset": str(offset)})

    def give_up(context: Admitted, key: str) -> Response:
        """Give an upload up."""
        uploaded.give_up(context, key)
        return Response(status_code=204, headers=VERSION)

    area.special("OPTIONS", path, who=who)(tell_options)
    area.special("HEAD", path, who=who)(tell_offset)
    area.special("PATCH", path, who=who)(add_piece)
    area.special("DELETE", path, who=who)(give_up)


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


def _find(context: Context, key: str) -> Promise:
    with context.server.database.reading() as session:
        _, submission = find_upload(session, key)
        return Promise(n_bytes=submission.committed_bytes, is_coming=submission.facts.is_arriving)


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


def _give_up(context: Context, key: str) -> None:
    """Withdraw the submission, its try given back."""
    with context.server.database.writing() as session:
        _, submission = find_upload(session, key)
        withdraw(session, context.now, submission.id, acting_member(context, submission.id, session))
        drop_upload(session, context.now, context.server.settings.folder, submission.id)


add_routes(
    area,
    "/uploads/{key}",
    "team",
    Uploaded(
        most_bytes=lambda context: context.challenge.definition.uploads.max_bytes,
        find=_find,
        note=_note_progress,
        finish=_finish,
        give_up=_give_up,
    ),
)
