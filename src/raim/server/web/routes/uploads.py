"""Resumable uploads by the tus protocol 1.0: HEAD tells how much is there, PATCH adds, DELETE gives up.

An upload is created by a POST (of a submission, or of a challenge), where length and SHA-256 are promised; so the
extensions for creating one are not offered. Source: https://tus.io/protocols/resumable-upload, version 1.0.0.

Why not tuspyserver, which the field uses: its body handler runs before the check of who sends.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from sqlalchemy import update
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from raim.errors import InputError, StateError
from raim.server.database import Upload
from raim.server.database.columns import Arriving
from raim.server.gathering import claim, drop_gathered, gather, gathered_bytes, piece_bytes, release
from raim.server.submissions.choices import withdraw
from raim.server.submissions.uploads import end_upload, find_upload, finish_upload
from raim.server.web.access import Who
from raim.server.web.context import Admitted, RequestContext
from raim.server.web.routes.submissions import acting_member
from raim.server.web.routing import Area

area = Area("submissions")
VERSION = {"Tus-Resumable": "1.0.0"}
MEDIA_TYPE = "application/offset+octet-stream"
LOOK_S = 0.1
NOTE_EVERY_S = 10.0
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
        table: Where its row is.
        find: Gives its promise, or an UnknownNameError.
        finish: Takes what has come whole.
        give_up: Ends it.
    """

    most_bytes: Callable[[RequestContext], int]
    table: type[Arriving]
    find: Callable[[RequestContext, str], Promise]
    finish: Callable[[RequestContext, str], object]
    give_up: Callable[[RequestContext, str], None]


def add_routes(area: Area, path: str, who: Who, uploaded: Uploaded) -> None:
    """Add the protocol's routes at an address that has the upload's key."""

    def tell_options(context: Admitted, key: str) -> Response:
        """Return what is offered."""
        del key
        most = str(uploaded.most_bytes(context))
        headers = {**VERSION, "Tus-Version": "1.0.0", "Tus-Extension": "termination", "Tus-Max-Size": most}
        return Response(status_code=204, headers=headers)

    def tell_offset(context: Admitted, key: str) -> Response:
        """Return how much has come; what has come whole and could not be kept then is kept now."""
        promise, holder = uploaded.find(context, key), secrets.token_hex(8)
        offset = gathered_bytes(context.server.storage, key) if promise.is_coming else promise.n_bytes
        if promise.is_coming and offset == promise.n_bytes and _claim(context, uploaded, key, holder):
            try:  # else another request is keeping it
                uploaded.finish(context, key)
            finally:
                _release(context, uploaded, key, holder)
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
        async with _turn(context, uploaded, key) as turn:
            promise = await run_in_threadpool(uploaded.find, context, key)
            if not promise.is_coming:
                return Response(status_code=204, headers={**VERSION, "Upload-Offset": str(promise.n_bytes)})
            writing = _Writing(context, uploaded, key, turn, offset, promise.n_bytes)
            await writing.receive(request)
            if writing.offset == promise.n_bytes:
                await run_in_threadpool(uploaded.finish, context, key)
        return Response(status_code=204, headers={**VERSION, "Upload-Offset": str(writing.offset)})

    def give_up(context: Admitted, key: str) -> Response:
        """Give an upload up."""
        uploaded.give_up(context, key)
        return Response(status_code=204, headers=VERSION)

    area.special("OPTIONS", path, who=who)(tell_options)
    area.special("HEAD", path, who=who)(tell_offset)
    area.special("PATCH", path, who=who)(add_piece)
    area.special("DELETE", path, who=who)(give_up)


@dataclass(slots=True)
class _Writing:
    """One request that adds bytes: what has come before its client goes away stays."""

    context: RequestContext
    uploaded: Uploaded
    key: str
    turn: "_Turn"
    offset: int
    n_bytes: int
    goes_on: bool = False
    noted_at: float = field(default_factory=time.monotonic)

    async def receive(self, request: Request) -> None:
        """Write what comes, a piece at a time."""
        most, gathered = piece_bytes(self.context.server.storage), bytearray()
        try:
            async for chunk in request.stream():
                gathered += chunk
                if len(gathered) >= most:
                    await run_in_threadpool(self.write, bytes(gathered))
                    gathered.clear()
        except ClientDisconnect:
            await run_in_threadpool(self.write, bytes(gathered), is_last=True)
            raise
        await run_in_threadpool(self.write, bytes(gathered), is_last=True)

    def write(self, content: bytes, *, is_last: bool = False) -> None:
        """Write a piece; now and then, and after the last, how much there is is noted for all to see.

        With the last one the next request may write, unless all is there and is to be kept.
        """
        server, table = self.context.server, self.uploaded.table
        self.offset = gather(
            server.storage, self.key, self.offset, content, n_bytes=self.n_bytes, goes_on=self.goes_on
        )
        self.goes_on = True
        if is_last or time.monotonic() - self.noted_at > NOTE_EVERY_S:
            self.noted_at, now = time.monotonic(), server.clock()
            with server.database.writing() as session:
                found = update(table).where(table.key == self.key)
                session.execute(found.values(received_bytes=self.offset, updated_at=now))
                if is_last and self.offset < self.n_bytes:
                    release(session, table, self.key, self.turn.holder)
                else:
                    claim(session, table, now, self.key, self.turn.holder)
            self.turn.is_over = is_last and self.offset < self.n_bytes


def _read_header(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InputError(f"the header {name} must be a number of bytes")
    return int(text)


def _claim(context: RequestContext, uploaded: Uploaded, key: str, holder: str) -> bool:
    with context.server.database.writing() as session:
        return claim(session, uploaded.table, context.server.clock(), key, holder)


def _release(context: RequestContext, uploaded: Uploaded, key: str, holder: str) -> None:
    with context.server.database.writing() as session:
        release(session, uploaded.table, key, holder)


@dataclass(slots=True)
class _Turn:
    """Which request writes to an upload, and whether it has let the next one write."""

    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    is_over: bool = False


@contextlib.asynccontextmanager
async def _turn(context: RequestContext, uploaded: Uploaded, key: str) -> AsyncIterator[_Turn]:
    """Wait until no other request, on whichever host, writes to the upload."""
    turn, end = _Turn(), time.monotonic() + WAIT_S
    while not await run_in_threadpool(_claim, context, uploaded, key, turn.holder):
        await run_in_threadpool(uploaded.find, context, key)  # or there is none, and nothing to wait for
        if time.monotonic() > end:
            raise StateError("another request still sends to this upload; ask for its offset and go on")
        await asyncio.sleep(LOOK_S)
    try:
        yield turn
    finally:
        if not turn.is_over:
            await run_in_threadpool(_release, context, uploaded, key, turn.holder)


def _find(context: RequestContext, key: str) -> Promise:
    with context.server.database.reading() as session:
        _, submission = find_upload(session, key)
        return Promise(n_bytes=submission.committed_bytes, is_coming=submission.facts.is_arriving)


def _finish(context: RequestContext, key: str) -> None:
    server = context.server
    finish_upload(server.database, server.storage, server.clock(), challenge=context.challenge, key=key)


def _give_up(context: RequestContext, key: str) -> None:
    """Withdraw the submission, its try given back."""
    with context.server.database.writing() as session:
        _, submission = find_upload(session, key)
        withdraw(session, context.now, submission.id, acting_member(context, submission.id, session))
        end_upload(session, context.now, submission.id)
    drop_gathered(context.server.storage, key)


add_routes(
    area,
    "/uploads/{key}",
    "team",
    Uploaded(
        most_bytes=lambda context: context.challenge.definition.uploads.max_bytes,
        table=Upload,
        find=_find,
        finish=_finish,
        give_up=_give_up,
    ),
)
