"""What administrators set of a challenge: it is opened, paused, retired or made a draft again; its quota."""

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
    row = _lock(session, slug)
    if row.status != status:
        before, row.status = row.status, status
        record_event(session, now, "set status", row, actor_id=actor_id, before=before, after=status)


def set_quota(session: Session, now: datetime, slug: str, quota_bytes: int | None, *, actor_id: int) -> None:
    """Set what all that is kept of a challenge may take; None for no limit. Nothing is deleted by that.

    Raises:
        UnknownNameError: There is none of that id.
    """
    row = _lock(session, slug)
    if row.quota_bytes != quota_bytes:
        before, row.quota_bytes = row.quota_bytes, quota_bytes
        record_event(session, now, "set quota", row, actor_id=actor_id, before=before, after=quota_bytes)


def _lock(session: Session, slug: str) -> Challenge:
    row = session.scalar(select(Challenge).where(Challenge.slug == slug).with_for_update())
    if row is None:
        raise UnknownNameError(f"there is no challenge {slug[:80]!r} on this server")
    return row
