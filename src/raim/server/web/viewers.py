"""Who makes a request: found by a token, or by the cookies of a login or a judge's link."""

import ipaddress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session
from starlette.requests import Request

from raim.challenge.rules import Role
from raim.errors import AccessError
from raim.server.auditing import challenge_of
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import ApiToken, Appointment, Finalist, LoginSession, Member, Team, User
from raim.server.database.people import whose
from raim.server.study.judges import find_judge
from raim.server.tokens import proof
from raim.server.web.access import ROUTE_RULES, Viewer
from raim.server.web.origin import SAFE_METHODS
from raim.server.web.server import WebServer

API = "/api/v1"
WHOSE = {
    "administrator": "administrators of the server",
    "maker": "administrators of the server, and for whom they let make challenges, with a token for all that they may",
}
TOKEN_USE_NOTED = timedelta(hours=1)


class LoginNeededError(AccessError):
    """Nobody is logged in; pages lead to the login, the API answers 401."""


def judge_cookie(server: WebServer, challenge_id: str) -> str:
    """Return the name of the cookie that holds a judge's link: one for each challenge that they judge in."""
    return f"{'__Host-' if is_secure(server) else ''}raim_judge_{challenge_id}"


def session_cookie(server: WebServer) -> str:
    """Return the name of the cookie; browsers take __Host- only over TLS and from this host alone."""
    return "__Host-raim_session" if is_secure(server) else "raim_session"


def browser_cookie(server: WebServer) -> str:
    """Return the name of the cookie by which a browser is known that has logged in before."""
    return "__Host-raim_browser" if is_secure(server) else "raim_browser"


def network_of(address: str) -> str:
    """Return what limits count as one: an IPv4 address, the /64 of an IPv6 one, whose owner has all the others of it.

    Example:
        >>> network_of("192.0.2.1"), network_of("2001:db8:1:2::3"), network_of("::ffff:192.0.2.1")
        ('192.0.2.1', '2001:db8:1:2::/64', '192.0.2.1')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    mapped = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 64), strict=False) if mapped is None else mapped)


def is_secure(server: WebServer) -> bool:
    """Return whether people reach the server over TLS."""
    return server.settings.public_url.startswith("https://")


def find_judge_viewer(
    session: Session, request: Request, cookie: str, challenge: CurrentChallenge | None
) -> Viewer:
    """Find who judges: on their pages nothing else counts, so that an organiser who looks at them is a judge too."""
    token = request.cookies.get(cookie, "")
    judge = find_judge(session, token) if token else None
    if judge is None or challenge is None or challenge_of(session, judge) != challenge.id:
        return Viewer()
    return Viewer(role="judge", judge_id=judge.id, judge_token=token)


def find_viewer(
    session: Session, server: WebServer, challenge: CurrentChallenge | None, request: Request, now: datetime
) -> Viewer:
    """Find who asks, and what they are in the challenge: one question, whoever it is.

    Raises:
        LoginNeededError: The token is none, or is for another challenge.
        AccessError: It only reads.
    """
    in_challenge = {"challenge_id": 0 if challenge is None else challenge.id}
    is_of_server = ROUTE_RULES.get(request.scope["route"].name) in WHOSE
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and is_for_programs(request):
        found = session.execute(BY_TOKEN, in_challenge | proof(now, token.strip())).one_or_none()
        if found is None:
            raise LoginNeededError(
                "this API token is unknown, was revoked or is over; make another on your account's page"
            )
        if found.scope == "read" and request.method not in SAFE_METHODS:
            raise AccessError("this API token only reads; make one that takes part on your account's page")
        is_elsewhere = challenge is None or challenge.id != found.only_in or is_of_server
        if found.only_in is not None and is_elsewhere:
            raise LoginNeededError("this API token is for another challenge; make one on your account's page")
        is_due = found.last_used_at is None or found.last_used_at < now - TOKEN_USE_NOTED
        viewer = replace(_viewer(found), by_token=True, is_use_to_note=is_due)
        return _without_office(viewer) if found.scope == "take part" else viewer
    cookie = request.cookies.get(session_cookie(server), "")
    found = session.execute(BY_SESSION, in_challenge | proof(now, cookie)).one_or_none() if cookie else None
    return Viewer() if found is None else replace(_viewer(found), session_token=cookie)


def is_for_programs(request: Request) -> bool:
    """Return whether a token is good here: at the API, and for what no page asks (tus)."""
    methods = ("HEAD ", "OPTIONS ", "PATCH ", "DELETE ")
    return request.url.path.startswith(f"{API}/") or request.scope["route"].name.startswith(methods)


def _without_office(viewer: Viewer) -> Viewer:
    return replace(viewer, role=_part(viewer.team_id), is_administrator=False, may_make_challenges=False)


def _part(team_id: int | None) -> Role:
    return "public" if team_id is None else "member"


def _people(table: type[LoginSession | ApiToken], *columns: Any) -> Select[Any]:
    """Select who has a token, with their place in a challenge; the query takes `challenge_id` too."""
    here: BindParameter[int] = bindparam("challenge_id")
    invited = select(Finalist.id).where(Finalist.team_id == Team.id, Finalist.declined_at.is_(None))
    place = (
        Member.id.label("member_id"),
        Member.role.label("member_role"),
        Team.id.label("team_id"),
        Team.name.label("team"),
        Team.state.label("team_state"),
        Appointment.office,
        invited.exists().label("is_finalist"),
    )
    user = User.id.label("user_id"), User.login, User.is_administrator, User.may_make_challenges
    return (
        whose(table, *user, *place, *columns)
        .outerjoin(Member, (Member.user_id == User.id) & (Member.challenge_id == here))
        .outerjoin(Team, Team.id == Member.team_id)
        .outerjoin(Appointment, (Appointment.user_id == User.id) & (Appointment.challenge_id == here))
    )


BY_SESSION = _people(LoginSession)
BY_TOKEN = _people(ApiToken, ApiToken.scope, ApiToken.challenge_id.label("only_in"), ApiToken.last_used_at)


def _viewer(found: Any) -> Viewer:
    is_administrator: bool = found.is_administrator
    runs_it = is_administrator or found.office == "organiser"
    return Viewer(
        role="organiser" if runs_it else found.office or _part(found.team_id),
        is_administrator=is_administrator,
        may_make_challenges=is_administrator or found.may_make_challenges,
        user_id=found.user_id,
        login=found.login,
        member_id=found.member_id,
        team_id=found.team_id,
        team=found.team or "",
        team_state=found.team_state or "",
        is_captain=found.member_role == "captain",
        is_finalist=found.is_finalist,
    )
