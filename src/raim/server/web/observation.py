"""What is noted of every request: its id, which answer, log lines and the page of an error share, and how it went.

Said is the route's name, "GET /c/{challenge_id}/rules", never the address, which may hold somebody's secret link.
"""

import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from raim.server.logs import REQUEST_ID, REQUESTS

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
ID_HEADER = "X-Request-ID"


class Observed:
    """ASGI middleware around all others, and around the answer to a bug.

    Args:
        app: What answers.
        believes_ids: Whether a proxy stands before the server, whose id of the request is taken.
    """

    def __init__(self, app: ASGIApp, *, believes_ids: bool) -> None:
        self.app = app
        self.believes_ids = believes_ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(ID_HEADER, "") if self.believes_ids else ""
        request_id = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        REQUEST_ID.set(request_id)  # of this request's task, and of the threads that work for it
        begun = time.monotonic()
        status, seconds = 0, 0.0

        async def send_observed(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[ID_HEADER] = request_id
                status, seconds = message["status"], time.monotonic() - begun
            await send(message)

        try:
            await self.app(scope, receive, send_observed)
        finally:
            route = name_route(scope)
            if REQUESTS.isEnabledFor(logging.INFO):
                facts = {"route": route, "status": status, "seconds": round(seconds, 4)}
                REQUESTS.info("%s: %d", route, status, extra={"facts": facts})


def name_route(scope: Scope) -> str:
    """Return the name of the route that answered: of the register, "static", or "none" for an address without one."""
    is_static = scope["path"].startswith("/static/")
    return getattr(scope.get("route"), "name", "static" if is_static else "none")
