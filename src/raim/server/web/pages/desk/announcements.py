"""Announcements: new ones, and all that were made, with those that were withdrawn."""

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from raim.errors import RaimError
from raim.server.contest import announce, withdraw_announcement
from raim.server.database import Announcement, User
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import Page, RowId, Text, find_row
from raim.server.web.pages.desk.paging import read_page
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PER_PAGE = 20  # each is a whole text


@router.get("/desk/announcements", name="desk.announcements")
def show_announcements(context: Admitted, page: Page = 1) -> Response:
    """Show all announcements, and the form of a new one."""
    return _show(context, page=page)


@router.post("/desk/announcements", name="desk.announcements.post")
def publish(context: Admitted, title: Text = "", text: Text = "") -> Response:
    """Publish a text."""
    try:
        publish_announcement(context, title, text)
    except RaimError as error:
        return _show(context, error=error, title=title, text=text)
    return go_to(f"{context.here}/desk/announcements", note="announced")


@router.post("/desk/announcements/{announcement_id}/withdraw", name="desk.announcement.withdraw")
def withdraw(context: Admitted, announcement_id: RowId) -> Response:
    """Take a text off the pages."""
    with context.server.database.writing() as session:
        row = find_row(session, Announcement, announcement_id, "announcement")
        withdraw_announcement(session, context.now, row, actor_id=context.user_id)
    return go_to(f"{context.here}/desk/announcements", note="unannounced")


def publish_announcement(context: Context, title: str, text: str) -> int:
    """Publish a text; give its number.

    Raises:
        InputError: Title or text are empty or too long.
    """
    with context.server.database.writing() as session:
        author = session.get_one(User, context.user_id)
        row = announce(
            session, context.now, challenge_id=context.contest.id, author=author, title=title, text=text
        )
        return row.id


def _show(
    context: Context, *, page: int = 1, error: RaimError | None = None, title: str = "", text: str = ""
) -> Response:
    found = (
        select(Announcement, User.name)
        .join(User, User.id == Announcement.author_id)
        .where(Announcement.challenge_id == context.contest.id)
        .order_by(Announcement.id.desc())
    )
    with context.server.database.reading() as session:
        return render(
            context,
            "desk_announcements.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error="" if error is None else str(error),
            title=title,
            text=text,
            paged=read_page(session, found, page, filters={}, per_page=PER_PAGE),
        )
