"""Accounts: new ones for organisers and judges, links for a new password, roles, shut and opened."""

import secrets
from typing import Any

from fastapi import APIRouter
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import RaimError
from raim.server.actions import hash_password, make_reset_link
from raim.server.actions.accounts import change_role, name_key, reopen_account, shut_account
from raim.server.actions.links import make_account
from raim.server.database import Member, Team, User
from raim.server.database.people import USER_ROLES
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import Page, RowId, Search, Text, find_row
from raim.server.web.pages.desk.paging import read_page
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PATH = "/desk/users/{user_id}"


@router.get("/desk/users", name="desk.users")
def show_users(context: Admitted, q: Search = "", role: Search = "", page: Page = 1) -> Response:
    """Show all accounts."""
    return _show(context, q=q, role=role, page=page)


@router.post("/desk/users", name="desk.user.new")
def make_user(
    context: Admitted, login: Text = "", name: Text = "", email: Text = "", role: Text = "judge"
) -> Response:
    """Make an account; its person sets the password by a link that only this page shows."""
    typed = {"login": login, "name": name, "email": email, "role": role}
    try:
        made, link = make_user_with_link(context, **typed)
    except RaimError as error:
        return _show(context, error=error, typed=typed)
    return _show(context, link=link, link_for=made)


@router.post(f"{PATH}/reset", name="desk.user.reset")
def make_link(context: Admitted, user_id: RowId) -> Response:
    """Make a link for a new password, to be handed over; only this page shows it."""
    made, link = make_link_for(context, user_id)
    return _show(context, link=link, link_for=made)


@router.post(f"{PATH}/disable", name="desk.user.disable")
def disable(context: Admitted, user_id: RowId) -> Response:
    """Shut an account."""
    try:
        with context.server.database.writing() as session:
            shut_account(
                session, context.now, find_row(session, User, user_id, "account"), actor_id=context.user_id
            )
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/users", note="disabled")


@router.post(f"{PATH}/enable", name="desk.user.enable")
def enable(context: Admitted, user_id: RowId) -> Response:
    """Open an account that was shut."""
    try:
        with context.server.database.writing() as session:
            reopen_account(
                session, context.now, find_row(session, User, user_id, "account"), actor_id=context.user_id
            )
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/users", note="enabled")


@router.post(f"{PATH}/role", name="desk.user.role")
def set_role(context: Admitted, user_id: RowId, role: Text = "") -> Response:
    """Make somebody a participant, a judge or an organiser."""
    try:
        with context.server.database.writing() as session:
            user = find_row(session, User, user_id, "account")
            change_role(session, context.now, user, role, actor_id=context.user_id)
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/users", note="saved")


def make_user_with_link(context: Context, *, login: str, name: str, email: str, role: str) -> tuple[str, str]:
    """Make an account; give its login and the address with which its password is set."""
    nobodys = hash_password(secrets.token_urlsafe(32))
    with context.server.database.writing() as session:
        user, token = make_account(
            session,
            context.now,
            login=login,
            name=name,
            email=email,
            role=role,
            password_hash=nobodys,
            actor_id=context.user_id,
        )
        return user.login, reset_address(context, token)


def make_link_for(context: Context, user_id: int) -> tuple[str, str]:
    """Make a link for a new password; give the login and the address."""
    with context.server.database.writing() as session:
        user = find_row(session, User, user_id, "account")
        token = make_reset_link(session, context.now, user, actor_id=context.user_id)
        return user.login, reset_address(context, token)


def reset_address(context: Context, token: str) -> str:
    """Give the address of a link for a new password."""
    return f"{context.server.settings.public_url}/reset/{token}"


def select_users(context: Context, q: str, role: str) -> Any:
    """Select (user, team's row, team's name) by login; the search looks at login, name, e-mail and team."""
    found = (
        select(User, Team.id, Team.name)
        .outerjoin(Member, (Member.user_id == User.id) & (Member.challenge_id == context.contest.id))
        .outerjoin(Team, Team.id == Member.team_id)
    )
    if q.strip():
        key = name_key(q)
        found = found.where(
            or_(
                User.login_key.contains(key, autoescape=True),
                User.name.icontains(q.strip(), autoescape=True),
                User.email.icontains(q.strip(), autoescape=True),
                Team.name_key.contains(key, autoescape=True),
            )
        )
    if role:
        found = found.where(User.role == role)
    return found.order_by(User.login_key)


def _show(
    context: Context,
    *,
    q: str = "",
    role: str = "",
    page: int = 1,
    error: RaimError | None = None,
    typed: dict[str, str] | None = None,
    link: str = "",
    link_for: str = "",
) -> Response:
    with context.server.database.reading() as session:
        return render(
            context,
            "desk_users.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error="" if error is None else str(error),
            paged=_read(context, session, q, role, page),
            q=q,
            role=role,
            roles=USER_ROLES,
            typed=typed or {"login": "", "name": "", "email": "", "role": "judge"},
            link=link,
            link_for=link_for,
        )


def _read(context: Context, session: Session, q: str, role: str, page: int) -> Any:
    return read_page(session, select_users(context, q, role), page, filters={"q": q, "role": role})
