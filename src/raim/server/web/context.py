"""A request with who makes it: found and admitted here, before any function of a page runs."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import Depends
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session
from starlette.requests import Request

from raim.errors import AccessError, StateError, UnknownNameError
from raim.records.record import LARGEST_ID
from raim.server.auditing import challenge_of
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import (
    Announcement,
    Base,
    Finalist,
    Invitation,
    Judge,
    Member,
    Study,
    StudyEntry,
    Submission,
    Team,
    Upload,
)
from raim.server.jobs import Forecast
from raim.server.web import threads
from raim.server.web.access import ROUTE_RULES, Viewer, decide
from raim.server.web.origin import SAFE_METHODS, check_origin
from raim.server.web.server import HostedChallenges, WebServer
from raim.server.web.viewers import (
    WHOSE,
    LoginNeededError,
    find_judge_viewer,
    find_viewer,
    judge_cookie,
    network_of,
)

NO_JUDGE = "open the link that the organiser sent you; this browser holds none that works (any more)"
LONGEST_ID = len(str(LARGEST_ID))
Given = ParamSpec("Given")
Result = TypeVar("Result")


class TeamNeededError(AccessError):
    """Whoever asks is in no team; pages lead to the team's page."""


class JudgeNeededError(AccessError):
    """The browser holds no judge's link that works."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestContext:
    """One request.

    Attributes:
        request: Of Starlette.
        server: The server.
        hosted: Which challenges it has now.
        viewer: Who asks.
        chosen: The challenge in force whose page it is; None for the server's own pages where it has several.
        now: The time, the same for all that the request does.
        one_session: Of the request; None in the few routes that open their own.
        headers: Further ones of the page that is answered.
    """

    request: Request
    server: WebServer
    hosted: HostedChallenges
    viewer: Viewer
    chosen: CurrentChallenge | None
    now: datetime
    one_session: Session | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def challenge(self) -> CurrentChallenge:
        """The challenge in force.

        Raises:
            UnknownNameError: The page is the server's, which has several.
        """
        if self.chosen is None:
            raise UnknownNameError("this is no page of a challenge; choose one on the first page")
        return self.chosen

    @property
    def session(self) -> Session:
        """The one session of the request: reading for GET, writing else; committed when its function has returned."""
        if self.one_session is None:
            raise RuntimeError("this route opens its own sessions")
        return self.one_session

    def aside(self, work: Callable[Given, Result], *args: Given.args, **options: Given.kwargs) -> Result:
        """Do what is slow while no connection is held: the transaction is ended before, the next one begins after.

        Args:
            work: Such as hashing a password, or reading the storage.
            args: Its arguments; no row of the database among them.
            options: The same.
        """
        self.session.commit()
        return work(*args, **options)

    @property
    def here(self) -> str:
        """Path of the challenge's pages, such as "/c/raim"; "" without one."""
        return "" if self.chosen is None else f"/c/{self.chosen.definition.id}"

    @property
    def forecast(self) -> Forecast:
        """How the queue stands, as of the last second or a few."""
        return self.server.forecasts.get(self.session, self.now, self.server.database)

    def page_address(self, page: str) -> str:
        """Return the query of another page of the list that is shown."""
        kept = {
            name: value for name, value in self.request.query_params.items() if name not in {"page", "note"}
        }
        return "?" + urlencode({**{name: value for name, value in kept.items() if value}, "page": page})

    @property
    def address(self) -> str:
        """Network address of the browser, as limits count it; of IPv6 the first half."""
        return network_of(self.request.client.host) if self.request.client else ""

    @property
    def user_id(self) -> int:
        """Who is logged in.

        Raises:
            LoginNeededError: Nobody is.
        """
        if self.viewer.user_id is None:
            raise LoginNeededError("log in first")
        return self.viewer.user_id

    def own_team_id(self) -> int:
        """Return the team that who asks is in now, which this very request may have changed."""
        return self.session.scalars(
            select(Member.team_id).where(
                Member.user_id == self.user_id, Member.challenge_id == self.challenge.id
            )
        ).one()

    def member(self, session: Session | None = None) -> Member:
        """Return the row of who asks in their team.

        Raises:
            TeamNeededError: They are in no team.
        """
        if self.viewer.member_id is None:
            raise TeamNeededError("join or make a team first")
        return (session or self.session).get_one(Member, self.viewer.member_id)

    def judge(self) -> Judge:
        """Return the row of the judge who asks.

        Raises:
            JudgeNeededError: Nobody judges here.
        """
        if self.viewer.judge_id is None:
            raise JudgeNeededError(NO_JUDGE)
        return self.session.get_one(Judge, self.viewer.judge_id)


async def admit(request: Request) -> RequestContext:
    """Admit a request to a route that opens its own sessions; see `open_context`."""
    return await threads.run_in_thread(request.method in SAFE_METHODS, _admit, request)


def _admit(request: Request) -> RequestContext:
    server: WebServer = request.app.state.server
    with server.database.reading() as session:
        context = identify_request(session, server, request)
        check_access(context, session)
    note_use(context)
    return replace(context, one_session=None)


@contextmanager
def open_context(request: Request, *, is_reading: bool = False) -> Iterator[RequestContext]:
    """Open the request's one session, find out who asks, and refuse what they may not.

    Args:
        request: The request.
        is_reading: Whether it only reads although its method may write.

    Raises:
        LoginNeededError: A login is needed.
        TeamNeededError: A team is needed.
        JudgeNeededError: A judge's link is needed.
        AccessError: It is not theirs to do, or the form is not ours.
        UnknownNameError: It is another team's, or not there.
    """
    server: WebServer = request.app.state.server
    reads = is_reading or request.method in SAFE_METHODS
    opened = server.database.reading() if reads else server.database.writing()
    with opened as session:
        context = identify_request(session, server, request)
        check_access(context, session)
        yield context
    note_use(context)


def identify_request(session: Session, server: WebServer, request: Request) -> RequestContext:
    """Find out who asks for what, and when.

    Raises:
        LoginNeededError: The token is none.
        UnknownNameError: There is no such challenge, or no row of so large a number.
    """
    _check_numbers(request)
    asked = request.path_params.get("challenge_id")
    hosted = server.hosted(session)
    slug = asked or hosted.only or _followed(request)
    chosen = server.find_challenge(session, hosted, slug)
    now = server.clock()
    if ROUTE_RULES.get(request.scope["route"].name) == "judge":
        viewer = find_judge_viewer(session, request, judge_cookie(server, slug), chosen)
    else:
        viewer = find_viewer(session, server, chosen, request, now)
    if chosen is not None and chosen.status == "draft" and not viewer.is_organiser:
        chosen = None
    if asked is not None and chosen is None:
        raise UnknownNameError(f"there is no challenge {asked!r} on this server")
    return RequestContext(
        request=request,
        server=server,
        hosted=hosted,
        viewer=viewer,
        chosen=chosen,
        now=now,
        one_session=session,
    )


def _followed(request: Request) -> str:
    """Return the challenge that somebody comes from or goes on to, as the address of a page of the server says."""
    asked = request.query_params
    return named_in(asked.get("following") or asked.get("next") or "")


def named_in(path: str) -> str:
    """Return the id of the challenge that an address is of; "" for one of the server.

    Example:
        >>> named_in("/c/night/rules"), named_in("/account")
        ('night', '')
    """
    found = re.match(r"/c/([^/?#]+)", path)
    return found[1] if found else ""


def check_access(context: RequestContext, session: Session) -> None:
    """Refuse what the viewer may not, in this order: who, role and ownership, the origin of a form.

    Raises:
        RaimError: As `open_context`.
    """
    request, route = context.request, context.request.scope["route"].name
    owner = _owner(session, context) if ROUTE_RULES.get(route) == "team" else None
    decision = decide(route, context.viewer, owner_team_id=owner)
    if decision == "log in":
        raise LoginNeededError("log in to see this")
    if decision == "no team":
        raise TeamNeededError("join or make a team first")
    if decision == "no judge":
        raise JudgeNeededError(NO_JUDGE)
    if decision == "forbidden":
        raise AccessError(
            f"this is for the {WHOSE.get(ROUTE_RULES.get(route, ''), 'organisers of the challenge')}"
        )
    if decision == "hidden" or (decision == "allowed" and owner is None and ROUTE_RULES.get(route) == "team"):
        raise UnknownNameError("there is no such submission")
    if context.chosen is not None:
        _check_rows(context, session)
        _check_status(context)
    if request.method not in SAFE_METHODS and not context.viewer.by_token:
        check_origin(request, context.server.settings.public_url)


_owners = (
    select(func.coalesce(Team.merged_into, Team.id))
    .join(Submission, Submission.team_id == Team.id)
    .where(Team.challenge_id == bindparam("challenge_id"))
)
OWNER = _owners.where(Submission.id == bindparam("number"))
OWNER_BY_KEY = _owners.join(Upload, Upload.submission_id == Submission.id).where(
    Upload.key == bindparam("key")
)
Admitted = Annotated[RequestContext, Depends(admit)]
# Rows whose numbers stand in addresses.
ROWS: dict[str, type[Base]] = {
    "submission_id": Submission,
    "team_id": Team,
    "study_id": Study,
    "judge_id": Judge,
    "entry_id": StudyEntry,
    "announcement_id": Announcement,
    "finalist_id": Finalist,
    "invitation_id": Invitation,
    "member_id": Member,
}


def _check_status(context: RequestContext) -> None:
    """Let nobody change anything of a challenge that is retired, and only its organisers of one that is paused.

    Raises:
        StateError: It is.
    """
    if context.request.method in SAFE_METHODS or "challenge_id" not in context.request.path_params:
        return
    status = context.challenge.status
    if status == "retired":
        raise StateError("this challenge is retired: it is there to be read only")
    if status == "paused" and not context.viewer.is_organiser:
        raise StateError("this challenge is paused by the organisers; come back later")


def _check_rows(context: RequestContext, session: Session) -> None:
    """Refuse rows that are not there, and those of another challenge in the same words.

    Raises:
        UnknownNameError: A number in the address is of one.
    """
    owned = (
        "submission_id" if ROUTE_RULES.get(context.request.scope["route"].name) == "team" else ""
    )  # by `_owner`
    for name, table in ROWS.items():
        number = str(context.request.path_params.get(name, ""))
        if name == owned or not (number.isascii() and number.isdecimal()):
            continue
        row = session.get(table, int(number))
        if row is None or challenge_of(session, row) != context.challenge.id:
            raise UnknownNameError(f"there is no {name.removesuffix('_id')} {number}")


def _check_numbers(request: Request) -> None:
    """Refuse numbers of rows that no database has.

    Raises:
        UnknownNameError: One is larger.
    """
    for name, value in request.path_params.items():
        digits = str(value).lstrip("+-")
        if digits.isdecimal() and (len(digits) > LONGEST_ID or int(digits) > LARGEST_ID):
            raise UnknownNameError(
                f"there is no {name.removesuffix('_id')} with the number {str(value)[:20]}"
            )


def note_use(context: RequestContext) -> None:
    """Note that an API token was used, once an hour, after the request's own transaction."""
    token = context.request.headers.get("authorization", "").partition(" ")[2].strip()
    if not context.viewer.by_token or not context.viewer.is_use_to_note:
        return
    context.server.token_uses.note(context.server.database, context.now, token)


def _owner(session: Session, context: RequestContext) -> int | None:
    """Return the team that the submission or upload in the address belongs to."""
    params, here = context.request.path_params, context.challenge.id
    number, key = str(params.get("submission_id")), params.get("key")
    if key is not None:
        return session.scalar(OWNER_BY_KEY, {"challenge_id": here, "key": str(key)})
    if not (number.isascii() and number.isdigit()):
        return None
    return session.scalar(OWNER, {"challenge_id": here, "number": int(number)})
