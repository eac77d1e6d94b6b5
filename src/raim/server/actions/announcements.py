"""Announcements: texts of the organisers to everybody, in Markdown; withdrawn ones stay in the database."""

from datetime import datetime

from sqlalchemy.orm import Session

from raim.errors import InputError
from raim.server.auditing import record_event
from raim.server.database import Announcement, User
from raim.server.mail import drop_mail, mail_participants

LONGEST_TITLE = 200
LONGEST_TEXT = 20_000


def announce(
    session: Session, now: datetime, *, challenge_id: int, author: User, title: str, text: str
) -> Announcement:
    """Publish a text.

    Raises:
        InputError: Title or text are empty or too long.
    """
    title, text = title.strip(), text.strip()
    if not 1 <= len(title) <= LONGEST_TITLE or not 1 <= len(text) <= LONGEST_TEXT:
        raise InputError(
            f"an announcement has a title of 1 to {LONGEST_TITLE} and a text of 1 to {LONGEST_TEXT} characters"
        )
    row = Announcement(
        challenge_id=challenge_id, author_id=author.id, title=title, text=text, published_at=now
    )
    session.add(row)
    record_event(session, now, "announce", row, actor_id=author.id)
    mail_participants(
        session, now, "announcement", f"announcement {row.id}", challenge_id, title=title, text=text
    )
    return row


def withdraw_announcement(session: Session, now: datetime, row: Announcement, *, actor_id: int) -> None:
    """Take a text off the pages."""
    row.withdrawn_at = row.withdrawn_at or now
    record_event(session, now, "withdraw announcement", row, actor_id=actor_id)
    drop_mail(session, now, "announcement", f"announcement {row.id}", "it was withdrawn")
