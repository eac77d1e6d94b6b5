"""Tables of running the server: what was done by whom, who asks how often, and which workers live."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, String
from sqlalchemy.orm import Mapped, mapped_column

from raim.server.database.columns import Base, Numbered, reference_key
from raim.server.database.people import people_of


class AuditEvent(Numbered):
    """Something that was done; never changed (a trigger holds that) but for an address that is forgotten.

    Without an actor, the server did it.

    `challenge_id`: None for what concerns the server, such as a login.
    """

    happened_at: Mapped[datetime] = mapped_column(index=True)
    challenge_id: Mapped[int | None] = mapped_column(reference_key("challenge"), index=True)
    action: Mapped[str] = mapped_column(String(60), index=True)
    actor_id: Mapped[int | None] = mapped_column(reference_key("user_account"), index=True)
    subject: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int | None]
    address: Mapped[str | None] = mapped_column(String(64), index=True)
    details: Mapped[dict[str, Any]]


def events_of(challenge_id: int) -> ColumnElement[bool]:
    """Return the condition that an event is of a challenge, or a login or the like of somebody who is known in it."""
    is_of_person = AuditEvent.challenge_id.is_(None) & AuditEvent.actor_id.in_(people_of(challenge_id))
    return (AuditEvent.challenge_id == challenge_id) | is_of_person


class RequestRate(Base):
    """How often somebody asks the API: when, in seconds of the epoch, they may ask their fill again.

    `wait`: what whoever asked last had to wait, in seconds. Workers forget who has not asked for a while.
    """

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    full_at: Mapped[float] = mapped_column(Double)
    wait: Mapped[float] = mapped_column(Double)


class WorkerHeartbeat(Base):
    """A worker process; one that was not seen for a minute is taken for dead.

    `challenges`: ids of those that it serves; none for all.
    """

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    version: Mapped[str] = mapped_column(String(80))
    challenges: Mapped[list[str]] = mapped_column(default=list)
    doing: Mapped[str] = mapped_column(String(200), default="")
    sandbox: Mapped[str] = mapped_column(String(400), default="")
    seconds_per_image: Mapped[float | None]
    stopped_at: Mapped[datetime | None]
