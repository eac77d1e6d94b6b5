"""Accounts: register, log in and out, links that work once, passwords, tokens for programs, deletion."""

from typing import Annotated

from fastapi import APIRouter, Form
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import InputError, RaimError, TooManyRequestsError, UnknownNameError
from raim.server.actions import (
    delete_account,
    hash_password,
    is_password,
    log_in,
    log_out,
    make_api_token,
    open_session,
    register,
    revoke_api_token,
    set_password,
    use_organiser_link,
    use_reset_link,
)
from raim.server.actions.logins import WINDOW
from raim.server.database import ApiToken, AuditEvent, User
from raim.server.web.answers import (
    close_browser_session,
    go_to,
    open_browser_session,
    own_path,
    refuse_form,
)
from raim.server.web.context import Admitted, Context
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
REGISTRATIONS = 60  # from one address within 15 minutes: a class may register together


@router.get("/register", name="register")
def show_registration(context: Admitted, following: str = "") -> Response:
    """Show the form of a new account."""
    return render(context, "register.html.jinja", error="", typed={}, following=own_path(following or "/"))


@router.post("/register", name="register.post")
def make_account(
    context: Admitted,
    login: Text = "",
    password: Text = "",
    name: Text = "",
    email: Text = "",
    consent: Text = "",
    following: Text = "/",
) -> Response:
    """Make an account and log it in."""
    typed = {"login": login, "name": name, "email": email}
    try:
        token = _register(context, login, password, name, email, has_consented=bool(consent))
    except RaimError as error:
        return refuse_form(context, "register.html.jinja", error, typed=typed, following=own_path(following))
    answer = go_to(own_path(following), note="welcome")
    return open_browser_session(context.server, token, answer)


@router.get("/login", name="login")
def show_login(context: Admitted, following: str = "/", next: str = "") -> Response:  # noqa: A002 - in the address
    """Show the form to log in."""
    return render(context, "login.html.jinja", error="", login="", following=own_path(next or following))


@router.post("/login", name="login.post")
def start_session(
    context: Admitted, login: Text = "", password: Text = "", following: Text = "/"
) -> Response:
    """Log in."""
    found = log_in(
        context.server.database,
        context.now,
        login=login,
        password=password,
        address=context.address,
        hours=context.server.settings.session_hours,
    )
    if found.token is None:
        reason = found.refused or "it did not work"
        error: RaimError = InputError(reason)
        if found.retry_at is not None:
            error = TooManyRequestsError(reason, retry_at=found.retry_at)
        return refuse_form(context, "login.html.jinja", error, login=login, following=own_path(following))
    return open_browser_session(context.server, found.token, go_to(own_path(following)))


@router.post("/logout", name="logout")
def end_session(context: Admitted) -> Response:
    """Log out."""
    with context.server.database.writing() as session:
        log_out(session, context.now, context.viewer.session_token)
    return close_browser_session(context.server, go_to(f"{context.here}/"))


@router.get("/first/{token}", name="organiser.link")
def show_first_account(context: Admitted, token: str) -> Response:
    """Show the form of the organiser's first account."""
    return render(context, "first_account.html.jinja", error="", token=token, login="")


@router.post("/first/{token}", name="organiser.link.post")
def make_first_account(context: Admitted, token: str, login: Text = "", password: Text = "") -> Response:
    """Make the organiser's first account and log it in."""
    try:
        hashed = hash_password(password)
        with context.server.database.writing() as session:
            user = use_organiser_link(session, context.now, token, login=login, password_hash=hashed)
            opened = _open(context, session, user)
    except RaimError as error:
        return refuse_form(context, "first_account.html.jinja", error, token=token, login=login)
    return open_browser_session(context.server, opened, go_to(f"{context.here}/desk", note="welcome"))


@router.get("/reset/{token}", name="reset")
def show_reset(context: Admitted, token: str) -> Response:
    """Show the form of a new password."""
    return render(context, "reset.html.jinja", error="", token=token)


@router.post("/reset/{token}", name="reset.post")
def reset_password(context: Admitted, token: str, password: Text = "") -> Response:
    """Set a new password by a link of the organiser."""
    try:
        hashed = hash_password(password)
        with context.server.database.writing() as session:
            user = use_reset_link(session, context.now, token, password_hash=hashed)
            opened = _open(context, session, user)
    except RaimError as error:
        return refuse_form(context, "reset.html.jinja", error, token=token)
    return open_browser_session(context.server, opened, go_to("/account", note="password"))


@router.get("/account", name="account")
def show_account(context: Admitted) -> Response:
    """Show one's own account."""
    return _show_account(context)


@router.post("/account/password", name="account.password")
def change_password(context: Admitted, old: Text = "", password: Text = "") -> Response:
    """Change one's own password; this browser stays logged in."""
    try:
        hashed = hash_password(password)
        _check_password(context, old)
        with context.server.database.writing() as session:
            user = session.get_one(User, context.user_id)
            set_password(session, context.now, user, hashed, actor_id=user.id)
            opened = _open(context, session, user)
    except RaimError as error:
        return _show_account(context, error=str(error), status=400)
    return open_browser_session(context.server, opened, go_to("/account", note="password"))


@router.post("/account/tokens", name="account.token")
def make_token(context: Admitted, name: Text = "") -> Response:
    """Make a token for programs; this page is the only place that ever shows it."""
    try:
        with context.server.database.writing() as session:
            user = session.get_one(User, context.user_id)
            made = make_api_token(session, context.now, user, name=name)
    except RaimError as error:
        return _show_account(context, error=str(error), status=400)
    return _show_account(context, made=made)


@router.post("/account/tokens/{token_id}/revoke", name="account.token.revoke")
def revoke_token(context: Admitted, token_id: int) -> Response:
    """End one of one's own tokens."""
    with context.server.database.writing() as session:
        found = session.scalar(
            select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == context.user_id)
        )
        if found is None:
            raise UnknownNameError("there is no such token of yours")
        revoke_api_token(session, context.now, found, actor_id=context.user_id)
    return go_to("/account", note="revoked")


@router.post("/account/delete", name="account.delete")
def delete_own_account(context: Admitted, old: Text = "") -> Response:
    """Delete one's own account."""
    try:
        _check_password(context, old)
        with context.server.database.writing() as session:
            user = session.get_one(User, context.user_id)
            delete_account(session, context.now, user, actor_id=user.id)
    except RaimError as error:
        return _show_account(context, error=str(error), status=400)
    return close_browser_session(context.server, go_to(f"{context.here}/", note="goodbye"))


def _register(
    context: Context, login: str, password: str, name: str, email: str, *, has_consented: bool
) -> str:
    rules = context.contest.challenge.registration
    if rules.consent and not has_consented:
        raise InputError("an account needs your consent; tick the box, or take no part")
    if rules.email_required and not email.strip():
        raise InputError("this challenge asks for an e-mail address; write it as name@example.org")
    hashed = hash_password(password)
    with context.server.database.writing() as session:
        _check_registrations(context, session)
        user = register(
            session,
            context.now,
            login=login,
            password_hash=hashed,
            name=name.strip() or None,
            email=email.strip() or None,
            has_consented=has_consented,
            address=context.address,
        )
        return _open(context, session, user)


def _check_registrations(context: Context, session: Session) -> None:
    recent = session.scalar(
        select(func.count())
        .select_from(AuditEvent)
        .where(
            AuditEvent.action == "register",
            AuditEvent.address == context.address,
            AuditEvent.happened_at > context.now - WINDOW,
        )
    )
    if (recent or 0) >= REGISTRATIONS:
        raise TooManyRequestsError(
            "too many accounts were made from your network; try again in a quarter of an hour",
            retry_at=context.now + WINDOW,
        )


def _check_password(context: Context, password: str) -> None:
    with context.server.database.reading() as session:
        known = session.get_one(User, context.user_id).password_hash
    if not is_password(password, known):
        raise InputError("the present password is wrong")


def _open(context: Context, session: Session, user: User) -> str:
    hours = context.server.settings.session_hours
    return open_session(session, context.now, user, hours=hours, address=context.address)


def _show_account(context: Context, *, error: str = "", made: str = "", status: int = 200) -> Response:
    with context.server.database.reading() as session:
        tokens = session.scalars(
            select(ApiToken)
            .where(ApiToken.user_id == context.user_id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.id)
        ).all()
        user = session.get_one(User, context.user_id)
        return render(
            context, "account.html.jinja", status=status, user=user, tokens=tokens, error=error, made=made
        )
