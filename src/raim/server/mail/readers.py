"""Who reads what: the people of a team, all who take part. Only those who have verified their address."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from raim.server.database import Member, Team, User
from raim.server.mail.outbox import write_mails


def mail_team(session: Session, now: datetime, kind: str, what: str, team_id: int, **facts: Any) -> int:
    """Write a mail to each member of a team, with the team's name; return to how many."""
    team = session.get_one(Team, team_id)
    people = _find_people(session, Member.team_id == (team.merged_into or team_id))
    return write_mails(
        session, now, kind, what, people, challenge_id=team.challenge_id, team=team.name, **facts
    )


def mail_participants(
    session: Session, now: datetime, kind: str, what: str, challenge_id: int, **facts: Any
) -> int:
    """Write a mail to each member of a challenge's teams; return to how many."""
    people = _find_people(session, Member.challenge_id == challenge_id)
    return write_mails(session, now, kind, what, people, challenge_id=challenge_id, **facts)


def _find_people(session: Session, which: ColumnElement[bool]) -> list[User]:
    found = select(User).join(Member, Member.user_id == User.id).where(which)
    verified = found.where(User.email_verified_at.is_not(None), User.disabled_at.is_(None))
    return list(session.scalars(verified.order_by(User.id)))
