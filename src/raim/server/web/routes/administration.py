"""The server, for its administrators: its challenges, disk, queue and failures, and every account."""

import shutil
from datetime import timedelta

from raim.records.accounts import AccountList, PasswordLink
from raim.records.administration import (
    AdministratorChange,
    ChallengeChange,
    Freeable,
    NewlyFound,
    ServerOverview,
)
from raim.records.mail import MailLine, MailList
from raim.server.actions.accounts import (
    let_make_challenges,
    make_administrator,
    reopen_account,
    shut_account,
)
from raim.server.actions.challenge_status import set_quota, set_status
from raim.server.actions.links import make_reset_link
from raim.server.database import Mail, User
from raim.server.mail import retry_mail
from raim.server.queries.accounts import list_accounts
from raim.server.queries.administration import count_freeable, read_server, read_server_numbers
from raim.server.queries.mail import list_mail
from raim.server.queries.rows import find_row
from raim.server.storage import free_bytes
from raim.server.submissions.freeing import free_refused
from raim.server.web.context import RequestContext
from raim.server.web.fields import Page, RowId, Search, Slug
from raim.server.web.routes.users import password_link
from raim.server.web.routing import Area

area = Area("administration", prefix="")


@area.get("/admin", who="administrator", template="admin")
def show_server(context: RequestContext) -> ServerOverview:
    """Return all challenges with what waits and has failed, the queue, the disks."""
    server = context.server
    numbers = read_server_numbers(
        context.session,
        context.forecast,
        folder=server.settings.folder,
        folder_free_bytes=shutil.disk_usage(server.settings.folder).free,
        storage_free_bytes=context.aside(free_bytes, server.storage),
    )
    settings = server.settings
    return read_server(
        context.session,
        numbers,
        context.now,
        folder=settings.folder,
        free_after_days=settings.free_after_days,
    )


@area.post("/admin/look", who="administrator", page=show_server, note="looked")
def look_again(context: RequestContext) -> NewlyFound:
    """Look at the folder again: a challenge that is new there is served as a draft."""
    return NewlyFound(ids=context.aside(context.server.look))


@area.post("/admin/challenges/{slug}", who="administrator", page=show_server, note="saved")
def change_challenge(context: RequestContext, slug: Slug, wanted: ChallengeChange) -> ServerOverview:
    """Open a challenge, pause it, retire it, or make it a draft again; say what all that is kept of it may take."""
    if wanted.status is not None:
        set_status(context.session, context.now, slug, wanted.status, actor_id=context.user_id)
    if wanted.quota_gib is not None:
        quota = max(1, round(wanted.quota_gib * 2**30)) if wanted.quota_gib else None
        set_quota(context.session, context.now, slug, quota, actor_id=context.user_id)
    return show_server(context)


@area.post("/admin/free", who="administrator", page=show_server, note="freed")
def free_files(context: RequestContext) -> Freeable:
    """Delete the files of submissions that were refused long ago; the submissions stay, and say so."""
    server, now, days = context.server, context.now, context.server.settings.free_after_days
    before, actor_id = now - timedelta(days=days), context.user_id
    freed = context.aside(
        free_refused, server.database, server.storage, now, before=before, actor_id=actor_id
    )
    return count_freeable(freed, days)


@area.get("/admin/users", who="administrator", template="admin_users")
def show_server_users(context: RequestContext, q: Search = "", page: Page = "") -> AccountList:
    """Return every account of the server by login; `q` looks at login, name and e-mail."""
    return list_accounts(context.session, None, q=q, role="", page=page)


@area.post("/admin/users/{user_id}", who="administrator", page=show_server_users, note="saved", status=204)
def change_user(context: RequestContext, user_id: RowId, wanted: AdministratorChange) -> None:
    """Let somebody run the server or make challenges, or no more; shut or open an account."""
    session, now, actor_id = context.session, context.now, context.user_id
    user = find_row(session, User, user_id, "account")
    if wanted.is_administrator is not None:
        make_administrator(session, now, user, is_administrator=wanted.is_administrator, actor_id=actor_id)
    if wanted.may_make_challenges is not None:
        let_make_challenges(session, now, user, may=wanted.may_make_challenges, actor_id=actor_id)
    if wanted.is_disabled is not None:
        (shut_account if wanted.is_disabled else reopen_account)(session, now, user, actor_id=actor_id)


@area.get("/admin/mail", who="administrator", template="admin_mail")
def show_server_mail(context: RequestContext, state: Search = "", page: Page = "") -> MailList:
    """Return what the server has mailed or will, of every challenge and its own, newest first."""
    return list_mail(context.session, None, state=state, page=page)


@area.post("/admin/mail/{mail_id}/retry", who="administrator", page=show_server_mail, note="resent")
def send_any_mail_again(context: RequestContext, mail_id: RowId) -> MailLine:
    """Send a mail again that failed, or of which nobody knows whether it went."""
    row = find_row(context.session, Mail, mail_id, "mail")
    retry_mail(context.session, context.now, row, actor_id=context.user_id)
    return MailLine.of_row(row)


@area.post(
    "/admin/users/{user_id}/reset", who="administrator", page=show_server_users, shows=True, status=201
)
def make_any_password_link(context: RequestContext, user_id: RowId) -> PasswordLink:
    """Make a link for a new password, to be handed over."""
    user = find_row(context.session, User, user_id, "account")
    token = make_reset_link(context.session, context.now, user, actor_id=context.user_id)
    return password_link(context, user, token)
