"""The application: its routes, each admitted by the same function, and what stands around them."""

from operator import itemgetter
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from raim import __version__
from raim.server.web.body_limit import BodyLimit
from raim.server.web.failures import add_handlers
from raim.server.web.headers import SafeHeaders
from raim.server.web.host_check import HostCheck
from raim.server.web.observation import Observed
from raim.server.web.rate_limit import Buckets
from raim.server.web.rendering import STATIC
from raim.server.web.routes import AREAS
from raim.server.web.server import WebServer
from raim.server.web.viewers import is_secure
from raim.server.web.watch import Watch

ANY, ROUTES = "{}", "/"  # no part of an address


class VersionedFiles(StaticFiles):
    """Static files; where the address changes with the content, browsers may keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        response = await super().get_response(path, scope)
        is_versioned = b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if is_versioned else "no-cache"
        )
        return response


class Directory(APIRouter):
    """All routes, found by the parts of an address: to try hundreds in turn takes longer than most answers.

    An address that no route takes is left to the router that it extends.
    """

    def __init__(self, routes: list[BaseRoute]) -> None:
        super().__init__(routes=routes)
        self.tree: dict[str, Any] = {}
        for number, route in enumerate(routes):
            node = self.tree
            for part in str(getattr(route, "path", "")).split("/")[1:]:
                node = node.setdefault(ANY if part.startswith("{") else part, {})
            node.setdefault(ROUTES, []).append((number, route))

    def candidates(self, path: str) -> list[BaseRoute]:
        """Return the routes whose addresses have these parts, in the order of all."""
        nodes = [self.tree]
        for part in path.split("/")[1:]:
            nodes = [node[each] for node in nodes for each in (part, ANY) if each in node]
        return [
            route
            for _, route in sorted(
                (each for node in nodes for each in node.get(ROUTES, ())), key=itemgetter(0)
            )
        ]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        for route in self.candidates(scope["path"]) if scope["type"] == "http" else ():
            match, found = route.matches(scope)
            if match == Match.FULL:
                scope.update(found, router=self)
                await route.handle(scope, receive, send)
                return
        await super().app(scope, receive, send)


class Application(FastAPI):
    """The application of a server, whose safe headers and request ids stand on the answer to a bug too."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return what answers, from the outermost on."""
        server: WebServer = self.state.server
        safe = SafeHeaders(super().build_middleware_stack(), is_secure=is_secure(server))
        return Observed(safe, believes_ids=bool(server.settings.trusted_proxies))


def make_app(server: WebServer) -> FastAPI:
    """Make the application of a server.

    Example:
        >>> from raim.server.web.access import ROUTE_RULES
        >>> "GET /" in ROUTE_RULES
        True
    """
    app = Application(
        title="raim",
        version=__version__,
        description="The HTTP API of a restoration challenge. Make a token on your account's page.",
        openapi_url=None,  # served by a route of its own, through the same table of who may what
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(HostCheck, public_url=server.settings.public_url),
            Middleware(BodyLimit, file_bytes=server.settings.upload_limit_bytes),
        ],
    )
    app.state.server = server
    app.state.buckets = Buckets()
    app.state.watch = Watch(server)
    app.state.coming = []
    routes = [route for area in AREAS for router in area.routers for route in router.routes]
    app.router = Directory([Mount("/static", VersionedFiles(directory=STATIC), name="static"), *routes])
    add_handlers(app)
    return app
