"""A request with who makes it: found and admitted here, before any function of a page runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import Depends
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from raim.challenge.rules import Role
from raim.errors import AccessError, UnknownNameError
from raim.server.actions.finalists import is_finalist
from raim.server.actions.logins import find_user
from raim.server.actions.tokens import find_token_user
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import ApiToken, Judge, Member, Submission, Team, Upload, User
from raim.server.database.columns import LARGEST_ID
from raim.server.study.judges import find_judge
from raim.server.tokens import hash_token
from raim.server.web.access import RULES, Viewer, decide
from raim.server.web.origin import SAFE_METHODS, check_origin
from raim.server.web.server import Server

NO_JUDGE = "open the link that the organiser sent you; this browser holds none that works (any more)"
LONGEST_ID = len(str(LARGEST_ID))
TOKEN_USE_NOTED = timedelta(hours=1)
Given = ParamSpec("Given")
Result = TypeVar("Result")


class LoginNeededError(AccessError):
    """Nobody is logged in; pages lead to the login, the API answers 401."""


class TeamNeededError(AccessError):
    """Whoever asks is in no team; pages lead to the team's page."""


class JudgeNeededError(AccessError):
    """The browser holds no judge's link that works."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """One request.

    Attributes:
        request: Of Starlette.
        server: The server.
        viewer: Who asks.
        challenge: The challenge in force.
        now: The time, the same for all that the request does.
        one_session: Of the request; None in the few routes that open their own.
        headers: Further ones of the page that is answered.
    """

    request: Request
    server: Server
    viewer: Viewer
    challenge: CurrentChallenge
    now: datetime
    one_session: Session | None = None
    headers: dict[str, str] = field(default_factory=dict)

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
        """Path of the challenge's pages, such as "/c/raim"."""
        return self.server.here

    def page_address(self, page: int) -> str:
        """Return the query of another page of the list that is shown."""
        kept = {
            name: value for name, value in self.request.query_params.items() if name not in {"page", "note"}
        }
        return "?" + urlencode({**{name: value for name, value in kept.items() if value}, "page": page})

    @property
    def address(self) -> str:
        """Network address of the browser."""
        return self.request.client.host if self.request.client else ""

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
        """Give the row of who asks in their team.

        Raises:
            TeamNeededError: They are in no team.
        """
        if self.viewer.member_id is None:
            raise TeamNeededError("join or make a team first")
        return (session or self.session).get_one(Member, self.viewer.member_id)

    def judge(self) -> Judge:
        """Give the row of the judge who asks.

        Raises:
            JudgeNeededError: Nobody judges here.
        """
        if self.viewer.judge_id is None:
            raise JudgeNeededError(NO_JUDGE)
        return self.session.get_one(Judge, self.viewer.judge_id)


def judge_cookie(server: Server) -> str:
    """Give the name of the cookie that holds a judge's link."""
    return "__Host-raim_judge" if is_secure(server) else "raim_judge"


def session_cookie(server: Server) -> str:
    """Give the name of the cookie; browsers take __Host- only over TLS and from this host alone."""
    return "__Host-raim_session" if is_secure(server) else "raim_session"


def is_secure(server: Server) -> bool:
    """Say whether people reach the server over TLS."""
    return server.settings.public_url.startswith("https://")


async def admit(request: Request) -> Context:
    """Admit a request to a route that opens its own sessions; see `enter`."""
    return await run_in_threadpool(_admit, request)


def _admit(request: Request) -> Context:
    server: Server = request.app.state.server
    with server.database.reading() as session:
        context = find_out(session, server, request)
        check_access(context, session)
    note_use(context)
    return replace(context, one_session=None)


@contextmanager
def enter(request: Request, *, is_reading: bool = False) -> Iterator[Context]:
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
    server: Server = request.app.state.server
    reads = is_reading or request.method in SAFE_METHODS
    opened = server.database.reading() if reads else server.database.writing()
    with opened as session:
        context = find_out(session, server, request)
        check_access(context, session)
        yield context
    note_use(context)


def find_out(session: Session, server: Server, request: Request) -> Context:
    """Find out who asks for what, and when.

    Raises:
        LoginNeededError: The token is none.
        UnknownNameError: There is no such challenge, or no row of so large a number.
    """
    _check_numbers(request)
    challenge_id = request.path_params.get("challenge_id", server.definition.id)
    if challenge_id != server.definition.id:
        raise UnknownNameError(
            f"this server has no challenge {challenge_id!r}; it has {server.definition.id!r}"
        )
    now, challenge = server.clock(), server.challenge(session)
    if RULES.get(request.scope["route"].name) == "judge":
        viewer = _find_judge(session, server, request)
    else:
        viewer = _find_viewer(session, server, challenge, request, now)
    return Context(
        request=request, server=server, viewer=viewer, challenge=challenge, now=now, one_session=session
    )


def check_access(context: Context, session: Session) -> None:
    """Refuse what the viewer may not, in this order: who, role and ownership, the origin of a form.

    Raises:
        RaimError: As `enter`.
    """
    request, route = context.request, context.request.scope["route"].name
    owner = _owner(session, request) if RULES.get(route) == "team" else None
    decision = decide(route, context.viewer, owner_team_id=owner)
    if decision == "log in":
        raise LoginNeededError("log in to see this")
    if decision == "no team":
        raise TeamNeededError("join or make a team first")
    if decision == "no judge":
        raise JudgeNeededError(NO_JUDGE)
    if decision == "forbidden":
        raise AccessError("this is for the organisers of the challenge")
    if decision == "hidden" or (decision == "allowed" and owner is None and RULES.get(route) == "team"):
        raise UnknownNameError("there is no such submission")
    if request.method not in SAFE_METHODS and not context.viewer.by_token:
        check_origin(request, context.server.settings.public_url)


Admitted = Annotated[Context, Depends(admit)]


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


def _find_judge(session: Session, server: Server, request: Request) -> Viewer:
    """Find who judges: on their pages nothing else counts, so that an organiser who looks at them is a judge too."""
    token = request.cookies.get(judge_cookie(server), "")
    judge = find_judge(session, token) if token else None
    return Viewer() if judge is None else Viewer(role="judge", judge_id=judge.id, judge_token=token)


def _find_viewer(
    session: Session, server: Server, challenge: CurrentChallenge, request: Request, now: datetime
) -> Viewer:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        user = find_token_user(session, token.strip())
        if user is None:
            raise LoginNeededError(
                "this API token is unknown or was revoked; make another on your account's page"
            )
        used = session.scalar(
            select(ApiToken.last_used_at).where(ApiToken.token_sha256 == hash_token(token.strip()))
        )
        is_due = used is None or used < now - TOKEN_USE_NOTED
        return replace(_viewer(session, challenge, user, by_token=True), is_use_to_note=is_due)
    cookie = request.cookies.get(session_cookie(server), "")
    user = find_user(session, now, cookie) if cookie else None
    return Viewer() if user is None else _viewer(session, challenge, user, session_token=cookie)


def _viewer(
    session: Session,
    challenge: CurrentChallenge,
    user: User,
    *,
    by_token: bool = False,
    session_token: str = "",
) -> Viewer:
    found = session.execute(
        select(Member, Team)
        .join(Team, Team.id == Member.team_id)
        .where(Member.user_id == user.id, Member.challenge_id == challenge.id)
    ).one_or_none()
    member, team = (None, None) if found is None else found
    return Viewer(
        role=_role(user, is_in_team=team is not None),
        user_id=user.id,
        login=user.login,
        member_id=None if member is None else member.id,
        team_id=None if team is None else team.id,
        team="" if team is None else team.name,
        team_state="" if team is None else team.state,
        is_captain=member is not None and member.role == "captain",
        is_finalist=team is not None and is_finalist(session, challenge, team.id),
        by_token=by_token,
        session_token=session_token,
    )


def _role(user: User, *, is_in_team: bool) -> Role:
    if user.role == "organiser":
        return "organiser"
    if user.role == "judge":
        return "judge"
    return "member" if is_in_team else "public"


def note_use(context: Context) -> None:
    """Note that an API token was used, once an hour, in a transaction after the request's own."""
    token = context.request.headers.get("authorization", "").partition(" ")[2].strip()
    if not context.viewer.by_token or not context.viewer.is_use_to_note:
        return
    with context.server.database.writing() as session:
        session.execute(
            update(ApiToken)
            .where(ApiToken.token_sha256 == hash_token(token))
            .values(last_used_at=context.now)
        )


def _owner(session: Session, request: Request) -> int | None:
    """Give the team that the submission or upload in the address belongs to."""
    number, key = str(request.path_params.get("submission_id")), request.path_params.get("key")
    found = select(func.coalesce(Team.merged_into, Team.id)).join(Submission, Submission.team_id == Team.id)
    if key is not None:
        return session.scalar(
            found.join(Upload, Upload.submission_id == Submission.id).where(Upload.key == str(key))
        )
    if not (number.isascii() and number.isdigit()):
        return None
    return session.scalar(found.where(Submission.id == int(number)))
