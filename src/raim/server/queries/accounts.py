"""Accounts: one's own, and all of them for organisers."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records import accounts as records
from raim.server.actions.accounts import name_key
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import ApiToken, Appointment, Challenge, Member, Team, User
from raim.server.database.people import people_of
from raim.server.mail import CHOSEN, MAIL_KINDS, read_refused
from raim.server.queries.pages import read_part

# Administrators run every challenge.
OFFICE = case(
    (User.is_administrator, "organiser"), else_=func.coalesce(Appointment.office, "participant")
).label("role")


def read_account(
    session: Session,
    challenge: CurrentChallenge | None,
    now: datetime,
    user_id: int,
    *,
    challenges: list[str],
) -> records.OwnAccount:
    """Return an account as its person sees it; `challenges` are those that a token may be for."""
    user, role, team_id, team = session.execute(_select_users(challenge).where(User.id == user_id)).one()
    tokens = session.execute(
        select(ApiToken, Challenge.slug)
        .outerjoin(Challenge, Challenge.id == ApiToken.challenge_id)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)
        .order_by(ApiToken.id)
    )
    known = [records.KnownToken.of_row(row, challenge=slug) for row, slug in tokens]
    refused = read_refused(session, user)
    mail = [
        records.MailWish(kind=kind, title=MAIL_KINDS[kind].title, is_wanted=kind not in refused)
        for kind in CHOSEN
    ]
    return records.OwnAccount.of_row(
        user, role=role, team_id=team_id, team=team, tokens=known, mail=mail, challenges=challenges
    )


def list_accounts(
    session: Session, challenge: CurrentChallenge | None, *, q: str, role: str, page: str
) -> records.AccountList:
    """Return a page of the people of a challenge, or of all, by login; `q` looks at login, name, e-mail and team."""
    found = _select_users(challenge)
    if challenge is not None:
        found = found.where(User.id.in_(people_of(challenge.id)))
    if q.strip():
        key = name_key(q)
        found = found.where(
            or_(
                User.login_key.contains(key, autoescape=True),
                User.name.icontains(q.strip(), autoescape=True),
                User.email.icontains(q.strip(), autoescape=True),
                Team.name_key.contains(key, autoescape=True),
            )
        )
    if role:
        found = found.where(role == OFFICE)
    part = read_part(session, found, page, by=User.login_key, is_descending=False)
    users = [
        records.Account.of_row(user, role=held, team_id=team_id, team=team)
        for user, held, team_id, team in part.rows
    ]
    return records.AccountList(users=users, q=q, role=role, **part.place)


def find_account(session: Session, challenge: CurrentChallenge, user_id: int) -> User:
    """Return the account of somebody of a challenge.

    Raises:
        UnknownNameError: There is none of that number.
    """
    user = session.scalar(select(User).where(User.id == user_id, User.id.in_(people_of(challenge.id))))
    if user is None:
        raise UnknownNameError(f"there is no account {user_id}")
    return user


def find_by_login(session: Session, login: str) -> User:
    """Return the account of a login.

    Raises:
        UnknownNameError: There is none.
    """
    user = session.scalar(select(User).where(User.login_key == name_key(login), User.disabled_at.is_(None)))
    if user is None:
        raise UnknownNameError(f"there is no account with the login {login[:80]!r}; make one below")
    return user


def _select_users(challenge: CurrentChallenge | None) -> Any:
    """Select (user, role in the challenge, team's row, team's name)."""
    challenge_id = 0 if challenge is None else challenge.id
    return (
        select(User, OFFICE, Team.id, Team.name)
        .outerjoin(Appointment, (Appointment.user_id == User.id) & (Appointment.challenge_id == challenge_id))
        .outerjoin(Member, (Member.user_id == User.id) & (Member.challenge_id == challenge_id))
        .outerjoin(Team, Team.id == Member.team_id)
    )
