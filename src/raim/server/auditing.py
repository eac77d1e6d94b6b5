"""Write down what was done, in the same transaction; what changes boards or results raises the challenge's version."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session, object_mapper

from raim.server.database import AuditEvent, Base, announce_change

# What changes no board, chart, result or date: these words, up to a colon.
IDLE = frozenset(
    {
        *("log in", "fail to log in", "log out", "register", "make account", "set password"),
        *("make link", "use link", "make API token", "revoke API token", "invite", "revoke invitation"),
        *("take try", "comment", "look at flags", "export", "export study", "draw trials"),
        *(
            "tick checklist",
            "untick checklist",
            "change address",
            "verify address",
            "ask for password",
            "refuse mail",
        ),
    }
)


def record_event(
    session: Session,
    now: datetime,
    action: str,
    row: Base | None,
    *,
    actor_id: int | None,
    address: str | None = None,
    is_idle: bool = False,
    **details: Any,
) -> None:
    """Add an event to the audit log; never a password, a token or a token's hash.

    Any but an idle one raises the version of what is kept.

    Args:
        session: A writing session.
        now: When it was done.
        action: A verb with its object, "revoke session".
        row: What it was done to; None for the server. A new row gets its id.
        actor_id: The user who did it; None for the server itself.
        address: Network address of the actor, if known.
        is_idle: Nothing that is kept shows it, though other events of this action may change something.
        details: What else is worth knowing, as JSON.
    """
    session.flush()
    event = AuditEvent(
        happened_at=now,
        action=action,
        actor_id=actor_id,
        subject="server" if row is None else row.__tablename__,
        subject_id=None if row is None else object_mapper(row).primary_key_from_instance(row)[0],
        address=address,
        details=details,
    )
    session.add(event)
    if not is_idle and action.partition(":")[0] not in IDLE:
        announce_change(session)
