"""Accounts: one's own, and all of them for organisers."""

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from raim.records import accounts as records
from raim.server.actions.accounts import name_key
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import ApiToken, Member, Team, User
from raim.server.mail import CHOSEN, KINDS, read_refused
from raim.server.queries.pages import read_part


def read_account(session: Session, challenge: CurrentChallenge, user_id: int) -> records.OwnAccount:
    """Return an account as its person sees it."""
    user, team_id, team = session.execute(_select_users(challenge).where(User.id == user_id)).one()
    tokens = session.scalars(
        select(ApiToken)
        .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id)
    )
    known = [records.KnownToken.of_row(each) for each in tokens]
    refused = read_refused(session, user)
    mail = [
        records.MailWish(kind=kind, title=KINDS[kind].title, is_wanted=kind not in refused) for kind in CHOSEN
    ]
    return records.OwnAccount.of_row(user, team_id=team_id, team=team, tokens=known, mail=mail)


def list_accounts(
    session: Session, challenge: CurrentChallenge, *, q: str, role: str, page: int
) -> records.AccountList:
    """Return a page of accounts by login; the search looks at login, name, e-mail and team."""
    found = _select_users(challenge).order_by(User.login_key)
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
        found = found.where(User.role == role)
    part = read_part(session, found, page)
    users = [records.Account.of_row(user, team_id=team_id, team=team) for user, team_id, team in part.rows]
    return records.AccountList(users=users, q=q, role=role, **part.place)


def _select_users(challenge: CurrentChallenge) -> Any:
    """Select (user, team's row, team's name)."""
    return (
        select(User, Team.id, Team.name)
        .outerjoin(Member, (Member.user_id == User.id) & (Member.challenge_id == challenge.id))
        .outerjoin(Team, Team.id == Member.team_id)
    )
