import threading
from datetime import UTC, datetime, timedelta

import argon2
import pytest
from sqlalchemy import func, select

from raim.errors import InputError, NotReadyError
from raim.server.actions import passwords
from raim.server.actions.accounts import disable_user, register
from raim.server.actions.logins import (
    LOGIN_WINDOW,
    PER_ADDRESS,
    PER_LOGIN,
    PER_LOGIN_AND_ADDRESS,
    forget_logins,
    log_in,
    log_out,
    next_try,
)
from raim.server.actions.passwords import hash_password
from raim.server.database import AuditEvent, LoginAttempt, LoginSession, User
from raim.server.database.people import whose
from raim.server.tokens import proof

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse"


@pytest.fixture
def ada(database):
    with database.writing() as session:
        return register(session, NOON, login="Ada", password_hash=hash_password(PASSWORD)).id


def enter(database, now=NOON, login="ada", password=PASSWORD, address="192.0.2.1", **options):
    return log_in(database, now, login=login, password=password, address=address, hours=8, **options)


def user_of(database, token, now=NOON):
    with database.reading() as session:
        user = session.scalar(whose(LoginSession, User), proof(now, token))
        return user and user.id


def test_a_login_lasts_its_hours(database, ada):
    token = enter(database).token
    end = NOON + timedelta(hours=8)
    assert user_of(database, token, end - timedelta(microseconds=1)) == ada
    assert user_of(database, token, end) is None


def test_only_the_hash_of_a_token_is_kept(database, ada):
    token = enter(database).token
    with database.reading() as session:
        kept = session.scalars(select(LoginSession)).one()
        events = session.scalars(select(AuditEvent)).all()
    assert kept.token_sha256 not in token
    assert user_of(database, kept.token_sha256) is None
    assert not any(token in str(event.details) or PASSWORD in str(event.details) for event in events)


def test_logging_out_ends_one_session_only(database, ada):
    first, second = enter(database).token, enter(database).token
    with database.writing() as session:
        log_out(session, NOON, first)
        log_out(session, NOON, "unknown")
    assert user_of(database, first) is None
    assert user_of(database, second) == ada


def test_a_shut_account_is_out_at_once(database, ada):
    token = enter(database).token
    with database.writing() as session:
        disable_user(session, NOON, session.get_one(User, ada), actor_id=ada)
    assert user_of(database, token) is None
    assert enter(database).token is None


@pytest.mark.parametrize("login", ["ada", "nobody", "\0", "\ud800", ""], ids=ascii)
def test_a_wrong_login_and_a_wrong_password_look_the_same(database, ada, login):
    assert enter(database, login=login, password="wrong").refused == "login or password is wrong"


def test_after_five_failures_one_waits_and_no_password_is_looked_at(database, ada, monkeypatch):
    for second in range(PER_LOGIN_AND_ADDRESS):
        enter(database, NOON + timedelta(seconds=second), password="wrong")
    monkeypatch.setattr("raim.server.actions.logins.is_password", None)
    stopped = enter(database, NOON + timedelta(seconds=9))
    assert stopped.token is None
    assert stopped.retry_at == NOON + LOGIN_WINDOW
    assert "12:15:00 UTC" in stopped.refused
    monkeypatch.undo()
    assert enter(database, NOON + LOGIN_WINDOW).token is not None


def test_another_address_is_not_locked_out_with_it(database, ada):
    for _ in range(PER_LOGIN_AND_ADDRESS):
        enter(database, password="wrong")
    assert enter(database, address="192.0.2.2").token is not None


def test_no_number_of_tries_by_others_locks_out_a_browser_that_has_logged_in_before(database, ada):
    with database.writing() as session:
        for number in range(PER_LOGIN + PER_ADDRESS):
            address = f"198.51.100.{number}" if number < PER_LOGIN else "192.0.2.1"
            session.add(LoginAttempt(login_key="ada", address=address, attempted_at=NOON))
    assert enter(database).retry_at is not None
    assert enter(database, browser="mine").token is not None
    for _ in range(PER_LOGIN_AND_ADDRESS):
        enter(database, browser="mine", password="wrong")
    assert enter(database, browser="mine").retry_at == NOON + LOGIN_WINDOW  # its own mistakes count


def test_a_try_that_nobody_had_time_for_is_none(database, ada, monkeypatch):
    def be_busy(*_):
        raise NotReadyError("busy", retry_s=5)

    monkeypatch.setattr("raim.server.actions.logins.is_password", be_busy)
    for _ in range(PER_LOGIN_AND_ADDRESS + 1):
        with pytest.raises(NotReadyError):
            enter(database)
    monkeypatch.undo()
    assert enter(database).token is not None


def test_successes_are_not_counted(database, ada):
    for _ in range(PER_LOGIN_AND_ADDRESS + 1):
        assert enter(database).token is not None


@pytest.mark.parametrize(
    ("limit", "row"),
    [
        (PER_ADDRESS, lambda number: (f"login {number}", "192.0.2.1")),
        (PER_LOGIN, lambda number: ("ada", f"198.51.100.{number}")),
    ],
    ids=["an address over many logins", "a login from many addresses"],
)
def test_many_tries_together_are_limited(database, limit, row):
    with database.writing() as session:
        for number in range(limit):
            login, address = row(number)
            if number == limit - 1:
                session.flush()
                assert next_try(session, NOON, key="ada", address="192.0.2.1") is None
            session.add(LoginAttempt(login_key=login, address=address, attempted_at=NOON))
        session.flush()
        assert next_try(session, NOON, key="ada", address="192.0.2.1") == NOON + LOGIN_WINDOW


def test_tries_at_once_do_not_get_round_the_limit(database, ada):
    looked_at = []

    def attempt():
        looked_at.append(enter(database, password="wrong").retry_at is None)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert looked_at.count(True) == PER_LOGIN_AND_ADDRESS
    assert len(looked_at) == 12


def test_an_outdated_hash_is_renewed_at_login(database, ada, monkeypatch):
    monkeypatch.setattr(passwords, "_HASHER", argon2.PasswordHasher(2, 16, 1))
    assert enter(database).token is not None
    with database.reading() as session:
        renewed = session.get_one(User, ada).password_hash
    assert "m=16,t=2" in renewed
    assert enter(database).token is not None


def test_failed_and_good_logins_are_audited(database, ada):
    enter(database, password="wrong")
    token = enter(database).token
    with database.writing() as session:
        log_out(session, NOON, token)
    with database.reading() as session:
        actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["register", "fail to log in", "log in", "log out"]


def test_old_tries_and_sessions_are_forgotten(database, ada):
    enter(database)
    enter(database, NOON + LOGIN_WINDOW)
    with database.writing() as session:
        assert forget_logins(session, NOON + LOGIN_WINDOW) == 1
    with database.writing() as session:
        forget_logins(session, NOON + timedelta(hours=8))
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1


def test_a_login_whose_compared_form_is_longer_logs_in(database):
    login = "ß" * 50  # 100 letters as compared
    with database.writing() as session:
        register(session, NOON, login=login, password_hash=hash_password(PASSWORD))
    assert enter(database, login=login).token is not None
    assert enter(database, login="SS" * 50).token is not None


def test_names_that_no_column_holds_as_compared_are_refused(database, ada):
    long = "\ufdfa" * 20  # each is 18 letters as compared
    with database.writing() as session:
        for name in ({"login": long}, {"login": "bob", "name": long}):
            with pytest.raises(InputError, match="360 characters as it is compared, at most 200"):
                register(session, NOON, password_hash="x", **name)
    assert enter(database, login=long).refused == "login or password is wrong"
