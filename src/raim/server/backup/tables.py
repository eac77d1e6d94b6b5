"""The rows of a backup, as JSON and back into an empty database, in the caller's transaction.

JSON is the same for every database: times in UTC as ISO text, infinite numbers as text. Rows go into the tables of the
schema that the backup has, which are asked for their types; they are brought to the newest schema afterwards.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from raim.errors import BackupError
from raim.server.backup.manifest import TABLES
from raim.server.backup.opening import Backup, read_member
from raim.server.database.migration import migrate_within, scripts

ROWS_AT_ONCE = 500
OWN_TABLE = "alembic_version"
Row = dict[str, Any]
PLAIN: tuple[tuple[type, type], ...] = ((Boolean, bool), (Integer, int), (Float, float), (String, str))
INFINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def check_backup_schema(version: str) -> None:
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
    names = inspector.get_schema_names()
    own = [each for each in names if each != "information_schema" and not each.startswith("pg_")]
    return sorted(f"{schema}.{name}" for schema in own for name in inspector.get_table_names(schema=schema))


def restore_rows(connection: Connection, backup: Backup) -> None:
    """Make the tables, which are not there yet, bring in the rows, and bring the tables to the newest schema.

    Raises:
        BackupError: Rows do not fit the tables, or are fewer or more than the manifest says.
    """
    migrate_within(connection, backup.manifest.schema)
    metadata = MetaData()
    metadata.reflect(connection)
    unknown = backup.manifest.tables.keys() - (metadata.tables.keys() - {OWN_TABLE})
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
    lines = read_member(backup, member, by_line=True)
    rows: Iterable[Row] = (_parse_row(line, table, is_sqlite=is_sqlite) for line in lines)
    if _own_references(table):
        rows = put_in_order(list(rows), table)
    try:
        for batch in batches(rows):
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


def put_in_order(rows: list[Row], table: Table) -> Iterator[Row]:
    """Put rows that others of the table refer to before those."""
    (key,) = (column.name for column in table.primary_key.columns)
    by_key = {row[key]: row for row in rows}
    before = {row[key]: {row[name] for name in _own_references(table)} - {None} for row in rows}
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise BackupError(f"rows of the table {table.name} refer to each other in a circle") from error
    if len(by_key) != len(rows):
        raise BackupError(f"the table {table.name} has two rows with one key")
    return (by_key[each] for each in order if each in by_key)


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows by 500."""
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


def format_row(row: Mapping[str, Any]) -> bytes:
    r"""Write a row as a line of JSON.

    Example:
        >>> format_row({"id": 1, "at": datetime(2026, 3, 1, tzinfo=UTC), "score": math.inf})
        b'{"id":1,"at":"2026-03-01T00:00:00+00:00","score":"inf"}\n'
    """
    plain = {name: _to_plain(value) for name, value in row.items()}
    line = json.dumps(plain, separators=(",", ":"), ensure_ascii=False) + "\n"
    return line.encode("utf-8", "surrogatepass")


def _parse_row(line: bytes, table: Table, *, is_sqlite: bool) -> Row:
    """Read a row as a driver takes it: SQLite has times without a zone."""
    try:
        plain = json.loads(line)
        if not isinstance(plain, dict) or plain.keys() != set(table.columns.keys()):
            raise TypeError(f"its columns are not those of the table: {str(plain)[:200]}")  # noqa: TRY301
        columns = {column.name: column for column in table.columns}
        return {
            name: _from_plain(plain[name], column, is_sqlite=is_sqlite) for name, column in columns.items()
        }
    except (ValueError, TypeError, RecursionError) as error:
        raise BackupError(f"a row of the table {table.name} does not fit: {error}") from error


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _from_plain(value: Any, column: "Column[Any]", *, is_sqlite: bool) -> Any:
    if value is None:
        return None
    kind = column.type
    if isinstance(kind, JSON):
        return value
    if isinstance(kind, DateTime):
        return _time(value, is_sqlite=is_sqlite)
    if isinstance(kind, Float) and isinstance(value, str):
        return INFINITE[value]
    if isinstance(kind, Float) and type(value) is int:
        return float(value)
    if type(value) is next((python for sql, python in PLAIN if isinstance(kind, sql)), None):
        return value
    raise TypeError(f"{column.name} is {str(value)[:80]!r}, which is no {kind}")


def _time(value: Any, *, is_sqlite: bool) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"the time {value!r} has no zone")
    moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None) if is_sqlite else moment
