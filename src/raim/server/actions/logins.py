"""Logging in: throttled, in short transactions around the slow check of the password; sessions on the server."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from raim.errors import NotReadyError
from raim.server.actions.accounts import MAXIMUM_KEY, name_key
from raim.server.actions.passwords import hash_password, is_outdated, is_password
from raim.server.auditing import record_event
from raim.server.database import Database, LoginAttempt, LoginSession, User
from raim.server.database.engine import LOGINS_LOCK, take_turn
from raim.server.tokens import hash_token, make_token

LOGIN_WINDOW = timedelta(minutes=15)
# Failed tries within the window after which one waits. The limit of a login bounds what many addresses can try
# together; a browser in which its person has logged in before is counted by itself, so that nobody locks them out.
PER_LOGIN_AND_ADDRESS = 5
PER_ADDRESS = 50  # a whole class may sit behind one address
PER_LOGIN = 100
WRONG = "login or password is wrong"  # never which of them


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """What came of a try to log in.

    Attributes:
        token: For the cookie, if it succeeded.
        refused: What to show, if it did not.
        retry_at: When the next try is looked at, if there were too many.
    """

    token: str | None = None
    refused: str | None = None
    retry_at: datetime | None = None


def log_in(
    database: Database,
    now: datetime,
    *,
    login: str,
    password: str,
    address: str,
    hours: int,
    browser: str = "",
) -> Login:
    """Check a login and open a session; `browser` names one in which this login has succeeded before.

    The try is written down as failed before the password is looked at, so that many at once do not get round the
    limits; the password is checked outside of any transaction.
    """
    key, source = typed_key(login), f"browser {browser}" if browser else address
    with database.writing() as session:
        take_turn(session, LOGINS_LOCK)
        retry_at = next_try(session, now, key=key, address=source, is_known=bool(browser))
        if retry_at is not None:
            return Login(
                refused=f"too many tries; the next is possible at {retry_at:%H:%M:%S} UTC", retry_at=retry_at
            )
        attempt = LoginAttempt(login_key=key, address=source, attempted_at=now)
        session.add(attempt)
        session.flush()
        attempt_id = attempt.id
        known = session.scalar(
            select(User.password_hash).where(User.login_key == key, User.disabled_at.is_(None))
        )
    try:
        is_right = is_password(password, known)
    except NotReadyError:  # it was not looked at
        with database.writing() as session:
            session.delete(session.get_one(LoginAttempt, attempt_id))
        raise
    if not is_right:
        with database.writing() as session:
            attempt = session.get_one(LoginAttempt, attempt_id)
            record_event(session, now, "fail to log in", attempt, actor_id=None, address=address)
        return Login(refused=WRONG)
    fresh = hash_password(password) if known is not None and is_outdated(known) else None
    with database.writing() as session:
        # The account may have changed while the password was checked: look again, under a lock.
        user = session.scalar(
            select(User)
            .where(User.login_key == key, User.password_hash == known, User.disabled_at.is_(None))
            .with_for_update()
        )
        if user is None:
            return Login(refused=WRONG)
        user.password_hash = fresh or user.password_hash
        session.get_one(LoginAttempt, attempt_id).succeeded = True
        return Login(token=open_session(session, now, user, hours=hours, address=address))


def typed_key(login: str) -> str:
    """Return a login as it is compared; never refused, whatever was typed."""
    # What a database cannot hold (NUL, lone surrogates) is no login either.
    return "".join(sign if sign.isprintable() else "?" for sign in name_key(login)[:MAXIMUM_KEY])


def next_try(
    session: Session, now: datetime, *, key: str, address: str, is_known: bool = False
) -> datetime | None:
    """Return when the next try is looked at; None if that is now. What others try holds up no known browser."""
    login, where = LoginAttempt.login_key == key, LoginAttempt.address == address
    limits: tuple[tuple[int, tuple[ColumnElement[bool], ...]], ...] = (
        (PER_LOGIN_AND_ADDRESS, (login, where)),
        *(() if is_known else ((PER_ADDRESS, (where,)), (PER_LOGIN, (login,)))),
    )
    waits = [_free_at(session, now, limit, conditions) for limit, conditions in limits]
    return max((wait for wait in waits if wait is not None), default=None)


def _free_at(
    session: Session, now: datetime, limit: int, conditions: tuple[ColumnElement[bool], ...]
) -> datetime | None:
    failed = (LoginAttempt.attempted_at > now - LOGIN_WINDOW, LoginAttempt.succeeded.is_(False), *conditions)
    # The try that has to leave the window before there are fewer than the limit.
    oldest = session.scalar(
        select(LoginAttempt.attempted_at)
        .where(*failed)
        .order_by(LoginAttempt.attempted_at.desc())
        .offset(limit - 1)
        .limit(1)
    )
    return None if oldest is None else oldest + LOGIN_WINDOW


def open_session(
    session: Session, now: datetime, user: User, *, hours: int, address: str | None = None
) -> str:
    """Open a session for a user and give its token, which is not kept."""
    token = make_token("session")
    opened = LoginSession(
        user_id=user.id,
        token_sha256=hash_token(token),
        created_at=now,
        expires_at=now + timedelta(hours=hours),
    )
    session.add(opened)
    session.flush()
    record_event(session, now, "log in", opened, actor_id=user.id, address=address)
    return token


def log_out(session: Session, now: datetime, token: str) -> None:
    """End the session of a token; an unknown or ended one is left as it is."""
    opened = session.scalar(
        select(LoginSession).where(
            LoginSession.token_sha256 == hash_token(token), LoginSession.revoked_at.is_(None)
        )
    )
    if opened is None:
        return
    opened.revoked_at = now
    record_event(session, now, "log out", opened, actor_id=opened.user_id)


def forget_logins(session: Session, now: datetime) -> int:
    """Delete tries that no limit looks at any more and sessions that are over; give how many tries there were."""
    old = session.scalars(select(LoginAttempt).where(LoginAttempt.attempted_at <= now - LOGIN_WINDOW)).all()
    for attempt in old:
        session.delete(attempt)
    for opened in session.scalars(select(LoginSession).where(LoginSession.expires_at <= now)):
        session.delete(opened)
    return len(old)
