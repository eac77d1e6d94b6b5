"""Expected errors as answers: a page for people, JSON for programs; a bug is logged, its answer shows no detail."""

import logging
import math
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from raim.errors import (
    AccessError,
    ContentMismatchError,
    InputError,
    NotReadyError,
    RaimError,
    StateError,
    StorageError,
    StorageFullError,
    TooLargeError,
    TooManyRequestsError,
    UnknownNameError,
)
from raim.records.record import Failure, Fault
from raim.server.logs import REQUEST_ID
from raim.server.web.body_limit import UPLOADS
from raim.server.web.context import TeamNeededError
from raim.server.web.observation import name_route
from raim.server.web.rendering import environment
from raim.server.web.viewers import LoginNeededError

LOG = logging.getLogger("raim.server")
TITLES = {
    400: "That cannot be used",
    401: "Log in, or send a token",
    403: "Not allowed",
    404: "Not found",
    405: "Not found",
    409: "Not possible now",
    413: "Too large",
    422: "Not the expected form",
    429: "Too often",
    500: "A fault of ours",
    503: "Not possible now",
    507: "No room",
}
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": title} for status, title in TITLES.items()
}
PROGRAMS = re.compile(f"/api/|{UPLOADS.pattern}")  # what programs ask; everything else is a page

# Words for what pydantic says in its own.
PLAIN = {"missing": "it is needed", "extra_forbidden": "there is no such field"}


class FormError(InputError):
    """What was sent is not what is expected; `fields` has what is wrong by field, `problems` all of it."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields
        self.problems = [f"{name}: {text}" for name, text in fields.items()]
        super().__init__(f"the request does not have the expected form: {'; '.join(self.problems)}")


# The first class that fits decides.
STATUS: tuple[tuple[type[BaseException], int, str], ...] = (
    (LoginNeededError, 401, "login_needed"),
    (AccessError, 403, "forbidden"),
    (UnknownNameError, 404, "not_found"),
    (TooLargeError, 413, "too_large"),
    (TooManyRequestsError, 429, "too_many_requests"),
    (NotReadyError, 503, "not_ready"),
    (StateError, 409, "not_possible"),
    (StorageFullError, 507, "storage_full"),
    (ContentMismatchError, 409, "content_mismatch"),
    (StorageError, 503, "storage"),
    (FormError, 422, "invalid"),
    (RaimError, 400, "bad_request"),
)


def add_handlers(app: FastAPI) -> None:
    """Let the application answer errors."""
    app.add_exception_handler(RaimError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    for kind in (OperationalError, InterfaceError, NoConnectionError):
        app.add_exception_handler(kind, _no_database)
    app.add_exception_handler(Exception, _bug)


def read_problem(error: RequestValidationError | ValidationError) -> RaimError:
    """Return what is wrong with a request as an error of ours: an address that cannot be is not there."""
    found = error.errors()
    if any(each["loc"][:1] == ("path",) for each in found):
        return UnknownNameError("there is no such page")
    fields = {}
    for each in found:
        name = ".".join(str(part) for part in each["loc"] if part not in {"body", "query"})
        name = re.sub(r"\.\d+$", "", name)  # of a list: the field that it stands in
        fields[name] = PLAIN.get(each["type"], each["msg"]).removeprefix("Value error, ")
    return FormError(fields)


def status_of(error: BaseException) -> tuple[int, str]:
    """Return status and code of an expected error.

    Example:
        >>> status_of(StateError("no try is left"))
        (409, 'not_possible')
    """
    return next((status, code) for kind, status, code in STATUS if isinstance(error, kind))


async def _expected(request: Request, error: Exception) -> Response:
    # A part of a page that htmx asks for again stays as it is: a login is no part of it.
    is_page = request.method == "GET" and not is_program(request) and "hx-request" not in request.headers
    if isinstance(error, LoginNeededError) and is_page:
        return RedirectResponse(f"/login?next={quote(request.url.path)}", status_code=303)
    if isinstance(error, TeamNeededError) and is_page:
        return RedirectResponse(f"/c/{request.path_params['challenge_id']}/team/new", status_code=303)
    status, code = status_of(error)
    headers = {}
    if isinstance(error, TooManyRequestsError):
        wait = (error.retry_at - request.app.state.server.clock()).total_seconds()
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if isinstance(error, NotReadyError):
        headers["Retry-After"] = str(error.retry_s)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    problems = [getattr(each, "message", str(each)) for each in getattr(error, "problems", ())]
    return _answer(request, status, code, str(error), problems=problems, headers=headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - its handler
    return await _expected(request, read_problem(error))


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "there is no such page", 405: "this address does not take that method"}
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    detail = str(getattr(error, "detail", ""))
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "http")
    return _answer(request, status, code, words.get(status, detail), headers=headers)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it: the browser has left in the middle


async def _no_database(request: Request, error: Exception) -> Response:
    code, text = "database_unavailable", "the database is unavailable for a moment"
    if isinstance(error, NoConnectionError):
        code, text = "busy", "too many people ask at once"
    LOG.warning("%s: %s: %s", name_route(request.scope), text, error)
    text += "; nothing that was accepted is lost: try again in a few seconds"
    return _answer(request, 503, code, text, headers={"Retry-After": "5"})


async def _bug(request: Request, error: Exception) -> Response:
    LOG.error("%s failed", name_route(request.scope), exc_info=error)
    text = (
        "something went wrong on our side; it was written down, nothing that was accepted is lost: try again"
    )
    return _answer(request, 500, "fault", text)


def is_program(request: Request) -> bool:
    """Return whether a program asks."""
    wants = request.headers.get("accept", "")
    return bool(PROGRAMS.match(request.url.path)) or wants.startswith("application/json")


def _answer(
    request: Request,
    status: int,
    code: str,
    message: str,
    *,
    problems: Sequence[str] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    if is_program(request):
        fault = Fault(code=code, message=message, problems=tuple(problems), request_id=REQUEST_ID.get())
        failure = Failure(error=fault)
        return JSONResponse(failure.model_dump(), status_code=status, headers=headers)
    shown: dict[str, Any] = {
        "status": status,
        "title": TITLES.get(status, "Something is wrong"),
        "message": message,
    }
    shown |= {"problems": problems, "request_id": REQUEST_ID.get()}
    page = environment().get_template("failure.html.jinja").render(shown)
    return HTMLResponse(page, status_code=status, headers=headers)
