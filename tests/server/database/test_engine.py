import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from patience import PATIENCE_S
from raim.server.database import Appointment, AuditEvent, LoginSession, User, engine, open_database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def person(login="ada"):
    return User(login=login, login_key=login, name=login, password_hash="x", created_at=NOON)


def test_times_go_in_with_any_zone_and_come_out_in_utc(database):
    tokyo = timezone(timedelta(hours=9))
    with database.writing() as session:
        session.add(person())
        session.flush()
        session.execute(update(User).values(created_at=NOON.astimezone(tokyo)))
    with database.reading() as session:
        found = session.scalars(select(User.created_at)).one()
        same = session.scalars(select(User.id).where(User.created_at == NOON.astimezone(tokyo))).all()
    assert found == NOON
    assert found.tzinfo is UTC
    assert len(same) == 1


def test_microseconds_order_times(database):
    moments = [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(seconds=1)]
    with database.writing() as session:
        for number, moment in enumerate(moments):
            session.add(person(str(number)))
            session.flush()
            session.execute(update(User).where(User.login == str(number)).values(created_at=moment))
    with database.reading() as session:
        later = session.scalars(select(User.login).where(User.created_at > NOON).order_by(User.created_at))
        assert later.all() == ["1", "2"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_stands_still_in_the_middle_of_a_transaction_holds_up_nobody_for_good(database):
    with pytest.raises(DBAPIError, match="idle-in-transaction") as caught, database.writing() as still:
        still.add(person())
        still.flush()
        still.execute(text("SET LOCAL idle_in_transaction_session_timeout = '200ms'"))  # in place of a minute
        with database.writing() as session:
            session.add(person())  # of the same login, so it waits for the other to end
    assert caught.value.connection_invalidated  # so a worker tries again, as after a restart
    with database.reading() as session:
        assert session.scalars(select(User.login)).all() == ["ada"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_connections_to_another_host_are_given_up_by_both_ends(database_url):
    opened = open_database(f"{database_url}&keepalives_idle=7")
    with opened.reading() as session:
        known = session.connection().connection.driver_connection.info.get_parameters()
        limit = session.scalar(text("SHOW idle_in_transaction_session_timeout"))
    opened.engine.dispose()
    assert (known["keepalives_idle"], known["keepalives_count"], known["tcp_user_timeout"]) == (
        "7",
        "3",
        "30000",
    )
    assert limit == "1min"


def test_a_time_without_a_zone_is_refused(database):
    with pytest.raises(StatementError, match="has no time zone"), database.writing() as session:
        user = person()
        user.created_at = datetime(2026, 3, 1)  # noqa: DTZ001 - what is refused
        session.add(user)


def test_an_exception_rolls_the_whole_transaction_back(database):
    with pytest.raises(RuntimeError), database.writing() as session:
        session.add(person())
        session.flush()
        raise RuntimeError
    with database.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_foreign_keys_are_held(database):
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(LoginSession(user_id=9, token_sha256="0" * 64, created_at=NOON, expires_at=NOON))


def test_checks_are_held(database):
    with pytest.raises(IntegrityError, match="ck_appointment_office"), database.writing() as session:
        user = person()
        session.add(user)
        session.flush()
        session.add(Appointment(challenge_id=1, user_id=user.id, office="king", appointed_at=NOON))


def test_an_audit_event_is_never_changed(database):
    with database.writing() as session:
        session.add(AuditEvent(happened_at=NOON, action="log in", subject="user", details={}))
    with (
        pytest.raises(Exception, match="rows of audit_event are never changed"),
        database.writing() as session,
    ):
        session.execute(update(AuditEvent).values(action="nothing"))


def test_an_address_of_the_log_can_be_forgotten_and_not_changed(database):
    with database.writing() as session:
        session.add(
            AuditEvent(happened_at=NOON, action="log in", subject="user", address="192.0.2.1", details={})
        )
    for values in ({"address": "192.0.2.2"}, {"address": None, "action": "nothing"}):
        with (
            pytest.raises(Exception, match="rows of audit_event are never changed"),
            database.writing() as session,
        ):
            session.execute(update(AuditEvent).values(**values))
    with database.writing() as session:
        session.execute(update(AuditEvent).values(address=None))
        assert session.scalars(select(AuditEvent)).one().address is None


def test_a_reader_goes_on_while_another_writes(database):
    with database.writing() as writer:
        writer.add(person())
        writer.flush()
        with database.reading() as reader:
            assert reader.scalars(select(User)).all() == []


def test_writers_wait_for_each_other(database):
    """Each reads the number of users and adds one: none is lost, none fails with a locked database."""
    with database.writing() as session:
        session.execute(text("CREATE TABLE counter (value INTEGER)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))

    def count():
        for _ in range(10):
            with database.writing() as session:
                session.execute(text("UPDATE counter SET value = value + 1"))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalar(text("SELECT value FROM counter")) == 40
    with database.writing() as session:
        session.execute(text("DROP TABLE counter"))


def test_a_writer_asks_sqlite_only_when_the_one_before_it_has_ended(tmp_path):
    database, begun = open_database(f"sqlite:///{tmp_path}/raim.db"), []
    asked = lambda _connection, _cursor, statement, *_: begun.append(statement)  # noqa: E731
    event.listen(database.engine, "before_cursor_execute", asked)

    def write():
        with database.writing() as session:
            session.execute(text("CREATE TABLE IF NOT EXISTS kept (number INTEGER)"))

    waiting = threading.Thread(target=write)
    with database.writing() as session:
        session.execute(text("SELECT 1"))
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
        assert begun.count("BEGIN IMMEDIATE") == 1
    waiting.join(timeout=PATIENCE_S)
    assert begun.count("BEGIN IMMEDIATE") == 2
    database.engine.dispose()


def test_a_writer_that_cannot_begin_gives_its_turn_back(tmp_path, monkeypatch):
    turns, end = [], engine._end_turn
    monkeypatch.setattr(engine, "_end_turn", lambda turn, info: (turns.append(turn), end(turn, info)))
    database = open_database(f"sqlite:///{tmp_path}/raim.db")
    with database.reading() as session:
        session.execute(text("PRAGMA busy_timeout = 10"))  # of the one connection
    other = sqlite3.connect(tmp_path / "raim.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), database.writing() as session:
        session.execute(text("SELECT 1"))
    assert not turns[-1].locked()
    other.execute("ROLLBACK")
    with database.writing() as session:
        session.execute(text("SELECT 1"))
        assert turns[-1].locked()
    assert not turns[-1].locked()
    other.close()
    database.engine.dispose()


def test_sqlite_keeps_a_write_ahead_log_on_disk(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'raim.db'}")
    with database.reading() as session:
        assert session.scalar(text("PRAGMA busy_timeout")) == 30_000
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.engine.dispose()
    plain = sqlite3.connect(tmp_path / "raim.db")
    assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
