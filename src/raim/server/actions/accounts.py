"""Accounts: made, given an office or a password, shut, opened, deleted."""

import re
import secrets
import unicodedata
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from raim.errors import AccessError, InputError, StateError, unknown_name
from raim.server.auditing import record_event
from raim.server.database import (
    ApiToken,
    Appointment,
    AuditEvent,
    Challenge,
    LoginSession,
    Member,
    OneUseLink,
    User,
)
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn
from raim.server.database.people import OFFICES
from raim.server.mail import forget_person, write_mail

MAXIMUM_NAME = 80
ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
MAXIMUM_KEY = 200  # of `Name`, the column; the compared form of a letter can be longer than the letter


def name_key(name: str) -> str:
    """Return a name as it is compared: two that look alike in case, width or spaces are one.

    Example:
        >>> name_key("  ADA Lovelace") == name_key("ada  lovelace")
        True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def check_name(name: str, what: str) -> str:
    """Return a name in its clean form.

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
    """Return an e-mail address that has the form of one.

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
    is_administrator: bool = False,
    challenge_id: int | None = None,
    address: str | None = None,
) -> User:
    """Make an account with a hash of `hash_password`.

    Logins are compared without regard to case; the login is the name where none is given. `challenge_id` says on whose
    pages the account is made, if on one's.

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
        is_administrator=is_administrator,
        registered_in=challenge_id,
        created_at=now,
        consented_at=now if has_consented else None,
    )
    session.add(user)
    session.flush()
    record_event(session, now, "register", user, actor_id=user.id, address=address)
    return user


def has_administrator(session: Session) -> bool:
    """Return whether an administrator's account exists; without it the server shows its first link."""
    return session.scalar(select(User.id).where(User.is_administrator).limit(1)) is not None


def set_password(session: Session, now: datetime, user: User, password_hash: str, *, actor_id: int) -> None:
    """Change a password; every login and every other reset link of the user ends."""
    user.password_hash = password_hash
    end_sessions(session, now, user.id)
    _end_tokens(session, now, user)
    _end_links(session, now, user)
    record_event(session, now, "set password", user, actor_id=actor_id)


def disable_user(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Shut an account: no login, no session and no API token of it works any more."""
    user.disabled_at = now
    end_sessions(session, now, user.id)
    _end_tokens(session, now, user)
    record_event(session, now, "disable user", user, actor_id=actor_id)


def _end_tokens(session: Session, now: datetime, user: User) -> None:
    theirs = update(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    session.execute(theirs.values(revoked_at=now))


def end_sessions(session: Session, now: datetime, user_id: int) -> None:
    """End every login of a user."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def appoint(
    session: Session, now: datetime, challenge_id: int, user: User, office: str, *, actor_id: int
) -> None:
    """Make somebody an organiser or a judge of a challenge, or a participant like everybody.

    The last organiser may go: administrators run every challenge.

    Raises:
        StateError: They are an administrator.
        UnknownNameError: There is no such office.
    """
    check_office(office)
    if user.is_administrator:
        raise StateError(
            f"{user.login} is an administrator, who runs every challenge and holds no office in one"
        )
    take_turn(session, ACCOUNTS_LOCK)
    held = find_appointment(session, challenge_id, user.id)
    before = "participant" if held is None else held.office
    if office == before:
        return
    if held is not None:
        session.delete(held)
        session.flush()
    row = session.get_one(Challenge, challenge_id)
    if office != "participant":
        given = Appointment(challenge_id=challenge_id, user_id=user.id, office=office, appointed_at=now)
        session.add(given)
        session.flush()
        to = None if user.email_verified_at is None else user
        what = f"appointment {given.id}"
        write_mail(session, now, "office", what, to, challenge_id=challenge_id, office=office)
    record_event(
        session, now, "change role", row, actor_id=actor_id, user_id=user.id, before=before, after=office
    )


def find_appointment(session: Session, challenge_id: int, user_id: int) -> Appointment | None:
    """Return the office that somebody has in a challenge; None without one."""
    return session.scalar(
        select(Appointment).where(Appointment.challenge_id == challenge_id, Appointment.user_id == user_id)
    )


def make_administrator(
    session: Session, now: datetime, user: User, *, is_administrator: bool, actor_id: int
) -> None:
    """Let somebody run the server, or no more.

    Raises:
        StateError: They are the last administrator.
    """
    if is_administrator == user.is_administrator:
        return
    if user.is_administrator:
        _refuse_last_administrator(session, user)
    user.is_administrator = is_administrator
    record_event(
        session, now, "make administrator", user, actor_id=actor_id, is_administrator=is_administrator
    )


def let_make_challenges(session: Session, now: datetime, user: User, *, may: bool, actor_id: int) -> None:
    """Let somebody upload challenges of their own, or no more; those that they made stay."""
    if may != user.may_make_challenges:
        user.may_make_challenges = may
        record_event(session, now, "let make challenges", user, actor_id=actor_id, may=may)


def shut_account(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Shut an account; its tokens for programs are gone for good, its password works again once it is opened.

    Raises:
        StateError: They are the last administrator.
    """
    if user.is_administrator and user.disabled_at is None:
        _refuse_last_administrator(session, user)
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
    """Delete who a person is: login, name, addresses and password; what they did stays in the log under a number.

    Raises:
        StateError: They are the last administrator.
    """
    if user.is_administrator and user.disabled_at is None:
        _refuse_last_administrator(session, user)
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
    session.execute(update(AuditEvent).where(AuditEvent.actor_id == user.id).values(address=None))
    record_event(session, now, "delete account", user, actor_id=actor_id)


def check_is_theirs(session: Session, challenge_id: int, user: User) -> None:
    """Refuse what an organiser may not do to an account that others rely on too.

    Raises:
        AccessError: It is an administrator's, or somebody's in another challenge.
    """
    elsewhere = [
        select(table.id).where(table.user_id == user.id, table.challenge_id != challenge_id)
        for table in (Member, Appointment)
    ]
    if user.is_administrator or any(session.scalar(each.limit(1)) is not None for each in elsewhere):
        raise AccessError(
            f"{user.login} has to do with more than this challenge; ask an administrator of the server"
        )


def check_office(office: str) -> None:
    """Refuse an office that there is not.

    Raises:
        UnknownNameError: The nearest is named.
    """
    if office not in {"participant", *OFFICES}:
        raise unknown_name("role", office, ["participant", *OFFICES])


def _refuse_last_administrator(session: Session, user: User) -> None:
    take_turn(session, ACCOUNTS_LOCK)
    others = select(User.id).where(User.is_administrator, User.disabled_at.is_(None), User.id != user.id)
    if session.scalar(others.limit(1)) is None:
        raise StateError(f"{user.login} is the last administrator; make another one first")


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
