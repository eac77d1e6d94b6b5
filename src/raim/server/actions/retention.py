"""What is not kept for good: network addresses of the log, and e-mail addresses of links, invitations and judges."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from raim.server.database import AuditEvent, Invitation, Judge, OneUseLink, Study


def forget_addresses(session: Session, now: datetime, keep: timedelta) -> None:
    """Forget addresses that are older than `keep`: since an event, the end of a link, or the study's reveal or end."""
    old = now - keep
    ended = select(Study.id).where(func.coalesce(Study.revealed_at, Study.closed_at) < old)
    session.execute(delete(OneUseLink).where(OneUseLink.expires_at < old))
    for change in (
        update(AuditEvent).where(AuditEvent.address.is_not(None), AuditEvent.happened_at < old),
        update(Invitation).where(Invitation.address.is_not(None), Invitation.expires_at < old),
    ):
        session.execute(change.values(address=None))
    session.execute(
        update(Judge).where(Judge.email.is_not(None), Judge.study_id.in_(ended)).values(email=None)
    )
