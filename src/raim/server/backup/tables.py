"""The rows of a backup into an empty database, in the caller's transaction.

They go into the tables of the schema that the backup has; the database is brought to the newest one afterwards.
"""

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Connection, MetaData, Table, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from raim.errors import BackupError
from raim.server.backup.manifest import TABLES
from raim.server.backup.opening import Backup, read_lines
from raim.server.backup.rows import parse_row
from raim.server.database.migration import migrate_within, scripts

ROWS_AT_ONCE = 500
OWN_TABLE = "alembic_version"
Row = dict[str, Any]


def check_schema(version: str) -> None:
    """Refuse a backup of a newer raim.

    Raises:
        BackupError: Its schema is not known here.
    """
    known = {each.revision for each in scripts().walk_revisions()}
    if version not in known:
        raise BackupError(
            f"the backup has the schema {version!r}, this version of raim knows {', '.join(sorted(known))}: it was "
            "made with a newer raim; recover it with that one (pip install --upgrade raim)"
        )


def find_tables(connection: Connection) -> list[str]:
    """Name the tables of a database, in every schema of its own."""
    inspector = inspect(connection)
    own = [
        each
        for each in inspector.get_schema_names()
        if each != "information_schema" and not each.startswith("pg_")
    ]
    return sorted(f"{schema}.{name}" for schema in own for name in inspector.get_table_names(schema=schema))


def restore_rows(connection: Connection, backup: Backup) -> None:
    """Make the tables, bring in the rows, and bring the tables to the newest schema.

    Args:
        connection: In a transaction that writes, to a database without tables.
        backup: Its schema is known here.

    Raises:
        BackupError: Rows do not fit the tables, or are fewer or more than the manifest says.
    """
    migrate_within(connection, backup.manifest.schema)
    metadata = MetaData()
    metadata.reflect(connection)
    unknown = backup.manifest.tables.keys() - metadata.tables.keys() | (
        backup.manifest.tables.keys() & {OWN_TABLE}
    )
    if unknown:
        raise BackupError(f"the backup has tables that its schema has not: {', '.join(sorted(unknown))}")
    for table in metadata.sorted_tables:
        if table.name in backup.manifest.tables:
            _restore_table(connection, backup, table)
    if connection.dialect.name == "postgresql":
        _advance_sequences(connection, metadata)
    migrate_within(connection)


def _restore_table(connection: Connection, backup: Backup, table: Table) -> None:
    for column in table.columns:
        if isinstance(column.type, JSON):
            column.type.none_as_null = True  # else None would be JSON's null, which is not SQL's
    name = f"{TABLES}{table.name}.jsonl"
    member = next(each for each in backup.manifest.members if each.name == name)
    is_sqlite = connection.dialect.name == "sqlite"
    rows: Iterable[Row] = (parse_row(line, table, is_sqlite=is_sqlite) for line in read_lines(backup, member))
    if _own_references(table):
        rows = _put_in_order(list(rows), table)
    try:
        for batch in _batches(rows):
            connection.execute(table.insert(), batch)
        found = connection.scalar(select(func.count()).select_from(table))
    except (SQLAlchemyError, OverflowError, UnicodeError) as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise BackupError(f"{backup.path}: rows of the table {table.name} do not fit: {why}") from error
    if found != backup.manifest.tables[table.name]:
        raise BackupError(
            f"{backup.path}: the table {table.name} has {found} rows, the manifest says "
            f"{backup.manifest.tables[table.name]}"
        )


def _own_references(table: Table) -> list[str]:
    """Name the columns with which a table refers to itself."""
    return [each.parent.name for each in table.foreign_keys if each.column.table is table]


def _put_in_order(rows: list[Row], table: Table) -> Iterator[Row]:
    """Put rows that others of the table refer to before those."""
    (key,) = (column.name for column in table.primary_key.columns)
    by_key = {row[key]: row for row in rows}
    sorter = TopologicalSorter(
        {row[key]: {row[name] for name in _own_references(table)} - {None} for row in rows}
    )
    try:
        order = list(sorter.static_order())
    except CycleError as error:
        raise BackupError(f"rows of the table {table.name} refer to each other in a circle") from error
    if len(by_key) != len(rows):
        raise BackupError(f"the table {table.name} has two rows with one key")
    return (by_key[each] for each in order if each in by_key)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, ROWS_AT_ONCE)):
        yield batch


def _advance_sequences(connection: Connection, metadata: MetaData) -> None:
    """Let new rows have numbers after those that came with theirs; SQLite does it by itself."""
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        if len(keys) != 1 or table.name == OWN_TABLE:
            continue
        sequence = connection.scalar(
            text("SELECT pg_get_serial_sequence(:name, :key)"), {"name": table.name, "key": keys[0].name}
        )
        highest = connection.scalar(select(func.max(keys[0]))) if sequence else None
        if highest is not None:
            connection.execute(text("SELECT setval(:name, :value)"), {"name": sequence, "value": highest})
