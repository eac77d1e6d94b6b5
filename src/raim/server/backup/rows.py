"""Rows as JSON and back, the same for every database: times in UTC as ISO text, infinite numbers as text.

The types are asked of the table itself, so that a backup of an older schema is read by the tables of that schema.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, DateTime, Float, Integer, String, Table

from raim.errors import BackupError

PLAIN: tuple[tuple[type, type], ...] = ((Boolean, bool), (Integer, int), (Float, float), (String, str))
INFINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def format_row(row: Mapping[str, Any]) -> bytes:
    r"""Write a row as a line of JSON.

    Example:
        >>> format_row({"id": 1, "at": datetime(2026, 3, 1, tzinfo=UTC), "score": math.inf})
        b'{"id":1,"at":"2026-03-01T00:00:00+00:00","score":"inf"}\n'
    """
    plain = {name: _to_plain(value) for name, value in row.items()}
    return (
        json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
    )


def parse_row(line: bytes, table: Table, *, is_sqlite: bool) -> dict[str, Any]:
    """Read a row as a driver takes it.

    Args:
        line: Of JSON.
        table: With the columns that it has to have, all of them and no others.
        is_sqlite: Where it goes: SQLite has times without a zone.

    Raises:
        BackupError: It does not fit the table.
    """
    try:
        plain = json.loads(line)
        _check_columns(plain, table)
        return {
            column.name: _from_plain(plain[column.name], column, is_sqlite=is_sqlite)
            for column in table.columns
        }
    except (ValueError, TypeError, RecursionError) as error:
        raise BackupError(f"a row of the table {table.name} does not fit: {error}") from error


def _check_columns(plain: object, table: Table) -> None:
    if not isinstance(plain, dict) or plain.keys() != set(table.columns.keys()):
        raise TypeError(f"its columns are not those of the table: {str(plain)[:200]}")


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
