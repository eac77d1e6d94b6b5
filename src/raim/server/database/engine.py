"""A database with two ways in: transactions that read, and transactions that write one after another.

SQLite: write-ahead log, so that readers never wait for the writer; foreign keys are held; a transaction that
will write says so at its beginning (BEGIN IMMEDIATE) and waits its turn for up to 30 s, since one that turns
from reading to writing in its middle can only fail. Those of one process take turns among themselves before that: who
waits for SQLite looks again after up to 0.1 s, and whoever comes just then goes first. PostgreSQL: READ COMMITTED, and
rows that decide are locked (`with_for_update`) by those functions that need it.

Whatever changes what is kept (boards, charts, results, the dates in force) raises `challenge.version` in its own
transaction, as the last thing before the commit: so the row is locked for a moment only, and whoever reads the new
number reads the change too.
"""

import functools
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text, update
from sqlalchemy.orm import Session

from raim.server.database.challenge import Challenge

BUSY_TIMEOUT_MS = 30_000
# As many connections as the web server has threads, one a request; who finds none within a moment is asked to wait.
POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": 30, "pool_timeout": 5}
CHANGED, TURN = "raim_changed", "raim_turn"

# A host that is cut off, or stands still, says nothing. Both ends of a connection to PostgreSQL give the other up in
# a minute: by default that takes hours, while the rows that it has locked are nobody's to change.
CONNECTION = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
SESSION = {
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30s",
}

# Locks of PostgreSQL are numbers, shared by all programs on one database: any that no other is likely to take.
MIGRATION_LOCK = 7_246_001
ACCOUNTS_LOCK = 7_246_002
LOGINS_LOCK = 7_246_003
HOSTS_LOCK = 7_246_004
MAIL_LOCK = 7_246_005
STORAGE_LOCK = 7_246_006
FOLDER_LOCK = 7_246_007
PLACING_LOCK = 7_246_008
BUNDLES_LOCK = 7_246_009


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """An opened database; `engine` begins reading transactions on SQLite."""

    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose changes are dropped at its end."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that is committed at its end, or rolled back by an exception."""
        with WritingSession(self.engine.execution_options(raim_writes=True)) as session:
            yield session
            session.commit()


class WritingSession(Session):
    """A session that raises the version of what is kept, last in each transaction that has announced a change."""

    def commit(self) -> None:
        """End the transaction."""
        changed: set[int | None] = self.info.pop(CHANGED, set())
        if changed:
            self.flush()
            raised = update(Challenge).values(version=Challenge.version + 1)
            if None not in changed:
                raised = raised.where(Challenge.id.in_(changed))
            self.execute(raised.execution_options(synchronize_session=False))
        super().commit()


def announce_change(session: Session, challenge_id: int | None) -> None:
    """Have a challenge's version raised when this writing transaction is committed; without an id, all challenges'."""
    session.info.setdefault(CHANGED, set()).add(challenge_id)


def open_database(url: str) -> Database:
    """Open a database by its SQLAlchemy URL; a SQLite file is made if it is not there.

    Example:
        >>> database = open_database("sqlite://")
        >>> database.engine.dialect.name
        'sqlite'
        >>> database.engine.dispose()
    """
    engine = create_engine(
        url,
        pool_pre_ping=not url.startswith("sqlite"),
        hide_parameters=True,  # e-mails and hashes in a traceback
        connect_args=connection_options(url),
        **({} if url == "sqlite://" else POOL),
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        turn = threading.Lock()
        event.listen(engine, "begin", functools.partial(_begin_sqlite, turn))
        for end in ("checkin", "invalidate", "close"):  # after the commit, however the connection comes back
            event.listen(engine, end, lambda *given: _end_turn(turn, given[1].info))
    return Database(engine=engine)


def connection_options(url: str) -> dict[str, Any]:
    """Return how connections to PostgreSQL are watched, but for what their URL says itself; nothing on SQLite.

    Example:
        >>> found = connection_options("postgresql://db/raim?tcp_user_timeout=9000&options=-csearch_path%3Draim")
        >>> "tcp_user_timeout" in found, found["keepalives_idle"], found["options"][-19:]
        (False, 15, ' -csearch_path=raim')
    """
    parts = make_url(url)
    if parts.get_backend_name() != "postgresql":
        return {}
    options = [*(f"-c {name}={value}" for name, value in SESSION.items()), parts.query.get("options", "")]
    own = {name: value for name, value in CONNECTION.items() if name not in parts.query}
    return own | {"options": " ".join(map(str, options)).strip()}


def take_turn(session: Session, lock: int) -> None:
    """Let only one transaction at a time pass here, until its end; on SQLite a writing one is alone anyway.

    For what no row lock can guard: a count, or a row that is not there yet. `lock` is one of the numbers above.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


@contextmanager
def try_turn(database: Database, lock: int) -> Iterator[bool]:
    """Say whether it is this process that does something now, of all hosts, until the context ends."""
    if database.engine.dialect.name == "sqlite":
        yield True
        return
    with database.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        is_ours = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": lock}))
        try:
            yield is_ours
        finally:
            if is_ours:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": lock})


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, and only at the first INSERT; _begin_sqlite does it instead.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()
    _keep_log(connection)
    connection.execute("PRAGMA foreign_keys = ON").close()
    # A committed try or score outlives a power cut.
    connection.execute("PRAGMA synchronous = FULL").close()


def _keep_log(connection: Any) -> None:
    # The one change that does not wait for its turn: two processes that open a new file at once need this loop.
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(turn: threading.Lock, connection: Connection) -> None:
    if not connection.get_execution_options().get("raim_writes", False):
        connection.exec_driver_sql("BEGIN")
        return
    if TURN not in connection.info:
        connection.info[TURN] = turn.acquire(
            timeout=BUSY_TIMEOUT_MS / 1000
        )  # SQLite has the last word anyway
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except BaseException:
        _end_turn(turn, connection.info)
        raise


def _end_turn(turn: threading.Lock, info: dict[Any, Any]) -> None:
    if info.pop(TURN, False):
        turn.release()
