"""Who makes a request: found by a token, or by the cookies of a login or a judge's link."""

import ipaddress
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request

from raim.challenge.rules import Role
from raim.errors import AccessError
from raim.server.actions.accounts import find_appointment
from raim.server.actions.finalists import is_finalist
from raim.server.actions.logins import find_user
from raim.server.actions.tokens import find_token
from raim.server.auditing import challenge_of
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Member, Team, User
from raim.server.study.judges import find_judge as judge_of
from raim.server.web.access import RULES, Viewer
from raim.server.web.origin import SAFE_METHODS
from raim.server.web.server import Server

API = "/api/v1"
WHOSE = {
    "administrator": "administrators of the server",
    "maker": "administrators of the server, and for whom they let make challenges, with a token for all that they may",
}
TOKEN_USE_NOTED = timedelta(hours=1)


class LoginNeededError(AccessError):
    """Nobody is logged in; pages lead to the login, the API answers 401."""


def judge_cookie(server: Server, challenge_id: str) -> str:
    """Give the name of the cookie that holds a judge's link: one for each challenge that they judge in."""
    return f"{'__Host-' if is_secure(server) else ''}raim_judge_{challenge_id}"


def session_cookie(server: Server) -> str:
    """Give the name of the cookie; browsers take __Host- only over TLS and from this host alone."""
    return "__Host-raim_session" if is_secure(server) else "raim_session"


def browser_cookie(server: Server) -> str:
    """Give the name of the cookie by which a browser is known that has logged in before."""
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


def is_secure(server: Server) -> bool:
    """Say whether people reach the server over TLS."""
    return server.settings.public_url.startswith("https://")


def find_judge(session: Session, request: Request, cookie: str, challenge: CurrentChallenge | None) -> Viewer:
    """Find who judges: on their pages nothing else counts, so that an organiser who looks at them is a judge too."""
    token = request.cookies.get(cookie, "")
    judge = judge_of(session, token) if token else None
    if judge is None or challenge is None or challenge_of(session, judge) != challenge.id:
        return Viewer()
    return Viewer(role="judge", judge_id=judge.id, judge_token=token)


def find_viewer(
    session: Session, server: Server, challenge: CurrentChallenge | None, request: Request, now: datetime
) -> Viewer:
    """Find who asks, and what they are in the challenge.

    Raises:
        LoginNeededError: The token is none, or is for another challenge.
        AccessError: It only reads.
    """
    is_of_server = RULES.get(request.scope["route"].name) in WHOSE
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and is_for_programs(request):
        known = find_token(session, now, token.strip())
        if known is None:
            raise LoginNeededError(
                "this API token is unknown, was revoked or is over; make another on your account's page"
            )
        found, user = known
        if found.scope == "read" and request.method not in SAFE_METHODS:
            raise AccessError("this API token only reads; make one that takes part on your account's page")
        is_elsewhere = challenge is None or challenge.id != found.challenge_id or is_of_server
        if found.challenge_id is not None and is_elsewhere:
            raise LoginNeededError("this API token is for another challenge; make one on your account's page")
        is_due = found.last_used_at is None or found.last_used_at < now - TOKEN_USE_NOTED
        viewer = replace(_viewer(session, challenge, user, by_token=True), is_use_to_note=is_due)
        return _without_office(viewer) if found.scope == "take part" else viewer
    cookie = request.cookies.get(session_cookie(server), "")
    person = find_user(session, now, cookie) if cookie else None
    return Viewer() if person is None else _viewer(session, challenge, person, session_token=cookie)


def is_for_programs(request: Request) -> bool:
    """Say whether a token is good here: at the API, and for what no page asks (tus)."""
    methods = ("HEAD ", "OPTIONS ", "PATCH ", "DELETE ")
    return request.url.path.startswith(f"{API}/") or request.scope["route"].name.startswith(methods)


def _without_office(viewer: Viewer) -> Viewer:
    role: Role = "public" if viewer.team_id is None else "member"
    return replace(viewer, role=role, is_administrator=False, may_make_challenges=False)


def _viewer(
    session: Session,
    challenge: CurrentChallenge | None,
    user: User,
    *,
    by_token: bool = False,
    session_token: str = "",
) -> Viewer:
    challenge_id = 0 if challenge is None else challenge.id
    found = session.execute(
        select(Member, Team)
        .join(Team, Team.id == Member.team_id)
        .where(Member.user_id == user.id, Member.challenge_id == challenge_id)
    ).one_or_none()
    member, team = (None, None) if found is None else found
    return Viewer(
        role=_role(session, challenge_id, user, is_in_team=team is not None),
        is_administrator=user.is_administrator,
        may_make_challenges=user.is_administrator or user.may_make_challenges,
        user_id=user.id,
        login=user.login,
        member_id=None if member is None else member.id,
        team_id=None if team is None else team.id,
        team="" if team is None else team.name,
        team_state="" if team is None else team.state,
        is_captain=member is not None and member.role == "captain",
        is_finalist=challenge is not None and team is not None and is_finalist(session, challenge, team.id),
        by_token=by_token,
        session_token=session_token,
    )


def _role(session: Session, challenge_id: int, user: User, *, is_in_team: bool) -> Role:
    held = None if user.is_administrator else find_appointment(session, challenge_id, user.id)
    if user.is_administrator or (held is not None and held.office == "organiser"):
        return "organiser"
    if held is not None:
        return "judge"
    return "member" if is_in_team else "public"
