"""What is noted of every request: its id, which answer, log lines and the page of an error share, and how it went.

Said is the route's name, "GET /c/{challenge_id}/rules", never the address, which may hold somebody's secret link. Where
several processes answer on one machine, each counts into files of PROMETHEUS_MULTIPROC_DIR, and each can add all up.
"""

import logging
import os
import re
import secrets
import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from raim.server.logs import REQUEST_ID, REQUESTS

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
ID_HEADER = "X-Request-ID"
# Without a second series for each counter.
disable_created_metrics()  # type: ignore[no-untyped-call]
COUNTED = CollectorRegistry()
ANSWERS = Counter("raim_answers", "Answers by route and status.", ["route", "status"], registry=COUNTED)
SECONDS = Histogram(
    "raim_answer_seconds",
    "Seconds until an answer begins, by route.",
    ["route"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=COUNTED,
)
UNDER_WAY = Gauge(
    "raim_requests_under_way", "Requests that have no whole answer.", multiprocess_mode="livesum", registry=COUNTED
)  # fmt: skip
LOG_LINES = Counter("raim_log_lines", "Warnings and errors in the log.", ["level"], registry=COUNTED)
ProcessCollector(registry=COUNTED)


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
            with UNDER_WAY.track_inprogress():
                await self.app(scope, receive, send_observed)
        finally:
            note_answer(name_route(scope), status, seconds)


def note_answer(route: str, status: int, seconds: float) -> None:
    """Count an answer, and log it where every request has a line; status 0 is of somebody who left before it."""
    ANSWERS.labels(route, status).inc()
    if status:
        SECONDS.labels(route).observe(seconds)
    if REQUESTS.isEnabledFor(logging.INFO):
        facts = {"route": route, "status": status, "seconds": round(seconds, 4)}
        REQUESTS.info("%s: %d", route, status, extra={"facts": facts})


def name_route(scope: Scope) -> str:
    """Return the name of the route that answered: of the register, "static", or "none" for an address without one."""
    is_static = scope["path"].startswith("/static/")
    return getattr(scope.get("route"), "name", "static" if is_static else "none")


class CountedLines(logging.Handler):
    """Counts what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Count a warning or an error."""
        if record.levelno >= logging.WARNING:
            LOG_LINES.labels(record.levelname.lower()).inc()


def counted() -> CollectorRegistry:
    """Return what this process has counted, or all processes of PROMETHEUS_MULTIPROC_DIR together."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return COUNTED
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def end_counting() -> None:
    """Take what this process has under way out of the sums; its counts stay in them."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]
