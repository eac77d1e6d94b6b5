"""The organisers' API: teams and accounts."""

from fastapi import APIRouter

from raim.errors import InputError
from raim.server.actions.accounts import (
    change_role,
    reopen_account,
    shut_account,
)
from raim.server.database import User
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.desk_people_records import (
    NewUser,
    ResetLink,
    UserChange,
    UserList,
    UserRecord,
)
from raim.server.web.context import Admitted
from raim.server.web.fields import Page, RowId, Search, find_row
from raim.server.web.pages.desk.paging import read_page
from raim.server.web.pages.desk.users import make_link_for, make_user_with_link, select_users

router = APIRouter(prefix=f"{PREFIX}/desk", tags=["desk"], responses=FAILURES, dependencies=LIMITED)


@router.get("/users", name="api.desk.users")
def list_users(context: Admitted, q: Search = "", role: Search = "", page: Page = 1) -> UserList:
    """Give accounts by login; `q` looks at login, name, e-mail and team."""
    with context.server.database.reading() as session:
        found = read_page(session, select_users(context, q, role), page, filters={})
        users = [
            UserRecord(
                id=user.id,
                login=user.login,
                name=user.name,
                email=user.email,
                role=user.role,
                team=team,
                created_at=user.created_at,
                disabled_at=user.disabled_at,
            )
            for user, _, team in found.rows
        ]
    return UserList(users=users, n_rows=found.n_rows, page=found.page, n_pages=found.n_pages)


@router.post("/users", name="api.desk.users.create", status_code=201)
def create_user(context: Admitted, wanted: NewUser) -> ResetLink:
    """Make an account for a judge, an organiser or a participant; hand the link over."""
    login, url = make_user_with_link(
        context, login=wanted.login, name=wanted.name, email=wanted.email, role=wanted.role
    )
    return ResetLink(login=login, url=url)


@router.patch("/users/{user_id}", name="api.desk.user.change", status_code=204)
def change_user(context: Admitted, user_id: RowId, wanted: UserChange) -> None:
    """Change a role; shut or open an account."""
    if wanted.role is None and wanted.is_disabled is None:
        raise InputError("nothing is to be changed; send role or is_disabled")
    with context.server.database.writing() as session:
        user = find_row(session, User, user_id, "account")
        if wanted.role is not None:
            change_role(session, context.now, user, wanted.role, actor_id=context.user_id)
        if wanted.is_disabled is not None:
            change = shut_account if wanted.is_disabled else reopen_account
            change(session, context.now, user, actor_id=context.user_id)


@router.post("/users/{user_id}/reset-link", name="api.desk.reset_link", status_code=201)
def create_reset_link(context: Admitted, user_id: RowId) -> ResetLink:
    """Make a link for a new password, to be handed over."""
    login, url = make_link_for(context, user_id)
    return ResetLink(login=login, url=url)
