"""Accounts, for organisers: new ones for organisers and judges, links for a new password, roles, shut and opened."""

import secrets

from raim.records import accounts as records
from raim.server.actions.accounts import appoint, check_is_theirs, reopen_account, shut_account
from raim.server.actions.addresses import mail_account
from raim.server.actions.links import make_account, make_reset_link
from raim.server.actions.passwords import hash_password
from raim.server.database import User
from raim.server.queries.accounts import find_account, find_by_login, list_accounts
from raim.server.web.context import RequestContext
from raim.server.web.fields import Page, RowId, Search
from raim.server.web.routing import Area

area = Area("desk")


@area.get("/desk/users", who="organiser", template="desk_users")
def show_users(
    context: RequestContext, q: Search = "", role: Search = "", page: Page = ""
) -> records.AccountList:
    """Return accounts by login; `q` looks at login, name, e-mail and team."""
    return list_accounts(context.session, context.challenge, q=q, role=role, page=page)


@area.post("/desk/users", who="organiser", page=show_users, shows=True, status=201)
def make_user(context: RequestContext, wanted: records.NewAccount) -> records.PasswordLink:
    """Make an account; its person sets the password by the link that is given."""
    nobodys = context.aside(hash_password, secrets.token_urlsafe(32))
    user, token = make_account(
        context.session,
        context.now,
        login=wanted.login,
        name=wanted.name,
        email=wanted.email,
        challenge_id=context.challenge.id,
        office=wanted.role,
        password_hash=nobodys,
        actor_id=context.user_id,
    )
    mail_account(
        context.session, context.now, user, challenge_id=context.challenge.id, actor_id=context.user_id
    )
    return password_link(context, user, token)


@area.post(
    "/desk/appointments", who="organiser", page=show_users, then="/desk/users", note="saved", status=204
)
def appoint_user(context: RequestContext, wanted: records.NewAppointment) -> None:
    """Give somebody who has an account on this server an office in the challenge."""
    user = find_by_login(context.session, wanted.login)
    appoint(context.session, context.now, context.challenge.id, user, wanted.role, actor_id=context.user_id)


@area.post("/desk/users/{user_id}", who="organiser", page=show_users, note="saved", status=204)
def change_challenge_user(context: RequestContext, user_id: RowId, wanted: records.AccountChange) -> None:
    """Change a role in the challenge; shut or open an account."""
    session, challenge_id = context.session, context.challenge.id
    user = find_account(session, context.challenge, user_id)
    if wanted.role is not None:
        appoint(session, context.now, challenge_id, user, wanted.role, actor_id=context.user_id)
    if wanted.is_disabled is not None:
        _check_is_theirs(context, user)
        change = shut_account if wanted.is_disabled else reopen_account
        change(session, context.now, user, actor_id=context.user_id)


@area.post("/desk/users/{user_id}/reset", who="organiser", page=show_users, shows=True, status=201)
def make_password_link(context: RequestContext, user_id: RowId) -> records.PasswordLink:
    """Make a link for a new password, to be handed over."""
    user = find_account(context.session, context.challenge, user_id)
    _check_is_theirs(context, user)
    token = make_reset_link(context.session, context.now, user, actor_id=context.user_id)
    return password_link(context, user, token)


def _check_is_theirs(context: RequestContext, user: User) -> None:
    if not context.viewer.is_administrator:
        check_is_theirs(context.session, context.challenge.id, user)


def password_link(context: RequestContext, user: User, token: str) -> records.PasswordLink:
    """Return the address with which somebody sets their password, to be handed over."""
    return records.PasswordLink(login=user.login, url=f"{context.server.settings.public_url}/reset/{token}")
