"""Bring a database to the schema of this version; the steps lie in `migrations/versions`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.config import Config
from alembic.operations.ops import MigrationScript
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, make_url

from raim.errors import StateError
from raim.server.database.columns import Base
from raim.server.database.engine import MIGRATION_LOCK, Database, open_database

FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Bring a database to the newest schema; one that is new has it already and is left alone.

    Processes that start together wait for each other; a step that fails leaves the schema as it was.

    Example:
        >>> from raim.server.database.engine import open_database
        >>> database = open_database("sqlite://")
        >>> migrate(database.engine)
        >>> schema_version(database.engine) == newest_version()
        True
        >>> database.engine.dispose()
    """
    with engine.execution_options(raim_writes=True).begin() as connection:
        migrate_within(connection)


def migrate_within(connection: Connection, version: str = "head") -> None:
    """Do as `migrate`, in the caller's transaction, which writes.

    Raises:
        StateError: The database is of a version of raim that this one does not know.
    """
    script = scripts()

    def steps(present: Any, _context: MigrationContext) -> Sequence[Any]:
        unknown = set(present) - {each.revision for each in script.walk_revisions()}
        if unknown:
            raise StateError(
                f"this database is of another version of raim, whose tables this one does not read ({min(unknown)}); "
                "serve the folder with that version, or begin with a new folder or database"
            )
        return script._upgrade_revs(version, present)  # noqa: SLF001 - as in Alembic's own command.upgrade

    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, render_as_batch=True, target_metadata=Base.metadata)
        environment.run_migrations()


def schema_version(engine: Engine) -> str | None:
    """Return the version of a database's schema; None if it has none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check_schema(engine: Engine) -> None:
    """Refuse (StateError) a database of another version of raim, or one that no server has brought up yet."""
    found, newest = schema_version(engine), newest_version()
    if found != newest:
        raise StateError(
            f"the database has the schema {found}, this version of raim {newest}; use the version of raim that the "
            "server runs, or start the server once with this one"
        )


@contextmanager
def open_existing(url: str, *, way_out: str = "") -> Iterator[Database]:
    """Open the database of a server as it is, which may run, until the context ends; `way_out` is for who has none.

    Raises:
        StateError: There is none, or it is of another version of raim.
    """
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and not Path(parts.database or "").is_file():
        place = Path(parts.database or "").parent
        raise StateError(f"there is no database {parts.database}; has a server run in {place}?{way_out}")
    database = open_database(url)
    try:
        check_schema(database.engine)
        yield database
    finally:
        database.engine.dispose()


def newest_version() -> str | None:
    """Return the version that `migrate` leads to."""
    return scripts().get_current_head()


def find_schema_changes(connection: Connection) -> MigrationScript:
    """Return what is to be done so that a database has the tables of this version."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return produce_migrations(context, Base.metadata)


def scripts() -> ScriptDirectory:
    """Return the steps of migration."""
    return ScriptDirectory(str(FOLDER), file_template="step_%(rev)s_%(slug)s")
