"""Links that work once: the first administrator's account, a new password, an address to be verified."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from raim.errors import StateError
from raim.server.actions.accounts import appoint, check_office, has_administrator, register, set_password
from raim.server.auditing import record_event
from raim.server.database import OneUseLink, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn
from raim.server.tokens import hash_token, make_token

LIFE = timedelta(hours=24)


def make_administrator_link(session: Session, now: datetime) -> str:
    """Make the token with which the first administrator makes their account; an earlier one stops working.

    Raises:
        StateError: There is one already.
    """
    take_turn(session, ACCOUNTS_LOCK)
    if has_administrator(session):
        raise StateError(
            "there is an administrator's account already; administrators make others from their page"
        )
    session.execute(
        update(OneUseLink)
        .where(OneUseLink.purpose == "make administrator", OneUseLink.used_at.is_(None))
        .values(used_at=now)
    )
    return make_link(session, now, "make administrator", user_id=None, actor_id=None)


def make_reset_link(session: Session, now: datetime, user: User, *, actor_id: int) -> str:
    """Make the token with which a user sets a new password; an organiser hands it over."""
    return make_link(session, now, "reset password", user_id=user.id, actor_id=actor_id)


def make_account(
    session: Session,
    now: datetime,
    *,
    login: str,
    name: str,
    email: str,
    challenge_id: int,
    office: str,
    password_hash: str,
    actor_id: int,
) -> tuple[User, str]:
    """Make an account for somebody; give it with the token of the link with which they set their password.

    Until then it has the hash of a random password that nobody knows. The login is the name where that is "". The
    office is "participant", "judge" or "organiser".

    Raises:
        InputError: Login, name or e-mail are not usable.
        StateError: The login is taken.
        UnknownNameError: There is no such office.
    """
    check_office(office)
    user = register(
        session,
        now,
        login=login,
        password_hash=password_hash,
        name=name.strip() or None,
        email=email.strip() or None,
        challenge_id=challenge_id,
    )
    record_event(session, now, "make account", user, actor_id=actor_id)
    appoint(session, now, challenge_id, user, office, actor_id=actor_id)
    return user, make_reset_link(session, now, user, actor_id=actor_id)


def use_administrator_link(
    session: Session, now: datetime, token: str, *, login: str, password_hash: str
) -> User:
    """Make the first administrator's account.

    Raises:
        StateError: The link was used, is over or unknown; or the login is taken.
        InputError: The login is not usable.
    """
    use_link(session, now, token, "make administrator")
    return register(
        session, now, login=login, password_hash=password_hash, is_administrator=True, has_consented=True
    )


def use_reset_link(session: Session, now: datetime, token: str, *, password_hash: str) -> User:
    """Set the password of the link's user; all their logins end. The address that the link was mailed to is theirs.

    Raises:
        StateError: The link was used, is over or unknown.
    """
    link = use_link(session, now, token, "reset password")
    user = session.get_one(User, link.user_id)
    if link.address is not None and link.address == user.email:
        user.email_verified_at = user.email_verified_at or now
    set_password(session, now, user, password_hash, actor_id=user.id)
    return user


def find_link(session: Session, now: datetime, token: str, purpose: str) -> OneUseLink:
    """Return a link that works; a writing session holds it until its end.

    Raises:
        StateError: It was used, is over or unknown.
    """
    link = session.scalar(
        select(OneUseLink)
        .where(OneUseLink.token_sha256 == hash_token(token), OneUseLink.purpose == purpose)
        .with_for_update()
    )
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise StateError(
            "this link was used before, is over or was not copied whole; ask the organiser for a new one"
        )
    return link


def use_link(session: Session, now: datetime, token: str, purpose: str) -> OneUseLink:
    """Use up a link; of two requests at once, one succeeds.

    Raises:
        StateError: It was used, is over or unknown.
    """
    link = find_link(session, now, token, purpose)
    link.used_at = now
    record_event(session, now, f"use link: {purpose}", link, actor_id=link.user_id)
    return link


def make_link(
    session: Session,
    now: datetime,
    purpose: str,
    *,
    user_id: int | None,
    actor_id: int | None,
    address: str | None = None,
) -> str:
    """Make the token of a link; `address` is where it is mailed to, and shown nowhere else."""
    token = make_token("link")
    link = OneUseLink(
        purpose=purpose,
        user_id=user_id,
        address=address,
        token_sha256=hash_token(token),
        created_at=now,
        expires_at=now + LIFE,
    )
    session.add(link)
    session.flush()
    record_event(session, now, f"make link: {purpose}", link, actor_id=actor_id)
    return token
