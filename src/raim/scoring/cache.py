"""Measured values, kept by content: the same pair under the same definition is never computed twice.

A value's key is made from the SHA-256 of both files and of everything that its number depends on (measure, options,
border, weights, engine, version of our definitions), so a profile with other weights in its SCORE shares the values of
another, and nothing stale can be found. One SQLite file in the user's cache directory; only the scoring's main
process writes to it, one image at a time, which is also what makes an interrupted scoring resume.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

DEFINITIONS_VERSION = 1  # raise it when a change in raim.metrics changes a number
BUSY_TIMEOUT_S = 30.0


def value_key(
    *, measure: str, restored_sha256: str, reference_sha256: str | None, definition: Mapping[str, Any]
) -> str:
    """Make the key of one measured value.

    Args:
        measure: Its name.
        restored_sha256: Of the restored file's bytes.
        reference_sha256: Of the reference file's bytes; None for a measure without reference.
        definition: Everything else that the number depends on, as plain values.

    Example:
        >>> value_key(measure="niqe", restored_sha256="ab", reference_sha256=None, definition={})[:8]
        '7863a5ac'
    """
    parts = [DEFINITIONS_VERSION, measure, restored_sha256, reference_sha256, definition]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class ValueCache:
    """A file of measured values; `path` None keeps none.

    Example:
        >>> with ValueCache(None) as cache:
        ...     cache.put({"key": {"value": 1.5}})
        ...     cache.get("key") is None
        True
    """

    def __init__(self, path: Path | None) -> None:
        self._database: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS measured (key TEXT PRIMARY KEY, record TEXT NOT NULL)"
            )

    def __enter__(self) -> "ValueCache":  # noqa: PYI034 - the test run's type checker reads no Self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.close()

    def get(self, key: str) -> dict[str, Any] | None:
        """Give the record of that key, or None."""
        if self._database is None:
            return None
        row = self._database.execute("SELECT record FROM measured WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep records for good, in one transaction."""
        if self._database is None or not records:
            return
        with self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO measured VALUES (?, ?)",
                [(key, json.dumps(record)) for key, record in records.items()],
            )
