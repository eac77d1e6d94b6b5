"""The log of who did what, for organisers."""

from typing import Any

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from raim.records.log import Event, EventList
from raim.server.actions.accounts import name_key
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import AuditEvent, User
from raim.server.database.operation import events_of
from raim.server.queries.pages import read_part

PER_PAGE = 100
SERVER = "the server"


def select_events() -> Any:
    """Select (event, login of the actor)."""
    return select(AuditEvent, User.login).outerjoin(User, User.id == AuditEvent.actor_id)


def as_events(rows: Any) -> list[Event]:
    """Return records of what `select_events` finds."""
    return [Event.of_row(event, actor=login) for event, login in rows]


def list_events(
    session: Session, challenge: CurrentChallenge | None, *, action: str, actor: str, page: str
) -> EventList:
    """Return a page of the log of a challenge or all, of an action, a login or "the server"; "" for any."""
    shown = true() if challenge is None else events_of(challenge.id)
    found = select_events().where(shown)
    if action:
        found = found.where(AuditEvent.action == action)
    if actor.strip() == SERVER:
        found = found.where(AuditEvent.actor_id.is_(None))
    elif actor.strip():
        found = found.where(User.login_key == name_key(actor))
    part = read_part(session, found, page, by=AuditEvent.id, per_page=PER_PAGE)
    actions = session.scalars(select(AuditEvent.action).where(shown).distinct().order_by(AuditEvent.action))
    return EventList(
        events=as_events(part.rows), actions=list(actions), action=action, actor=actor, **part.place
    )
