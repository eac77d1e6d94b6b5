"""The log of who did what."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from raim.server.accounts.users import name_key
from raim.server.database import AuditEvent, User
from raim.server.web.context import Admitted
from raim.server.web.pages.desk.fields import Page, Search
from raim.server.web.pages.desk.paging import read_page
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PER_PAGE = 100
SERVER = "the server"  # what the filter takes for events without an actor


@router.get("/desk/audit", name="desk.audit")
def show_audit(context: Admitted, action: Search = "", actor: Search = "", page: Page = 1) -> Response:
    """Show the log, newest first."""
    filters = {"action": action, "actor": actor}
    with context.server.database.reading() as session:
        return render(
            context,
            "desk_audit.html.jinja",
            paged=read_page(session, select_events(action, actor), page, filters=filters, per_page=PER_PAGE),
            actions=session.scalars(select(AuditEvent.action).distinct().order_by(AuditEvent.action)).all(),
            filters=filters,
            server=SERVER,
        )


def select_events(action: str, actor: str) -> Any:
    """Select (event, login of the actor), newest first.

    Args:
        action: Only this one; "" for all.
        actor: Only of this login, or of "the server"; "" for all.
    """
    found = (
        select(AuditEvent, User.login)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .order_by(AuditEvent.id.desc())
    )
    if action:
        found = found.where(AuditEvent.action == action)
    if actor.strip() == SERVER:
        found = found.where(AuditEvent.actor_id.is_(None))
    elif actor.strip():
        found = found.where(User.login_key == name_key(actor))
    return found
