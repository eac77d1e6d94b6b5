"""How long a request's body may be: counted as it comes, whatever its headers promise."""

import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from raim.errors import TooLargeError
from raim.records.record import Failure, Fault

SMALL_BODY = 2**20  # forms and JSON
UPLOADS = re.compile("/c/[^/]+/uploads/|/admin/uploads/file/")
FILE_FORM = re.compile("/c/[^/]+/submit")


class BodyLimit:
    """ASGI middleware; a body that is too long ends in TooLargeError where the request is read.

    Pieces of uploads have a limit of their own (what the submission has promised), so only the others are counted.
    """

    def __init__(self, app: ASGIApp, *, file_bytes: int) -> None:
        self.app = app
        self.file_bytes = file_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or UPLOADS.match(scope["path"]):
            await self.app(scope, receive, send)
            return
        limit = SMALL_BODY + (self.file_bytes if FILE_FORM.fullmatch(scope["path"]) else 0)
        text = f"the request is longer than {limit} bytes"
        failure = Failure(error=Fault(code="too_large", message=text)).model_dump()
        refuse = JSONResponse(failure, status_code=413, headers={"Connection": "close"})
        promised = Headers(scope=scope).get("content-length", "0")
        if not promised.isdigit() or int(promised) > limit:
            await refuse(scope, receive, send)
            return
        came, is_refused = 0, False

        async def receive_counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > limit:
                raise TooLargeError(text)
            return message

        async def send_or_refuse(message: Message) -> None:
            # Whatever was made of the error by then, the answer is this one.
            nonlocal is_refused
            if came <= limit:
                await send(message)
            elif not is_refused:
                is_refused = True
                await refuse(scope, receive, send)

        await self.app(scope, receive_counted, send_or_refuse)
