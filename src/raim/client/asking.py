"""One request to the server, and one that is repeated while the network or the server is at fault.

A token goes to the server's own origin only: a GET that is sent elsewhere loses it there (as `requests` does it), any
other request is not sent elsewhere at all.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import requests
from pydantic import ValidationError
from requests.auth import AuthBase

from raim import __version__
from raim.client.server import Server
from raim.errors import (
    AccessError,
    InputError,
    RaimError,
    ServerRefusedError,
    ServerUnreachableError,
    StateError,
    StorageFullError,
    TooLargeError,
    TooManyRequestsError,
    UnknownNameError,
)
from raim.records.record import Failure, Fault, Record
from raim.records.submissions import Submission, SubmissionList

API = "/api/v1"
Answer = TypeVar("Answer")
Known = TypeVar("Known", bound=Record)
PASSING = frozenset({429, 500, 502, 503, 504})
FOLLOWED = frozenset({"GET", "HEAD"})
ERRORS: Mapping[int, type[RaimError]] = {
    400: InputError,
    401: AccessError,
    403: AccessError,
    404: UnknownNameError,
    409: StateError,
    413: TooLargeError,
    507: StorageFullError,
}


class PassingError(Exception):
    """A failure that may pass; `error` is what to raise if it does not, `wait_s` what the server asks to wait."""

    def __init__(self, error: RaimError, *, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


@dataclass(kw_only=True, slots=True)
class Connection:
    """An open connection; `session` keeps it alive between requests, `challenge` is the one that is asked about."""

    server: Server
    session: requests.Session
    challenge: str


@contextmanager
def connect(server: Server) -> Iterator[Connection]:
    """Open a connection for some requests."""
    with requests.Session() as session:
        session.headers["User-Agent"] = f"raim/{__version__}"
        session.headers["Accept"] = "application/json"
        session.auth = _Bearer(server.token)
        yield Connection(server=server, session=session, challenge=server.challenge)


class _Bearer(AuthBase):
    """Sends the token; without it, requests would take a user's ~/.netrc in its place."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def ask(
    connection: Connection,
    kind: type[Known],
    method: str,
    path: str,
    body: Any = None,
    *,
    is_of_server: bool = False,
) -> Known:
    """Ask the API of the challenge, repeatedly while it is unreachable or at fault, and give its answer.

    `is_of_server`: what the server has once, whatever its challenges.

    Raises:
        RaimError: Of the class that fits the server's answer; see `refusal_error`.
        ServerUnreachableError: It does not answer.
    """

    def attempt() -> Known:
        start = API if is_of_server else api_path(connection)
        answer = send(connection, method, start + path, json=body)
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise ServerRefusedError(
                f"{connection.server.url} does not answer as a raim server does ({where}: {first['msg']}); check the "
                "address, and that raim here and there are of about the same version",
                status=answer.status_code,
                code="not_understood",
            ) from error

    return persist(connection, attempt)


def ask_all(connection: Connection) -> list[Submission]:
    """Ask for all submissions of the team, newest first, a page after another."""
    found: list[Submission] = []
    page: str | None = ""
    while page is not None:
        part = ask(connection, SubmissionList, "GET", f"/submissions?page={page}")
        found += part.submissions
        page = part.next_page or None
    return found


def api_path(connection: Connection) -> str:
    """Return where the API of the challenge begins; a server that was named alone is asked which challenge it has.

    Raises:
        InputError: It has several, or none.
    """
    if not connection.challenge:
        found = send(connection, "GET", f"{API}/challenges").json()
        if len(found) != 1:
            names = ", ".join(f"{connection.server.url}/c/{each['id']}" for each in found) or "none"
            raise InputError(f"give the address of a challenge; {connection.server.url} has: {names}")
        connection.challenge = str(found[0]["id"])
    return f"{API}/c/{connection.challenge}"


def persist(
    connection: Connection, action: Callable[[], Answer], progress: Callable[[], int] = lambda: 0
) -> Answer:
    """Repeat an action while it raises PassingError, until several attempts in a row brought no progress."""
    patience = connection.server.patience
    failures, reached = 0, progress()
    while True:
        try:
            return action()
        except PassingError as failure:
            failures = 1 if progress() > reached else failures + 1
            reached = max(reached, progress())
            wait_s = patience.wait_s(failures) if failure.wait_s is None else failure.wait_s
            if failures >= patience.attempts or wait_s > patience.longest_wait_s:
                raise failure.error from failure
        patience.sleep(wait_s)


def send(connection: Connection, method: str, path: str, **options: Any) -> requests.Response:
    """Send one request to a path on the server, with options of `requests`; give the answer, which is a success.

    Raises:
        PassingError: It may succeed later.
        RaimError: The server refuses; see `refusal_error`.
    """
    answer = exchange(connection, method, path, **options)
    if answer.ok:
        return answer
    raise refusal_error(connection, answer)


def exchange(connection: Connection, method: str, path: str, **options: Any) -> requests.Response:
    """Send one request; give the answer, whatever its status, unless that may pass.

    Raises:
        PassingError: No answer, or one that says it may succeed later.
        ServerRefusedError: The server sends us elsewhere.
    """
    server = connection.server
    try:
        answer = connection.session.request(
            method,
            server.url + path,
            timeout=server.patience.timeout_s,
            allow_redirects=method in FOLLOWED,
            **options,
        )
    except requests.exceptions.RequestException as error:
        raise _no_answer(server, error) from error
    if answer.is_redirect:
        raise ServerRefusedError(
            f"{server.url} sends us to {answer.headers['Location']}; give that server's address",
            status=answer.status_code,
            code="elsewhere",
        )
    if answer.status_code in PASSING:
        wait_s = _retry_after_s(connection, answer)
        raise PassingError(refusal_error(connection, answer, wait_s=wait_s), wait_s=wait_s)
    return answer


def read_fault(answer: requests.Response) -> Fault:
    """Read what the server says; proxies before it answer in their own words."""
    try:
        return Failure.model_validate_json(answer.content).error
    except ValidationError:
        return Fault(code="unknown", message=f"it answers {answer.status_code} {answer.reason}")


def refusal_error(
    connection: Connection, answer: requests.Response, *, wait_s: float | None = None
) -> RaimError:
    """Return the error for a refusal.

    400 is InputError, 401 and 403 AccessError, 404 UnknownNameError, 409 StateError, 413 TooLargeError, 429
    TooManyRequestsError (a StateError), 507 StorageFullError; others ServerRefusedError with status, code and problems.
    """
    fault, status = read_fault(answer), answer.status_code
    said = [fault.message, *(each for each in fault.problems if each not in fault.message)]
    message = f"{connection.server.url}: " + "\n  ".join(said)
    if status == 401:
        way_out = "it takes no token as yours" if connection.server.token else "it wants a token"
        message += (
            f"; {way_out}: make one on your account's page there, then give it with --token or RAIM_TOKEN"
        )
    if status == 429:
        retry_at = connection.server.patience.clock() + timedelta(seconds=wait_s or 0.0)
        return TooManyRequestsError(f"{message} (after {retry_at:%Y-%m-%d %H:%M:%S %Z})", retry_at=retry_at)
    if status in ERRORS:
        return ERRORS[status](message)
    return ServerRefusedError(message, status=status, code=fault.code, problems=fault.problems)


def _no_answer(server: Server, error: requests.exceptions.RequestException) -> Exception:
    """Return the failure for a request without an answer; only one about the network may pass."""
    if isinstance(error, requests.exceptions.SSLError):
        return ServerUnreachableError(
            f"{server.url}: no trusted TLS connection ({error}); REQUESTS_CA_BUNDLE may name your own certificates"
        )
    passes = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    )
    why = "no answer in time" if isinstance(error, requests.exceptions.Timeout) else _innermost(error)
    unreachable = ServerUnreachableError(
        f"{server.url} cannot be reached ({why}); check the address and the network, then try again"
    )
    return PassingError(unreachable) if isinstance(error, passes) else unreachable


def _innermost(error: BaseException) -> str:
    cause: BaseException = error
    while isinstance(cause.__context__, BaseException):
        cause = cause.__context__
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _retry_after_s(connection: Connection, answer: requests.Response) -> float | None:
    """Read how long the server asks to wait: seconds, or a date."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment: datetime = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - connection.server.patience.clock()).total_seconds())
