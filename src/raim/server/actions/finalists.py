"""Finalists: the first teams of the leaderboard are invited, accept or decline; a place goes on to the next."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Finalists, choose_finalists
from raim.errors import InputError, StateError
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Finalist, Team
from raim.server.mail import mail_team
from raim.server.standings import Standings


def propose_finalists(
    session: Session, challenge: CurrentChallenge, standings: Standings, *, n: int | None = None
) -> Finalists:
    """Return who would be invited now for n places, else as many as the file says; teams by their rows' numbers.

    Raises:
        StateError: The challenge has no final.
    """
    rule = challenge.definition.finalists
    if rule is None:
        raise StateError(
            "challenge.toml has no [finalists]; say there how many there are and which phase decides"
        )
    ranked = {row.row.entry.team for row in standings.rows if row.row.rank is not None}
    declined = [
        str(each.team_id)
        for each in list_finalists(session, challenge)
        if each.declined_at is not None and str(each.team_id) in ranked
    ]
    return choose_finalists([row.row for row in standings.rows], n or rule.count, declined=declined)


def invite_finalists(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    teams: Sequence[int],
    *,
    actor_id: int | None,
) -> list[Finalist]:
    """Invite teams in this order; those that are invited already keep their rows and places.

    Raises:
        InputError: A team is named twice, is not approved or of another challenge, or has declined.
        StateError: The challenge has no final.
    """
    rule = challenge.definition.finalists
    if rule is None:
        raise StateError("challenge.toml has no [finalists]")
    if len(set(teams)) != len(teams):
        raise InputError("a team is named twice among the finalists")
    there = {each.team_id: each for each in list_finalists(session, challenge)}
    invited = []
    for team_id in teams:
        team = session.get(Team, team_id)
        if team is None or team.challenge_id != challenge.id or team.state != "approved":
            raise InputError(f"team {team_id} is no approved team of this challenge")
        row = there.get(team_id)
        if row is not None and row.declined_at is not None:
            raise InputError(f"{team.name} has declined; choose another team")
        if row is None:
            row = Finalist(
                phase_id=challenge.phase_ids[rule.phase],
                team_id=team_id,
                position=max((each.position for each in there.values()), default=0) + 1,
                invited_at=now,
            )
            there[team_id] = _add(session, now, row, actor_id=actor_id)
        invited.append(row)
    return invited


def answer_invitation(
    session: Session, now: datetime, finalist: Finalist, *, accepts: bool, actor_id: int
) -> None:
    """Write down what a team says to its invitation.

    Raises:
        StateError: It has declined, and its place may be another team's.
    """
    if finalist.declined_at is not None:
        raise StateError("the invitation was declined; an organiser can invite another team only")
    if accepts:
        finalist.accepted_at, finalist.declined_at = now, None
    else:
        finalist.accepted_at, finalist.declined_at = None, now
    action = "accept invitation" if accepts else "decline invitation"
    record_event(session, now, action, finalist, actor_id=actor_id)


def replace_finalist(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    finalist: Finalist,
    team_id: int,
    *,
    actor_id: int,
) -> Finalist:
    """Invite another team in the place of one that declined, or that the organiser takes out.

    Raises:
        InputError: The other team cannot be invited.
    """
    if finalist.declined_at is None:
        finalist.declined_at, finalist.accepted_at = now, None
    there = {each.team_id for each in list_finalists(session, challenge)}
    if team_id in there:
        raise InputError("that team is or was a finalist already; choose the next on the leaderboard")
    new = invite_finalists(session, now, challenge, [team_id], actor_id=actor_id)[0]
    new.position, new.replaces_id = finalist.position, finalist.id
    record_event(session, now, "replace finalist", finalist, actor_id=actor_id, finalist_id=new.id)
    return new


def list_finalists(session: Session, challenge: CurrentChallenge) -> list[Finalist]:
    """Return all rows of the challenge's finalists by place, those that declined too."""
    phases = list(challenge.phase_ids.values())
    found = select(Finalist).where(Finalist.phase_id.in_(phases)).order_by(Finalist.position, Finalist.id)
    return list(session.scalars(found))


def find_finalist(session: Session, challenge: CurrentChallenge, team_id: int | None) -> Finalist | None:
    """Return a team's row, whether it has declined or not; None if it was never invited."""
    return next((each for each in list_finalists(session, challenge) if each.team_id == team_id), None)


def is_finalist(session: Session, challenge: CurrentChallenge, team_id: int) -> bool:
    """Return whether a team is invited and has not declined."""
    found = select(Finalist.id).where(
        Finalist.phase_id.in_(list(challenge.phase_ids.values())),
        Finalist.team_id == team_id,
        Finalist.declined_at.is_(None),
    )
    return session.scalar(found.limit(1)) is not None


def _add(session: Session, now: datetime, row: Finalist, *, actor_id: int | None) -> Finalist:
    session.add(row)
    session.flush()
    record_event(session, now, "invite finalist", row, actor_id=actor_id)
    mail_team(session, now, "final", f"finalist {row.id}", row.team_id)
    return row
