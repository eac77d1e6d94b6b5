"""Points of the closing checklist that organisers tick by hand."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import unknown_name
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Challenge, ChecklistTick

BY_HAND = {
    "licences": "The licences of the finalists' code, models and data were looked at and allow the award",
    "eligibility": "The finalists may take part: members, affiliations, no tie to the organisers",
    "reproduced": "The first places were reproduced from the teams' code",
    "prizes": "The sponsors have confirmed the prizes",
    "texts": "Certificates and the report name teams, members and affiliations as the fact sheets do",
    "backup": "A backup was made after the last phase (raim backup)",
}


def tick(
    session: Session, now: datetime, challenge: CurrentChallenge, key: str, *, is_done: bool, actor_id: int
) -> None:
    """Tick a point, or take the tick back; one that stands so already is left alone.

    Raises:
        UnknownNameError: There is no such point by hand.
    """
    if key not in BY_HAND:
        raise unknown_name("point of the checklist", key, BY_HAND)
    row = session.scalar(
        select(ChecklistTick).where(ChecklistTick.challenge_id == challenge.id, ChecklistTick.item == key)
    )
    if (row is not None) == is_done:
        return
    if row is None:
        session.add(ChecklistTick(challenge_id=challenge.id, item=key, ticked_by=actor_id, ticked_at=now))
    else:
        session.delete(row)
    action = "tick checklist" if is_done else "untick checklist"
    record_event(session, now, action, session.get_one(Challenge, challenge.id), actor_id=actor_id, point=key)
