"""Who saw what of hidden data: a line in the log for each person, data set and day of the challenge."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import may_download
from raim.challenge.data_set import DataSetPart
from raim.challenge.tries import day_begins, day_of
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import AuditEvent, Database, DataSet, User


def is_hidden(challenge: CurrentChallenge, data_set_id: str, part: DataSetPart, now: datetime) -> bool:
    """Return whether no team may have a part of a data set now, finalists neither."""
    given = may_download(
        challenge.definition, data_set_id, part, role="member", now=now, is_approved=True, is_finalist=True
    )
    return not given.is_allowed


def is_noted(
    session: Session,
    challenge: CurrentChallenge,
    now: datetime,
    data_set_id: str,
    part: DataSetPart,
    *,
    user_id: int,
) -> bool:
    """Return whether the log says of this day that somebody saw a part of a data set."""
    zone = challenge.definition.day_timezone
    found = select(AuditEvent.id).where(
        AuditEvent.action == f"see hidden {part}s",
        AuditEvent.actor_id == user_id,
        AuditEvent.subject == DataSet.__tablename__,
        AuditEvent.subject_id == challenge.data_set_ids[data_set_id],
        AuditEvent.happened_at >= day_begins(day_of(now, zone), zone),
    )
    return session.scalar(found.limit(1)) is not None


def note_sight(
    database: Database,
    challenge: CurrentChallenge,
    now: datetime,
    data_set_id: str,
    part: DataSetPart,
    *,
    user_id: int,
) -> None:
    """Write down that somebody sees a part of a data set that is hidden, in a transaction of its own; once a day."""
    with database.writing() as session:
        session.scalars(
            select(User.id).where(User.id == user_id).with_for_update()
        ).one()  # two at once are one
        if is_noted(session, challenge, now, data_set_id, part, user_id=user_id):
            return
        row = session.get_one(DataSet, challenge.data_set_ids[data_set_id])
        record_event(session, now, f"see hidden {part}s", row, actor_id=user_id, data_set=data_set_id)
