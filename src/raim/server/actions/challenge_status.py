"""A challenge is opened, paused, retired, or made a draft again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.server.auditing import record_event
from raim.server.database import Challenge


def set_status(session: Session, now: datetime, slug: str, status: str, *, actor_id: int) -> None:
    """Set the status of a challenge; nothing of it is deleted by any.

    Raises:
        UnknownNameError: There is none of that id.
    """
    row = session.scalar(select(Challenge).where(Challenge.slug == slug).with_for_update())
    if row is None:
        raise UnknownNameError(f"there is no challenge {slug[:80]!r} on this server")
    if row.status != status:
        before, row.status = row.status, status
        record_event(session, now, "set status", row, actor_id=actor_id, before=before, after=status)
