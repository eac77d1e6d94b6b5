"""Register users, change their passwords, disable them."""

import unicodedata
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError
from raim.server.auditing import record_event
from raim.server.database import ApiToken, LoginSession, OneUseLink, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn

MAXIMUM_NAME = 80
MAXIMUM_KEY = 200  # of `Name`, the column; the compared form of a letter can be longer than the letter


def name_key(name: str) -> str:
    """Give a name as it is compared: two that look alike in case, width or spaces are one.

    Example:
        >>> name_key("  ADA Lovelace") == name_key("ada  lovelace")
        True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def check_name(name: str, what: str) -> str:
    """Give a name in its clean form.

    Raises:
        InputError: It is empty, longer than 80 characters or than 200 as it is compared, or does not print.

    Example:
        >>> check_name(" Ada ", "login")
        'Ada'
    """
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(clean) <= MAXIMUM_NAME or not clean.isprintable():
        raise InputError(
            f"the {what} {clean[:MAXIMUM_NAME]!r} must have 1 to {MAXIMUM_NAME} printable characters"
        )
    if len(name_key(clean)) > MAXIMUM_KEY:
        raise InputError(
            f"the {what} {clean!r} has {len(name_key(clean))} characters as it is compared, at most {MAXIMUM_KEY}; "
            "choose plainer letters"
        )
    return clean


def register(
    session: Session,
    now: datetime,
    *,
    login: str,
    password_hash: str,
    name: str | None = None,
    email: str | None = None,
    has_consented: bool = False,
    role: str = "participant",
    address: str | None = None,
) -> User:
    """Make an account.

    Args:
        session: A writing session.
        now: The time.
        login: What the user types; compared without regard to case.
        password_hash: Of `hash_password`.
        name: As shown; the login without it.
        email: Where mail is wanted; not checked beyond its form.
        has_consented: The user agreed to the consent text.
        role: "participant", "judge" or "organiser".
        address: Network address, for the audit log.

    Raises:
        InputError: Login, name or e-mail are not usable.
        StateError: The login is taken.
    """
    login = check_name(login, "login")
    if email is not None and ("@" not in email[1:-1] or len(email) > 320 or not email.isprintable()):
        raise InputError(f"{email!r} is not an e-mail address; leave it out or write it as name@example.org")
    take_turn(session, ACCOUNTS_LOCK)
    if session.scalar(select(User.id).where(User.login_key == name_key(login))) is not None:
        raise StateError(f"the login {login!r} is taken; choose another, or log in if it is yours")
    user = User(
        login=login,
        login_key=name_key(login),
        name=check_name(name or login, "name"),
        email=email,
        password_hash=password_hash,
        role=role,
        created_at=now,
        consented_at=now if has_consented else None,
    )
    session.add(user)
    session.flush()
    record_event(
        session, now, "register", actor_id=user.id, subject="user", subject_id=user.id, address=address
    )
    return user


def has_organiser(session: Session) -> bool:
    """Tell whether the organiser's account exists; without it the server shows its first link."""
    return bool(session.scalar(select(func.count()).select_from(User).where(User.role == "organiser")))


def set_password(session: Session, now: datetime, user: User, password_hash: str, *, actor_id: int) -> None:
    """Change a password; every login and every other reset link of the user ends."""
    user.password_hash = password_hash
    end_sessions(session, now, user.id)
    session.execute(
        update(OneUseLink)
        .where(OneUseLink.user_id == user.id, OneUseLink.used_at.is_(None))
        .values(used_at=now)
    )
    record_event(session, now, "set password", actor_id=actor_id, subject="user", subject_id=user.id)


def disable_user(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Shut an account: no login, no session and no API token of it works any more."""
    user.disabled_at = now
    end_sessions(session, now, user.id)
    session.execute(
        update(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record_event(session, now, "disable user", actor_id=actor_id, subject="user", subject_id=user.id)


def end_sessions(session: Session, now: datetime, user_id: int) -> None:
    """End every login of a user."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
