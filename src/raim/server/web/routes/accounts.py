"""One's own account: register, log in and out, links that work once, passwords, tokens for programs, deletion.

A password is hashed and compared while no connection is held, and a new one only after limits and links were checked.
"""

from datetime import datetime

from sqlalchemy import func, select
from starlette.background import BackgroundTask
from starlette.responses import Response

from raim.challenge.settings import Registration
from raim.errors import InputError, TooManyRequestsError, UnknownNameError
from raim.records import accounts as records
from raim.server.actions import accounts as actions
from raim.server.actions import addresses, links, logins, passwords, tokens
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import ApiToken, AuditEvent, Database, User
from raim.server.mail import MAIL_KINDS, choose_kinds, read_reader, refuse_kind, want_again
from raim.server.queries.accounts import read_account
from raim.server.tokens import read_browser
from raim.server.web.answers import close_browser_session, go_to, open_browser_session, own_path
from raim.server.web.context import RequestContext, named_in
from raim.server.web.fields import RowId
from raim.server.web.routing import Area
from raim.server.web.viewers import browser_cookie

area = Area("accounts", prefix="")
REGISTRATIONS = 60  # from one address within 15 minutes: a class may register together
FORGOTTEN, ASKED = "ask for password", 20  # the same


@area.get("/register", who="anyone", template="register", is_api=False)
def show_registration(context: RequestContext, following: str = "/") -> records.Following:
    """Show the form of a new account."""
    del context
    return records.Following(following=own_path(following))


@area.post("/register", who="anyone", page=show_registration, is_api=False)
def register(context: RequestContext, wanted: records.AccountRequest) -> Response:
    """Make an account and log it in."""
    chosen = _followed(context, wanted.following)
    rules = Registration() if chosen is None else chosen.definition.registration
    if rules.consent and not wanted.consent:
        raise InputError("an account needs your consent; tick the box, or take no part")
    if rules.email_required and not wanted.email.strip():
        raise InputError("this challenge asks for an e-mail address; write it as name@example.org")
    _check_recent(context, "register", REGISTRATIONS, "accounts were made")
    hashed = context.aside(passwords.hash_password, wanted.password)
    user = actions.register(
        context.session,
        context.now,
        login=wanted.login,
        password_hash=hashed,
        name=wanted.name.strip() or None,
        email=wanted.email.strip() or None,
        has_consented=wanted.consent,
        challenge_id=None if chosen is None else chosen.id,
        address=context.address,
    )
    addresses.mail_verification(context.session, context.now, user)
    return _open(context, user, own_path(wanted.following), note="welcome")


@area.get("/login", who="anyone", template="login", is_api=False)
def show_login(context: RequestContext, following: str = "/", next: str = "") -> records.Following:  # noqa: A002 - in the address
    """Show the form to log in."""
    del context
    return records.Following(following=own_path(next or following))


@area.post("/login", who="anyone", page=show_login, is_api=False)
def log_in(context: RequestContext, wanted: records.Credentials) -> Response:
    """Log in."""
    found = context.aside(
        logins.log_in,
        context.server.database,
        context.now,
        login=wanted.login,
        password=wanted.password,
        address=context.address,
        hours=context.server.settings.session_hours,
        browser=read_browser(
            context.server.secret,
            logins.typed_key(wanted.login),
            context.request.cookies.get(browser_cookie(context.server), ""),
        ),
    )
    if found.token is None:
        reason = found.refused or "it did not work"
        if found.retry_at is not None:
            raise TooManyRequestsError(reason, retry_at=found.retry_at)
        raise InputError(reason)
    return open_browser_session(
        context.server, found.token, go_to(own_path(wanted.following)), login=wanted.login
    )


@area.post("/logout", who="user", then="/", is_api=False)
def log_out(context: RequestContext) -> Response:
    """Log out."""
    logins.log_out(context.session, context.now, context.viewer.session_token)
    return close_browser_session(context.server, go_to(f"{context.here}/"))


@area.get("/first/{token}", who="anyone", template="first_account", is_api=False)
def show_first_account(context: RequestContext, token: str) -> records.UsableLink:
    """Show the form of the organiser's first account."""
    del context
    return records.UsableLink(token=token)


@area.post("/first/{token}", who="anyone", page=show_first_account, is_api=False)
def make_first_account(context: RequestContext, token: str, wanted: records.FirstAccount) -> Response:
    """Make the organiser's first account and log it in."""
    links.find_link(context.session, context.now, token, "make administrator")
    hashed = context.aside(passwords.hash_password, wanted.password)
    user = links.use_administrator_link(
        context.session, context.now, token, login=wanted.login, password_hash=hashed
    )
    return _open(context, user, f"{context.here}/desk" if context.chosen else "/", note="welcome")


@area.get("/reset/{token}", who="anyone", template="reset", is_api=False)
def show_reset(context: RequestContext, token: str) -> records.UsableLink:
    """Show the form of a new password."""
    del context
    return records.UsableLink(token=token)


@area.post("/reset/{token}", who="anyone", page=show_reset, is_api=False)
def reset_password(context: RequestContext, token: str, wanted: records.NewPassword) -> Response:
    """Set a new password by a link of the organiser."""
    links.find_link(context.session, context.now, token, "reset password")
    hashed = context.aside(passwords.hash_password, wanted.password)
    user = links.use_reset_link(context.session, context.now, token, password_hash=hashed)
    return _open(context, user, "/account", note="password")


@area.get("/forgot", who="anyone", template="forgot", is_api=False)
def show_forgotten(context: RequestContext) -> records.Following:
    """Show the form of a forgotten password."""
    del context
    return records.Following(following="/login")


@area.post("/forgot", who="anyone", page=show_forgotten, is_api=False)
def mail_password(context: RequestContext, wanted: records.Forgotten) -> Response:
    """Mail a link for a new password to whose login or verified address it is.

    Nothing says whether it is anybody's, nor does how long the answer takes: it is looked up after the answer.
    """
    if not context.server.settings.smtp_url:
        raise InputError("this server sends no mail; ask the organisers for a link")
    _check_recent(context, FORGOTTEN, ASKED, "passwords were asked for")
    record_event(context.session, context.now, FORGOTTEN, None, actor_id=None, address=context.address)
    answer = go_to("/forgot", note="mailed")
    answer.background = BackgroundTask(_mail_links, context.server.database, context.now, wanted.login)
    return answer


@area.get("/verify/{token}", who="anyone", template="verify", is_api=False)
def show_verification(context: RequestContext, token: str) -> records.UsableLink:
    """Show the button that verifies an address; opening the page does nothing, as programs open links in mails."""
    del context
    return records.UsableLink(token=token)


@area.post("/verify/{token}", who="anyone", page=show_verification, then="/", note="verified", is_api=False)
def verify_own_address(context: RequestContext, token: str) -> None:
    """Take an address for verified."""
    addresses.verify_address(context.session, context.now, token)


@area.get("/account", who="user", template="account", is_api=False)
def show_account(context: RequestContext) -> records.OwnAccount:
    """Show one's own account."""
    return read_account(
        context.session,
        context.chosen,
        context.now,
        context.user_id,
        challenges=sorted(_token_challenges(context)),
    )


@area.post("/account/password", who="user", page=show_account, is_api=False)
def change_password(context: RequestContext, wanted: records.PasswordChange) -> Response:
    """Change one's own password; this browser stays logged in."""
    _check_password(context, wanted.present_password)
    hashed = context.aside(passwords.hash_password, wanted.password)
    user = context.session.get_one(User, context.user_id)
    actions.set_password(context.session, context.now, user, hashed, actor_id=user.id)
    return _open(context, user, "/account", note="password")


@area.post("/account/email", who="user", page=show_account, note="saved", is_api=False)
def change_address(context: RequestContext, wanted: records.AddressChange) -> None:
    """Change one's own e-mail address, which is then to be verified."""
    _check_password(context, wanted.present_password)
    user = context.session.get_one(User, context.user_id)
    addresses.change_address(context.session, context.now, user, wanted.email)


@area.post("/account/email/verify", who="user", page=show_account, note="verify", is_api=False)
def ask_for_verification(context: RequestContext) -> None:
    """Mail the link again that verifies one's own address."""
    user = context.session.get_one(User, context.user_id)
    if not addresses.mail_verification(context.session, context.now, user):
        raise InputError(
            "no link was sent: there is no address to verify, or there were too many within an hour"
        )


@area.post("/account/mail", who="user", page=show_account, note="saved", is_api=False)
def change_wishes(context: RequestContext, wanted: records.MailWishes) -> None:
    """Say which kinds of mail one wants."""
    user = context.session.get_one(User, context.user_id)
    choose_kinds(context.session, context.now, user, [each for each in wanted.kinds if each])


@area.get("/unsubscribe/{token}", who="anyone", template="unsubscribe", is_api=False)
def show_unsubscription(context: RequestContext, token: str) -> records.Unsubscription:
    """Show the button that ends a kind of mail; opening the page does nothing, as programs open links in mails."""
    kind, _ = read_reader(context.server.secret, token)
    return records.Unsubscription(token=token, title=MAIL_KINDS[kind].title)


@area.post("/unsubscribe/{token}", who="anyone", page=show_unsubscription, shows=True, is_api=False)
def unsubscribe(context: RequestContext, token: str) -> records.Unsubscription:
    """End a kind of mail, by the button or by a mail program's one click, which is sent to no other page."""
    refuse_kind(context.session, context.now, *read_reader(context.server.secret, token))
    return show_unsubscription(context, token)


@area.post("/unsubscribe/{token}/back", who="anyone", page=show_unsubscription, note="saved", is_api=False)
def subscribe_again(context: RequestContext, token: str) -> None:
    """Take the end of a kind of mail back."""
    want_again(context.session, *read_reader(context.server.secret, token))


@area.post("/account/tokens", who="user", page=show_account, shows=True, is_api=False)
def make_program_token(context: RequestContext, wanted: records.NewToken) -> records.Token:
    """Make a token for programs; this page is the only place that ever shows it."""
    user = context.session.get_one(User, context.user_id)
    known = _token_challenges(context)
    if wanted.challenge and wanted.challenge not in known:
        raise UnknownNameError(f"there is no challenge {wanted.challenge[:80]!r} on this server")
    challenge_id = known.get(wanted.challenge)
    text = tokens.make_api_token(
        context.session,
        context.now,
        user,
        name=wanted.name,
        challenge_id=challenge_id,
        scope=wanted.scope,
        days=wanted.days,
    )
    return records.Token(text=text)


@area.post("/account/tokens/{token_id}/revoke", who="user", page=show_account, note="revoked", is_api=False)
def revoke_token(context: RequestContext, token_id: RowId) -> None:
    """End one of one's own tokens."""
    found = context.session.scalar(
        select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == context.user_id)
    )
    if found is None:
        raise UnknownNameError("there is no such token of yours")
    tokens.revoke_api_token(context.session, context.now, found, actor_id=context.user_id)


@area.post("/account/delete", who="user", page=show_account, is_api=False)
def delete_account(context: RequestContext, wanted: records.Deletion) -> Response:
    """Delete one's own account."""
    _check_password(context, wanted.present_password)
    user = context.session.get_one(User, context.user_id)
    actions.delete_account(context.session, context.now, user, actor_id=user.id)
    return close_browser_session(context.server, go_to(f"{context.here}/", note="goodbye"))


def _mail_links(database: Database, now: datetime, typed: str) -> None:
    with database.writing() as session:
        addresses.mail_password_links(session, now, typed)


def _followed(context: RequestContext, following: str) -> CurrentChallenge | None:
    """Return the challenge on whose pages somebody goes on, as if there were no draft."""
    found = context.server.find_challenge(context.session, context.hosted, named_in(following))
    return context.chosen if found is None or found.status == "draft" else found


def _token_challenges(context: RequestContext) -> dict[str, int]:
    """Return what a token may be for, where there are several: rows of challenges by their ids."""
    found = [] if context.hosted.only else context.server.challenges(context.session)
    return {each.definition.id: each.id for each in found if each.status in {"open", "paused"}}


def _check_recent(context: RequestContext, action: str, limit: int, what: str) -> None:
    recent = context.session.scalar(
        select(func.count())
        .select_from(AuditEvent)
        .where(
            AuditEvent.action == action,
            AuditEvent.address == context.address,
            AuditEvent.happened_at > context.now - logins.LOGIN_WINDOW,
        )
    )
    if (recent or 0) >= limit:
        raise TooManyRequestsError(
            f"too many {what} from your network; try again in a quarter of an hour",
            retry_at=context.now + logins.LOGIN_WINDOW,
        )


def _check_password(context: RequestContext, password: str) -> None:
    known = context.session.get_one(User, context.user_id).password_hash
    if not context.aside(passwords.is_password, password, known):
        raise InputError("the present password is wrong")


def _open(context: RequestContext, user: User, path: str, *, note: str) -> Response:
    """Log an account in and lead its browser on."""
    token = logins.open_session(
        context.session,
        context.now,
        user,
        hours=context.server.settings.session_hours,
        address=context.address,
    )
    return open_browser_session(context.server, token, go_to(path, note=note), login=user.login)
