"""Write down what was done, in the same transaction as the deed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from raim.server.database import AuditEvent


def record_event(
    session: Session,
    now: datetime,
    action: str,
    *,
    actor_id: int | None,
    subject: str,
    subject_id: int | None,
    address: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an event to the audit log; never a password, a token or a token's hash.

    Args:
        session: A writing session.
        now: Time of the deed.
        action: A verb with its object, "revoke session".
        actor_id: The user who did it; None for the server itself.
        subject: Table of what it was done to.
        subject_id: Its id; None if there is none.
        address: Network address of the actor, if known.
        details: What else is worth knowing, as JSON.
    """
    event = AuditEvent(
        happened_at=now,
        action=action,
        actor_id=actor_id,
        subject=subject,
        subject_id=subject_id,
        address=address,
        details=dict(details or {}),
    )
    session.add(event)
