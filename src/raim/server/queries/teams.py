"""Teams as their members see them, and as organisers do."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.records import teams as records
from raim.records.log import Event
from raim.server.actions.accounts import name_key
from raim.server.actions.fact_sheets import FIELDS, missing_fields, read_fact_sheet
from raim.server.actions.finalists import find_finalist
from raim.server.current_challenge import CurrentChallenge, is_in_force
from raim.server.database import (
    AuditEvent,
    EntryResult,
    FactSheet,
    Finalist,
    Invitation,
    Member,
    Phase,
    Submission,
    Team,
    User,
)
from raim.server.database.operation import events_of
from raim.server.queries.hints import find_hints
from raim.server.queries.log import as_events, select_events
from raim.server.queries.pages import read_part
from raim.server.queries.rows import find_row
from raim.server.submissions.kept import kept_of_team, read_kept

MOST_HINTS, MOST_EVENTS = 50, 50


def read_own_team(session: Session, challenge: CurrentChallenge, team_id: int, now: Any) -> records.Team:
    """Return a team as its members see it."""
    team = session.get_one(Team, team_id)
    waiting = select(Invitation).where(
        Invitation.team_id == team_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > now,
    )
    finalist = find_finalist(session, challenge, team_id)
    return records.Team.of_row(
        team,
        members=[
            records.Member.of_row(member, login=user.login, name=user.name)
            for member, user in _members(session, team_id)
        ],
        invitations=[records.Invitation.of_row(each) for each in session.scalars(waiting)],
        final=None if finalist is None else _answer(finalist),
        answered_at=None if finalist is None else finalist.declined_at or finalist.accepted_at,
        missing=list(missing_fields(read_fact_sheet(session, team_id))),
        kept=kept_of_team(session, challenge, team_id, for_team=True),
    )


def read_sheet(session: Session, team_id: int) -> records.FactSheet:
    """Return what a team states about its method."""
    stated = read_fact_sheet(session, team_id)
    return records.FactSheet(
        fields=[records.SheetField.of_row(each, stated=stated[each.key]) for each in FIELDS],
        missing=list(missing_fields(stated)),
    )


def list_teams(
    session: Session, challenge: CurrentChallenge, *, q: str, state: str, page: str
) -> records.TeamList:
    """Return a page of teams by name; `q` looks for a part of it."""
    found = read_part(
        session, _select_teams(challenge, q, state), page, by=Team.name_key, is_descending=False
    )
    hints = find_hints(session, challenge.id)
    kept = read_kept(session, "team_id", challenge_id=challenge.id)
    return records.TeamList(
        teams=[
            records.TeamLine.of_row(
                team,
                n_members=members,
                n_submissions=submissions,
                best_score=best,
                kept_bytes=sum(kept.get(team.id, {}).values()),
            )
            for team, members, submissions, best in found.rows
        ],
        q=q,
        state=state,
        **found.place,
        hints=hints[:MOST_HINTS],
        n_more_hints=max(0, len(hints) - MOST_HINTS),
    )


def read_team(session: Session, challenge: CurrentChallenge, team_id: int) -> records.TeamDetails:
    """Return all about one team.

    Raises:
        UnknownNameError: There is none of that number.
    """
    team = find_row(session, Team, team_id, "team", challenge_id=challenge.id)
    members = _members(session, team_id)
    others = session.execute(
        select(Team.id, Team.name)
        .where(Team.challenge_id == challenge.id, Team.id != team_id, Team.state != "merged")
        .order_by(Team.name_key)
    )
    into = None if team.merged_into is None else session.get_one(Team, team.merged_into)
    return records.TeamDetails.of_row(
        team,
        merged_into_name="" if into is None else into.name,
        members=[
            records.TeamPerson.of_row(
                member,
                login=user.login,
                name=user.name,
                email=user.email,
                is_shut=user.disabled_at is not None,
            )
            for member, user in members
        ],
        submissions=_entries(session, challenge, team_id),
        fact_sheet=read_sheet(session, team_id),
        kept=kept_of_team(session, challenge, team_id, for_team=False),
        hints=[each for each in find_hints(session, challenge.id) if team_id in each.teams],
        events=_events(session, challenge, team_id, [user.id for _, user in members]),
        others={each.id: each.name for each in others},
    )


def _members(session: Session, team_id: int) -> list[Any]:
    return list(
        session.execute(
            select(Member, User)
            .join(User, User.id == Member.user_id)
            .where(Member.team_id == team_id)
            .order_by(Member.id)
        )
    )


def _answer(finalist: Finalist) -> records.FinalState:
    if finalist.declined_at is not None:
        return "declined"
    return "invited" if finalist.accepted_at is None else "accepted"


def _select_teams(challenge: CurrentChallenge, q: str, state: str) -> Any:
    """Select (team, members, submissions, best score in force)."""
    members = select(func.count()).where(Member.team_id == Team.id).correlate(Team).scalar_subquery()
    handed_in = select(func.count()).where(Submission.team_id == Team.id).correlate(Team).scalar_subquery()
    best = (
        select(func.max(EntryResult.score))
        .select_from(Submission)
        .join(EntryResult, is_in_force(challenge))
        .where(Submission.team_id == Team.id, Submission.where("has_score"))
        .correlate(Team)
        .scalar_subquery()
    )
    found = select(Team, members, handed_in, best).where(Team.challenge_id == challenge.id)
    if q.strip():
        found = found.where(Team.name_key.contains(name_key(q), autoescape=True))
    if state:
        found = found.where(Team.state == state)
    return found


def _entries(session: Session, challenge: CurrentChallenge, team_id: int) -> list[records.TeamEntry]:
    rows = session.execute(
        select(Submission, Phase.title, EntryResult.score)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(EntryResult, is_in_force(challenge))
        .where(Submission.team_id == team_id)
        .order_by(Submission.id.desc())
    )
    return [
        records.TeamEntry.of_row(row, phase=phase, has_flags=bool(row.flags), score=score)
        for row, phase, score in rows
    ]


def _events(session: Session, challenge: CurrentChallenge, team_id: int, user_ids: list[int]) -> list[Event]:
    """Return the newest events about a team, its submissions and its fact sheet, and what its members did here."""
    submissions = select(Submission.id).where(Submission.team_id == team_id)
    sheets = select(FactSheet.id).where(FactSheet.team_id == team_id)
    about = (
        ((AuditEvent.subject == "team") & (AuditEvent.subject_id == team_id))
        | ((AuditEvent.subject == "submission") & AuditEvent.subject_id.in_(submissions))
        | ((AuditEvent.subject == "fact_sheet") & AuditEvent.subject_id.in_(sheets))
        | AuditEvent.actor_id.in_(user_ids)
    )
    found = select_events().where(events_of(challenge.id), about).order_by(AuditEvent.id.desc())
    return as_events(session.execute(found.limit(MOST_EVENTS)))
