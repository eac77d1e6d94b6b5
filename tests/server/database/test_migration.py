import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Integer, inspect

from raim.errors import StateError
from raim.server.database import Base, migrate, open_database
from raim.server.database.migration import newest_version, schema_version


def compare(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, Base.metadata)


def constraints(engine, kind):
    with engine.connect() as connection:
        look = inspect(connection)
        listing = {
            "check": look.get_check_constraints,
            "foreign": look.get_foreign_keys,
            "unique": look.get_unique_constraints,
        }[kind]
        return {
            table: sorted(one["name"] for one in listing(table))
            for table in look.get_table_names()
            if table != "alembic_version"
        }


def test_the_migrated_schema_is_that_of_the_tables(database):
    assert compare(database.engine) == []


def test_the_comparison_sees_a_new_column(database):
    extra = Column("extra", Integer)
    Base.metadata.tables["team"].append_column(extra)
    try:
        assert [change[0] for change in compare(database.engine)] == ["add_column"]
    finally:
        Base.metadata.tables["team"]._columns.remove(extra)
    assert compare(database.engine) == []


def test_constraints_that_the_comparison_does_not_see_are_there_too(database, tmp_path):
    made = open_database(f"sqlite:///{tmp_path / 'made.db'}")
    Base.metadata.create_all(made.engine)
    for kind in ("check", "foreign", "unique"):
        found = constraints(database.engine, kind)
        assert found == constraints(made.engine, kind)
        assert sum(map(len, found.values())) > 8
    made.engine.dispose()


def test_migrating_twice_changes_nothing(empty_database):
    assert schema_version(empty_database.engine) is None
    migrate(empty_database.engine)
    migrate(empty_database.engine)
    assert schema_version(empty_database.engine) == newest_version()


def test_processes_that_start_together_migrate_once(database_url):
    errors = []

    def start():
        database = open_database(database_url)
        try:
            migrate(database.engine)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)
        finally:
            database.engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_database_of_another_version_is_refused_with_a_sentence(empty_database):
    migrate(empty_database.engine)
    with empty_database.engine.execution_options(raim_writes=True).begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(
        StateError, match=r"another version of raim.*\(0002\); serve the folder with that version"
    ):
        migrate(empty_database.engine)
