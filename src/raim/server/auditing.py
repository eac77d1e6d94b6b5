"""Write down what was done, in the same transaction; what changes boards or results raises the challenge's version."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from raim.server.database import AuditEvent, announce_change

# What changes no board, chart, result or date: these words, up to a colon.
IDLE = frozenset(
    {
        *("log in", "fail to log in", "log out", "register", "make account", "set password"),
        *("make link", "use link", "make API token", "revoke API token", "invite", "revoke invitation"),
        *("take try", "comment", "look at flags", "export", "export study", "draw trials"),
        *("tick checklist", "untick checklist"),
    }
)


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
    is_idle: bool = False,
) -> None:
    """Add an event to the audit log; never a password, a token or a token's hash.

    Any but an idle one raises the version of what is kept.

    Args:
        session: A writing session.
        now: When it was done.
        action: A verb with its object, "revoke session".
        actor_id: The user who did it; None for the server itself.
        subject: Table of what it was done to.
        subject_id: Its id; None if there is none.
        address: Network address of the actor, if known.
        details: What else is worth knowing, as JSON.
        is_idle: Nothing that is kept shows it, though other events of this action may change something.
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
    if not is_idle and action.partition(":")[0] not in IDLE:
        announce_change(session)
