"""Write down what was done, in the same transaction; what changes boards or results raises the challenge's version."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session, object_mapper

from raim.server.database import (
    AuditEvent,
    Base,
    Challenge,
    Judge,
    Phase,
    Study,
    Submission,
    Team,
    announce_change,
)

# What changes no board, chart, result or date: these words, up to a colon.
IDLE = frozenset(
    {
        *("log in", "fail to log in", "log out", "register", "make account", "set password"),
        *("make link", "use link", "make API token", "revoke API token", "invite", "revoke invitation"),
        *(
            "take try",
            "free file",
            "comment",
            "read comments",
            "see hidden inputs",
            "see hidden references",
            "look at flags",
            "export",
            "export study",
            "draw trials",
        ),
        *(
            "tick checklist",
            "untick checklist",
            "change address",
            "verify address",
            "ask for password",
            "refuse mail",
            "send mail again",
            "upload challenge",
            "refuse challenge",
            "abandon challenge",
        ),
    }
)

# By which column a row belongs to which other.
PARENTS: dict[str, type[Base]] = {
    "challenge_id": Challenge,
    "study_id": Study,
    "team_id": Team,
    "phase_id": Phase,
    "submission_id": Submission,
    "judge_id": Judge,
}


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

    Any but an idle one raises the version of its challenge, or of all where it concerns the server.

    Args:
        session: A writing session.
        now: When it was done.
        action: A verb with its object, "revoke session".
        row: What it was done to; None for the server. A new row gets its id.
        actor_id: The user who did it; None for the server itself.
        address: Network address of the actor, if known.
        is_idle: Nothing that is kept shows it, though other events of this action may change something.
        details: What else is worth knowing, as JSON. A row's number stands under its table's name, such as `team_id` or
            `team_ids`: it becomes another one where the challenge moves to another server.
    """
    session.flush()
    challenge_id = None if row is None else challenge_of(session, row)
    event = AuditEvent(
        happened_at=now,
        challenge_id=challenge_id,
        action=action,
        actor_id=actor_id,
        subject="server" if row is None else row.__tablename__,
        subject_id=None if row is None else object_mapper(row).primary_key_from_instance(row)[0],
        address=address,
        details=details,
    )
    session.add(event)
    if not is_idle and action.partition(":")[0] not in IDLE:
        announce_change(session, challenge_id)


def challenge_of(session: Session, row: Base) -> int | None:
    """Return the row of the challenge that another row belongs to; None for what belongs to the server."""
    if isinstance(row, Challenge):
        return row.id
    for name, table in PARENTS.items():
        number = getattr(row, name, None)
        if number is not None:
            return (
                int(number) if table is Challenge else challenge_of(session, session.get_one(table, number))
            )
    return None
