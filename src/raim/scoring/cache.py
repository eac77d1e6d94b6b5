"""Measured values, kept by content: the same pair under the same definition is never computed twice.

A value's key is made from the SHA-256 of both files and of everything that its number depends on (measure, options,
border, weights, engine, version of our definitions), so a profile with other weights in its SCORE shares the values of
another, and nothing stale can be found. One SQLite file in the user's cache directory; only the scoring's main
process writes values to it, one image at a time, which is also what makes an interrupted scoring resume.
"""

import functools
import importlib.metadata
import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock

from raim.metrics import MEASURES
from raim.runs import fingerprint
from raim.scoring.pairs import Measured
from raim.scoring.profiles import MeasureChoice, Profile
from raim.weights import weights_sha256

DEFINITIONS_VERSION = 1  # raise it when a change in raim.metrics changes a number
BUSY_TIMEOUT_S = 30.0
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def measure_definition(
    choice: MeasureChoice, border_px: int, device: str, engine: str = "auto"
) -> dict[str, Any]:
    """Return all that a measured value depends on, as plain values.

    Example:
        >>> choice = MeasureChoice(name="psnr", options={"colour": "y"}, weight=20, zero_at=0, one_at=50)
        >>> measure_definition(choice, 4, "cpu")
        {'options': {'colour': 'y'}, 'border_px': 4, 'weights': {}, 'engine': None}
    """
    measure = MEASURES[choice.name]
    return {
        "options": dict(choice.options),
        "border_px": border_px,
        "weights": {name: weights_sha256(name) for name in measure.weights(choice.options)},
        "engine": describe_engine(device, engine) if measure.each_form else None,
    }


def profile_weights(profile: Profile) -> dict[str, str]:
    """Return the SHA-256 of every set of weights that a profile uses."""
    names = [name for choice in profile.measures for name in MEASURES[choice.name].weights(choice.options)]
    return {name: weights_sha256(name) for name in names}


@functools.cache
def describe_engine(device: str, engine: str = "auto") -> str:
    """Name the engine of the convolutions on a device, with the version of what makes its products."""
    from raim.networks.amx import has_amx
    from raim.networks.features import choose_engine

    name = choose_engine(engine, device=device)
    if name == "fast" and has_amx():
        return "fast on AMX"
    library = {"winograd": "numpy", "fast": "ncnn"}.get(name, name)
    made = f"{name}{'' if library == name else f' by {library}'} {importlib.metadata.version(library)}"
    return made if device == "cpu" else f"{made} on {device}"


def value_key(
    *, measure: str, restored_sha256: str, reference_sha256: str | None, definition: Mapping[str, Any]
) -> str:
    """Make the key of one measured value from its files' hashes and all else that the number depends on.

    Example:
        >>> value_key(measure="niqe", restored_sha256="ab", reference_sha256=None, definition={})[:8]
        '7863a5ac'
    """
    return fingerprint(DEFINITIONS_VERSION, measure, restored_sha256, reference_sha256, definition)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownValue:
    """What is kept of one measure of one restored file."""

    measured: Measured  # a value, or the reason why there is none
    warnings: tuple[str, ...] = ()  # of decoding the file

    def as_record(self) -> dict[str, Any]:
        """Return the form that is kept."""
        measured = {key: getattr(self.measured, key) for key in ("value", "unscored", "warning")}
        return {"measured": measured, "warnings": list(self.warnings)}


def read_measured(record: Mapping[str, Any] | None, measure: str) -> KnownValue | None:
    """Read what `KnownValue.as_record` gave; None for anything else, which is measured again and so replaced."""
    try:
        known = KnownValue(measured=Measured(**record["measured"]), warnings=tuple(record["warnings"]))  # type: ignore[index]
    except (TypeError, KeyError):
        return None
    value, texts = known.measured.value, (known.measured.unscored, known.measured.warning)
    is_whole = (
        known.as_record() == record
        and all(isinstance(text, str) for text in (*known.warnings, *texts) if text is not None)
        and (value is None) == (known.measured.unscored is not None)
        and (value is None or isinstance(value, float))
        and (value is None or math.isfinite(value) or (measure == "psnr" and value == math.inf))
    )
    return known if is_whole else None


class _DamagedError(sqlite3.DatabaseError):
    """What SQLite's own check says is damaged."""


class ValueCache:
    """A file of measured values; `path` None keeps none.

    Trouble with the file never stops a scoring: values are then not kept, and `trouble` says why. A damaged file is put
    aside and begun again, unless the cache is only read.

    Attributes:
        trouble: What to know of the file, with the way out; None if there is nothing.

    Example:
        >>> with ValueCache(None) as cache:
        ...     cache.put({"key": {"value": 1.5}})
        ...     cache.get("key") is None
        True
        >>> ValueCache(Path("/proc/none/scores.sqlite")).trouble
        'measured values are not kept (/proc/none: ...); set RAIM_CACHE_DIR to a folder of yours, or use --no-cache'
    """

    def __init__(self, path: Path | None, *, is_read_only: bool = False) -> None:
        self.trouble: str | None = None
        self._path = path
        self._is_read_only = is_read_only
        self._database: sqlite3.Connection | None = None
        self._attempt(lambda _: None)

    def __enter__(self) -> "ValueCache":  # noqa: PYI034 - the test run's type checker reads no Self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the record of that key, or None."""
        select = "SELECT record FROM measured WHERE key = ?"
        row = self._attempt(lambda database: database.execute(select, (key,)).fetchone())
        try:
            return None if row is None else dict(json.loads(row[0], parse_float=_read_number))
        except (ValueError, TypeError):  # damaged: measured again, and then replaced
            return None

    def put(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep records for good, in one transaction."""
        rows = [(key, json.dumps(record)) for key, record in records.items()]

        def insert(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("INSERT OR REPLACE INTO measured VALUES (?, ?)", rows)

        if rows:
            self._attempt(insert)

    def _attempt(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do something with the file, opened if need be; where it turns out damaged, once more with a new one."""
        for may_be_damaged in (not self._is_read_only, False):
            if self._path is None:
                return None
            try:
                self._database = self._database or self._open(self._path)
                return work(self._database)
            except (OSError, sqlite3.Error) as error:
                self._close()
                if not (may_be_damaged and _is_damage(error)):
                    self._give_up(error)
        return None

    def _open(self, path: Path) -> sqlite3.Connection:
        if self._is_read_only:
            return _connect(path, mode="rw")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two that make or replace it would disturb each other.
        with FileLock(path.with_name(f"{path.name}.lock")):
            try:
                return _connect_checked(path)
            except sqlite3.Error as error:
                if not _is_damage(error):
                    raise
            # Before a new file can have its own.
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            path.replace(path.with_name(f"{path.name}.damaged"))
            self.trouble = (
                f"{path} was damaged: it is now {path.name}.damaged, and known values were begun again"
            )
            return _connect_checked(path)

    def _give_up(self, error: OSError | sqlite3.Error) -> None:
        reason = (
            f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else f"{self._path}: {error}"
        )
        self._path = None
        way_out = "set RAIM_CACHE_DIR to a folder of yours, or use --no-cache"
        self.trouble = f"measured values are not kept ({reason}); {way_out}"

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _connect(path: Path, *, mode: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", timeout=BUSY_TIMEOUT_S, uri=True)
    database.text_factory = bytes  # what is damaged may be no text
    return database


def _connect_checked(path: Path) -> sqlite3.Connection:
    """Open the file, made if need be, and refuse it where SQLite finds it damaged."""
    database = _connect(path, mode="rwc")
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE IF NOT EXISTS measured (key TEXT PRIMARY KEY, record TEXT NOT NULL)")
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != b"ok":
            raise _DamagedError(found)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _read_number(text: str) -> float:
    """Read a number of JSON; one that is beyond all floats is none, "Infinity" is."""
    if math.isinf(number := float(text)):
        raise ValueError(text)
    return number


def _is_damage(error: OSError | sqlite3.Error) -> bool:
    """Return whether that error means a damaged file."""
    return isinstance(error, _DamagedError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED
