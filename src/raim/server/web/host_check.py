"""Only requests for our own name are answered, so that no other site's name can be pointed at this server."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
# A monitor may know the server by its address or another name, and these routes show nothing that a page shows.
PROBES = frozenset({"/health", "/ready", "/metrics"})  # the last asks for a token then


class HostCheck:
    """ASGI middleware; the name is that of RAIM_PUBLIC_URL, and this machine's own names."""

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self.app = app
        self.name = urlsplit(public_url).hostname or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_asked = scope["type"] == "http" and scope["path"] not in PROBES
        if not is_asked or self._is_ours(Headers(scope=scope).get("host", "")):
            await self.app(scope, receive, send)
            return
        text = "This server answers for the address in RAIM_PUBLIC_URL only; the organiser sets it.\n"
        await PlainTextResponse(text, status_code=400)(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return name.lower() in LOCAL or name.lower() == self.name.lower()
