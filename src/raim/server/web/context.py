"""A request with who makes it: found and admitted here, before any function of a page runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from raim.challenge.rules import Role
from raim.errors import AccessError, UnknownNameError
from raim.server.accounts import find_token_user, find_user
from raim.server.contest import Contest, is_finalist
from raim.server.database import ApiToken, Judge, Member, Submission, Team, Upload, User
from raim.server.database.columns import LARGEST_ID
from raim.server.study.judges import find_judge
from raim.server.tokens import hash_token
from raim.server.web.access import RULES, Viewer, decide
from raim.server.web.origin import SAFE_METHODS, check_origin
from raim.server.web.server import Server

NO_JUDGE = "open the link that the organiser sent you; this browser holds none that works (any more)"
TOKEN_USE_NOTED = timedelta(hours=1)


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
        contest: The challenge in force.
        now: The time, the same for all that the request does.
    """

    request: Request
    server: Server
    viewer: Viewer
    contest: Contest
    now: datetime

    @property
    def here(self) -> str:
        """Path of the challenge's pages, such as "/c/raim"."""
        return self.server.here

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

    def member(self, session: Session) -> Member:
        """Give the row of who asks in their team.

        Raises:
            TeamNeededError: They are in no team.
        """
        if self.viewer.member_id is None:
            raise TeamNeededError("join or make a team first")
        return session.get_one(Member, self.viewer.member_id)

    def judge(self, session: Session) -> Judge:
        """Give the row of the judge who asks.

        Raises:
            JudgeNeededError: Nobody judges here.
        """
        if self.viewer.judge_id is None:
            raise JudgeNeededError(NO_JUDGE)
        return session.get_one(Judge, self.viewer.judge_id)


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
    """Find out who asks and refuse what they may not, in this order: who, role and ownership, form.

    Raises:
        LoginNeededError: A login is needed.
        TeamNeededError: A team is needed.
        JudgeNeededError: A judge's link is needed.
        AccessError: It is not theirs to do, or the form is not ours.
        UnknownNameError: It is another team's, or not there.
    """
    server: Server = request.app.state.server
    now = server.clock()
    _check_numbers(request)
    challenge_id = request.path_params.get("challenge_id", server.challenge.id)
    if challenge_id != server.challenge.id:
        raise UnknownNameError(
            f"this server has no challenge {challenge_id!r}; it has {server.challenge.id!r}"
        )
    route = request.scope["route"].name
    context = await run_in_threadpool(_identify, server, request, now)
    owner = None
    if RULES.get(route) == "team":
        owner = await run_in_threadpool(_owner, server, request)
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
        check_origin(request, server.settings.public_url)
    return context


Admitted = Annotated[Context, Depends(admit)]


def _check_numbers(request: Request) -> None:
    """Refuse numbers of rows that no database has.

    Raises:
        UnknownNameError: One is larger.
    """
    for name, value in request.path_params.items():
        if str(value).lstrip("+-").isdecimal() and abs(int(value)) > LARGEST_ID:
            raise UnknownNameError(f"there is no {name.removesuffix('_id')} with the number {value}")


def _identify(server: Server, request: Request, now: datetime) -> Context:
    with server.database.reading() as session:
        contest = server.contest(session)
        if RULES.get(request.scope["route"].name) == "judge":
            viewer = _find_judge(session, server, request)
        else:
            viewer = _find_viewer(session, server, contest, request, now)
    return Context(request=request, server=server, viewer=viewer, contest=contest, now=now)


def _find_judge(session: Session, server: Server, request: Request) -> Viewer:
    """Find who judges: on their pages nothing else counts, so that an organiser who looks at them is a judge too."""
    token = request.cookies.get(judge_cookie(server), "")
    judge = find_judge(session, token) if token else None
    return Viewer() if judge is None else Viewer(role="judge", judge_id=judge.id, judge_token=token)


def _find_viewer(
    session: Session, server: Server, contest: Contest, request: Request, now: datetime
) -> Viewer:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        user = find_token_user(session, token.strip())
        if user is None:
            raise LoginNeededError(
                "this API token is unknown or was revoked; make another on your account's page"
            )
        _note_use(server, session, now, token.strip())
        return _viewer(session, contest, user, by_token=True)
    cookie = request.cookies.get(session_cookie(server), "")
    user = find_user(session, now, cookie) if cookie else None
    return Viewer() if user is None else _viewer(session, contest, user, session_token=cookie)


def _viewer(
    session: Session, contest: Contest, user: User, *, by_token: bool = False, session_token: str = ""
) -> Viewer:
    found = session.execute(
        select(Member, Team)
        .join(Team, Team.id == Member.team_id)
        .where(Member.user_id == user.id, Member.challenge_id == contest.id)
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
        is_finalist=team is not None and is_finalist(session, contest, team.id),
        by_token=by_token,
        session_token=session_token,
    )


def _role(user: User, *, is_in_team: bool) -> Role:
    if user.role == "organiser":
        return "organiser"
    if user.role == "judge":
        return "judge"
    return "member" if is_in_team else "public"


def _note_use(server: Server, session: Session, now: datetime, token: str) -> None:
    used = session.scalar(select(ApiToken.last_used_at).where(ApiToken.token_sha256 == hash_token(token)))
    if used is None or used < now - TOKEN_USE_NOTED:
        with server.database.writing() as writing:
            kept = writing.scalars(select(ApiToken).where(ApiToken.token_sha256 == hash_token(token))).one()
            kept.last_used_at = now


def _owner(server: Server, request: Request) -> int | None:
    """Give the team that the submission or upload in the address belongs to."""
    number, key = request.path_params.get("submission_id"), request.path_params.get("key")
    with server.database.reading() as session:
        if key is not None:
            return session.scalar(
                select(Submission.team_id)
                .join(Upload, Upload.submission_id == Submission.id)
                .where(Upload.key == str(key))
            )
        is_number = (
            number is not None and str(number).isascii() and str(number).isdigit() and len(str(number)) < 10
        )
        return (
            session.scalar(select(Submission.team_id).where(Submission.id == int(str(number))))
            if is_number
            else None
        )
