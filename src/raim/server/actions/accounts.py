"""Accounts: made, given a role, a password, shut, opened, deleted."""

import re
import secrets
import unicodedata
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError, unknown_name
from raim.server.auditing import record_event
from raim.server.database import ApiToken, LoginSession, Member, OneUseLink, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn
from raim.server.database.people import USER_ROLES
from raim.server.mail import forget_person

MAXIMUM_NAME = 80
ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
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


def check_email(email: str) -> str:
    """Give an e-mail address that has the form of one.

    Raises:
        InputError: It has not.
    """
    if not ADDRESS.fullmatch(email) or len(email) > 320 or not email.isprintable():
        raise InputError(f"{email[:60]!r} is not an e-mail address; write name@example.org, or leave it out")
    return email


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
    """Make an account with a hash of `hash_password`.

    Logins are compared without regard to case; the login is the name where none is given.

    Raises:
        InputError: Login, name or e-mail are not usable.
        StateError: The login is taken.
    """
    login = check_name(login, "login")
    if email is not None:
        check_email(email)
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
    record_event(session, now, "register", user, actor_id=user.id, address=address)
    return user


def has_organiser(session: Session) -> bool:
    """Tell whether the organiser's account exists; without it the server shows its first link."""
    return bool(session.scalar(select(func.count()).select_from(User).where(User.role == "organiser")))


def set_password(session: Session, now: datetime, user: User, password_hash: str, *, actor_id: int) -> None:
    """Change a password; every login and every other reset link of the user ends."""
    user.password_hash = password_hash
    end_sessions(session, now, user.id)
    _end_links(session, now, user)
    record_event(session, now, "set password", user, actor_id=actor_id)


def disable_user(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Shut an account: no login, no session and no API token of it works any more."""
    user.disabled_at = now
    end_sessions(session, now, user.id)
    session.execute(
        update(ApiToken)
        .where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record_event(session, now, "disable user", user, actor_id=actor_id)


def end_sessions(session: Session, now: datetime, user_id: int) -> None:
    """End every login of a user."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def change_role(session: Session, now: datetime, user: User, role: str, *, actor_id: int) -> None:
    """Make somebody a participant, a judge or an organiser.

    Raises:
        StateError: They are the last organiser.
        UnknownNameError: There is no such role.
    """
    check_role(role)
    if role == user.role:
        return
    if user.role == "organiser":
        _refuse_last_organiser(session, user)
    before, user.role = user.role, role
    record_event(session, now, "change role", user, actor_id=actor_id, before=before, after=role)


def shut_account(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Shut an account; its tokens for programs are gone for good, its password works again once it is opened.

    Raises:
        StateError: They are the last organiser.
    """
    if user.role == "organiser" and user.disabled_at is None:
        _refuse_last_organiser(session, user)
    if user.disabled_at is None:
        disable_user(session, now, user, actor_id=actor_id)


def reopen_account(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Let the person of a shut account log in again.

    Raises:
        StateError: The account was deleted.
    """
    if user.password_hash == "deleted":  # noqa: S105 - the mark of a deleted account
        raise StateError("this account was deleted by its person; they have to register again")
    if user.disabled_at is not None:
        user.disabled_at = None
        record_event(session, now, "reopen account", user, actor_id=actor_id)


def delete_account(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Delete who a person is: login, name, e-mail and password; what they did stays in the log under a number.

    Raises:
        StateError: They are the last organiser.
    """
    if user.role == "organiser" and user.disabled_at is None:
        _refuse_last_organiser(session, user)
    take_turn(session, ACCOUNTS_LOCK)
    for member in session.scalars(select(Member).where(Member.user_id == user.id, Member.role == "captain")):
        hand_on(session, member)
    disable_user(session, now, user, actor_id=actor_id)
    _end_links(session, now, user)
    gone = f"deleted-{user.id}-{secrets.token_hex(4)}"
    user.login = user.login_key = user.name = gone
    user.email, user.email_verified_at, user.password_hash = None, None, "deleted"
    session.execute(update(OneUseLink).where(OneUseLink.user_id == user.id).values(address=None))
    forget_person(session, user.id)
    record_event(session, now, "delete account", user, actor_id=actor_id)


def check_role(role: str) -> None:
    """Refuse a role that there is not.

    Raises:
        UnknownNameError: The nearest is named.
    """
    if role not in USER_ROLES:
        raise unknown_name("role", role, USER_ROLES)


def _refuse_last_organiser(session: Session, user: User) -> None:
    take_turn(session, ACCOUNTS_LOCK)
    others = session.scalar(
        select(func.count())
        .select_from(User)
        .where(User.role == "organiser", User.disabled_at.is_(None), User.id != user.id)
    )
    if not others:
        raise StateError(f"{user.login} is the last organiser; make another one first")


def _end_links(session: Session, now: datetime, user: User) -> None:
    unused = update(OneUseLink).where(OneUseLink.user_id == user.id, OneUseLink.used_at.is_(None))
    session.execute(unused.values(used_at=now))


def hand_on(session: Session, captain: Member) -> bool:
    """Let the first other member whose account is open lead a captain's team; False where there is none."""
    heir = session.scalar(
        select(Member)
        .join(User, User.id == Member.user_id)
        .where(Member.team_id == captain.team_id, Member.id != captain.id, User.disabled_at.is_(None))
        .order_by(Member.id)
        .limit(1)
    )
    if heir is not None:
        captain.role, heir.role = "member", "captain"
    return heir is not None
