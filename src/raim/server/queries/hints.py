"""Second-account hints: what two teams share that two groups of people seldom do. A hint is a reason to ask, no proof.

A university's network or a class has one address for many; the same file in two teams is the strongest hint.
An address that people of two teams have verified is one person's, or a list's; anybody may type any other.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.records.teams import Hint
from raim.server.database import AuditEvent, Member, Submission, Team, User

SEEN_AT = ("register", "log in")  # audit events that carry a network address


def find_hints(session: Session, challenge_id: int) -> list[Hint]:
    """Return what teams of a challenge share, the strongest hints first; three queries for any number of teams."""
    return [
        *_hints("file", session.execute(_files(challenge_id))),
        *_hints("e-mail", session.execute(_emails(challenge_id))),
        *_hints("address", session.execute(_addresses(challenge_id))),
    ]


def _hints(shared: str, rows: Iterable[Any]) -> list[Hint]:
    """Gather rows of (value, team's row, team's name, who) by their value."""
    teams: dict[str, dict[int, str]] = {}
    people: dict[str, set[str]] = {}
    verified: dict[str, set[int]] = {}
    for value, team_id, team, who, *at in rows:
        if at and at[0] is not None:
            verified.setdefault(value, set()).add(team_id)
            who = f"{who} (verified)"  # noqa: PLW2901
        teams.setdefault(value, {})[team_id] = team
        people.setdefault(value, set()).add(who if isinstance(who, str) else f"submission {who}")
    return [
        Hint(
            shared=shared,  # type: ignore[arg-type]  # one of the three words
            value=value,
            teams=dict(sorted(found.items(), key=lambda team: team[1].casefold())),
            people=sorted(people[value]),
            is_verified=len(verified.get(value, ())) > 1,
        )
        for value, found in sorted(teams.items(), key=lambda each: (-len(verified.get(each[0], ())), each[0]))
        if len(found) > 1
    ]


def _files(challenge_id: int) -> Any:
    several = (
        select(Submission.committed_sha256)
        .group_by(Submission.committed_sha256)
        .having(func.count(Submission.team_id.distinct()) > 1)
    )
    return (
        select(Submission.committed_sha256, Team.id, Team.name, Submission.id)
        .join(Team, Team.id == Submission.team_id)
        .where(Team.challenge_id == challenge_id, Submission.committed_sha256.in_(several))
    )


def _emails(challenge_id: int) -> Any:
    return (
        select(func.lower(User.email), Team.id, Team.name, User.login, User.email_verified_at)
        .join(Member, Member.user_id == User.id)
        .join(Team, Team.id == Member.team_id)
        .where(Team.challenge_id == challenge_id, User.email.is_not(None))
    )


def _addresses(challenge_id: int) -> Any:
    return (
        select(AuditEvent.address, Team.id, Team.name, User.login)
        .join(User, User.id == AuditEvent.actor_id)
        .join(Member, Member.user_id == User.id)
        .join(Team, Team.id == Member.team_id)
        .where(
            Team.challenge_id == challenge_id,
            AuditEvent.action.in_(SEEN_AT),
            AuditEvent.address.is_not(None),
            AuditEvent.address != "",
        )
        .distinct()
    )
