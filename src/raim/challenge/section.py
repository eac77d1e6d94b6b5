"""One table of challenge.toml while it is read: each value is asked for by its key, every fault is collected.

A value that is missing or wrong leaves a fault, and an empty value of the right type in its place, so that the
rest of the table is still looked at; `finish` then says that the record made of it is not to be used.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path, PurePath
from typing import Any, TypeVar, cast, get_args
from zoneinfo import ZoneInfo

from raim.challenge.locating import KeyPath
from raim.challenge.problem import UnplacedProblem

MISSPELT = 0.6  # similarity (difflib ratio) from which an unknown key is taken for a misspelt known one
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
Kind = type | tuple[type, ...]
LONGEST_IDENTIFIER = 80  # as long as the server's database stores
LARGEST_INTEGER = 2**31 - 1  # as large as a whole number of the server's database
# Further dates could not be shown in every zone, or with the days around them.
YEARS = range(2000, 3000)
_MISSING: Any = object()
Chosen = TypeVar("Chosen", bound=str)


def is_identifier(text: str) -> bool:
    """Return whether a text can be an id: it becomes part of addresses.

    Example:
        >>> is_identifier("night-2026"), is_identifier("Night")
        (True, False)
    """
    return _IDENTIFIER.fullmatch(text) is not None and len(text) <= LONGEST_IDENTIFIER


class Section:
    """A table of the file.

    Args:
        table: What tomllib read.
        path: Where the table is in the file.
        folder: Where the file lies; texts in files of their own are looked for there.
        faults: Every fault is added here.
        is_closed: Whether the file may name nothing outside of its folder: whoever wrote it is not trusted.
    """

    def __init__(
        self,
        table: Mapping[str, Any],
        path: KeyPath,
        folder: Path,
        faults: list[UnplacedProblem],
        *,
        is_closed: bool = False,
    ) -> None:
        self.table = table
        self.path = path
        self.folder = folder
        self.faults = faults
        self.is_closed = is_closed
        self.asked: set[str] = set()
        self.is_fine = True

    def fail(self, key: str, message: str) -> None:
        """Add a fault at a key."""
        self.faults.append(UnplacedProblem(path=(*self.path, key), message=message))
        self.is_fine = False

    def finish(self) -> bool:
        """Report the keys that nobody asked for; say whether all values were usable."""
        is_fine = self.is_fine
        for key in self.table:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, n=1, cutoff=MISSPELT)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(self.asked))}"
                self.fail(key, f"{self.where}has no key {key!r}{hint}")
        return is_fine

    @property
    def where(self) -> str:
        """The table's name for messages, such as `[phase] 2 `; empty at the top of the file."""
        names = [f"[{part}]" if isinstance(part, str) else str(part + 1) for part in self.path]
        return " ".join(names) + " " if names else "the file "

    def take(self, key: str, kind: Kind, expected: str, default: Any = _MISSING) -> Any:
        """Return the value of a key if it has the type, the default if it is missing, None with a fault otherwise."""
        self.asked.add(key)
        if key not in self.table:
            if default is _MISSING:
                self.fail(key, f"{self.where}has no {key!r}; expected {expected}")
                return None
            return default
        value = self.table[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(key, f"{key} is {name_value(value)}; expected {expected}")
            return None
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """Read a text; one without a default must not be empty."""
        value = self.take(key, str, 'a text in quotes, such as "A name"', _or_missing(default))
        if value is not None and default is None and not value.strip():
            self.fail(key, f"{key} is empty; expected a text")
        return self._without_nul(key, value or "")

    def _without_nul(self, key: str, value: str) -> str:
        """Refuse the character that neither paths nor the server's database can hold."""
        if "\0" not in value:
            return value
        self.fail(key, f"{key} holds the character NUL; remove it")
        return ""

    def place(self, key: str, default: str | None = None) -> str:
        """Read where a file or folder lies."""
        return self._within(key, self.text(key, default))

    def _within(self, key: str, value: str) -> str:
        """Refuse a place outside of a closed folder."""
        if not self.is_closed or not (PurePath(value).is_absolute() or ".." in PurePath(value).parts):
            return value
        self.fail(
            key,
            f"{key} is {value!r}, which leads out of the challenge's folder; put the files into it and name them "
            "from there",
        )
        return ""

    def markdown(self, key: str, default: str | None = None) -> str:
        """Read a text in Markdown: the value itself, or the file that it names if it ends in .md."""
        value = self.text(key, default)
        if "\n" in value or not value.endswith(".md") or not self._within(key, value):
            return value
        try:
            return self._without_nul(key, (self.folder / value).read_text(encoding="utf-8-sig"))
        except OSError as error:
            self.fail(key, f"{key} names the file {value!r}, which cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            self.fail(key, f"{key} names the file {value!r}, which is not UTF-8 (byte {error.start})")
        return ""

    def identifier(self, key: str, default: str | None = None) -> str:
        """Read an id: it becomes part of addresses."""
        value = self.text(key, default)
        if value and not is_identifier(value):
            self.fail(
                key,
                f"{key} is {value!r}; expected small letters, digits and single hyphens between them, "
                f"at most {LONGEST_IDENTIFIER}, such as 'phase-2'",
            )
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        return bool(self.take(key, bool, "true or false, without quotes", default))

    def whole(
        self, key: str, default: int | None = None, *, low: int = 1, high: int = LARGEST_INTEGER
    ) -> int:
        """Read a whole number of a range."""
        value = self.take(key, int, "a whole number, such as 3", _or_missing(default))
        if value is not None and not low <= value <= high:
            self.fail(key, f"{key} is {value}; expected a whole number from {low} to {high}")
        return value or 0

    def limit(self, key: str, *, high: int = LARGEST_INTEGER) -> int | None:
        """Read a whole number of at least 1; None, for no limit, if the key is missing."""
        return self.whole(key, high=high) if key in self.table else self.take(key, int, "", None)

    def fraction(self, key: str, default: float | None = None) -> float:
        """Read a number from 0 to 1."""
        value = self.take(key, (int, float), "a number from 0 to 1", _or_missing(default))
        if value is not None and not 0 <= value <= 1:
            self.fail(key, f"{key} is {value}; expected a number from 0 to 1")
            return 0.0  # a whole number of hundreds of digits is no float
        return float(value or 0)

    def number(self, key: str, default: float | None = None, *, low: float, high: float) -> float:
        """Read a number of a range."""
        value = self.take(key, (int, float), f"a number from {low:g} to {high:g}", _or_missing(default))
        if value is not None and not low <= value <= high:
            self.fail(key, f"{key} is {value}; expected a number from {low:g} to {high:g}")
            return low
        return low if value is None else float(value)

    def moment(self, key: str) -> datetime:
        """Read a date and time with its zone, as UTC."""
        self.asked.add(key)
        value = self.table.get(key, _MISSING)
        example = "such as 2026-03-01T12:00:00Z or 2026-03-01T13:00:00+01:00"
        if isinstance(value, datetime) and value.tzinfo is not None:
            if value.year in YEARS:
                return value.astimezone(UTC)
            years = f"from {YEARS.start} to {YEARS.stop - 1}"
            self.fail(key, f"{key} is {value.isoformat()}; expected a year {years}")
            return EPOCH
        if value is _MISSING:
            self.fail(key, f"{self.where}has no {key!r}; expected a date and time with its zone, {example}")
        elif isinstance(value, datetime):
            self.fail(key, f"{key} is {value.isoformat()} without a time zone; add Z or an offset, {example}")
        else:
            quotes = "without quotes, " if isinstance(value, str) else ""
            self.fail(
                key,
                f"{key} is {name_value(value)}; expected a date and time with its zone, {quotes}{example}",
            )
        return EPOCH

    def zone(self, key: str, default: str) -> ZoneInfo:
        """Read the name of a time zone."""
        expected = "a time zone of the IANA list, such as 'Europe/Zurich'"
        name = self.take(key, str, expected, default)
        if name is None:
            return UTC_ZONE
        try:
            return ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            self.fail(key, f"{key} is {name!r}; expected {expected}")
        return UTC_ZONE

    def choice(self, key: str, choices: Any, default: Chosen) -> Chosen:
        """Read one of the names of a Literal type, or of some names."""
        names = get_args(choices) or tuple(choices)
        value = self.take(key, str, f"one of: {', '.join(names)}", default)
        if value is not None and value not in names:
            near = difflib.get_close_matches(value, names, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            self.fail(key, f"{key} is {value!r}; {hint}expected one of: {', '.join(names)}")
            return default
        return cast("Chosen", default if value is None else value)

    def many(self, key: str, kind: type, expected: str, default: Sequence[Any] = ()) -> tuple[Any, ...]:
        """Read an array of values of one type."""
        values = self.take(key, list, f"an array of {expected}", list(default))
        for index, value in enumerate(values or ()):
            if not isinstance(value, kind) or isinstance(value, bool):
                self.faults.append(
                    UnplacedProblem(
                        path=(*self.path, key, index),
                        message=f"{key} holds {name_value(value)}; expected {expected}",
                    )
                )
                self.is_fine = False
                return ()
        return tuple(values or ())

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """Read an array of texts."""
        values = self.many(key, str, 'texts in quotes, such as ["a", "b"]', default)
        return tuple(self._without_nul(key, value) for value in values)

    def wholes(self, key: str, default: Sequence[int] = ()) -> tuple[int, ...]:
        """Read an array of whole numbers."""
        return self.many(key, int, "whole numbers, such as [3, 2, 1]", default)

    def table_of(self, key: str) -> "Section | None":
        """Return the table under a key; None if it is missing (no fault) or something else (a fault)."""
        value = self.take(key, dict, f"a table: [{key}] on a line of its own, or {{ name = value }}", None)
        return None if value is None else self._below(value, key)

    def _below(self, table: Mapping[str, Any], *key: str | int) -> "Section":
        return Section(table, (*self.path, *key), self.folder, self.faults, is_closed=self.is_closed)

    def tables_of(self, key: str) -> "list[Section]":
        """Return the tables under a key, each written as [[key]]; empty if there are none."""
        values = self.take(key, list, f"tables, each under a line [[{key}]]", [])
        found = []
        for index, value in enumerate(values or ()):
            if isinstance(value, dict):
                found.append(self._below(value, key, index))
            else:
                self.fail(
                    key, f"{key} holds {name_value(value)}; expected tables, each under a line [[{key}]]"
                )
        return found


def _or_missing(default: object) -> object:
    return _MISSING if default is None else default


def name_value(value: object) -> str:
    """Name a value and its type as an author of TOML sees them.

    Example:
        >>> name_value("3"), name_value(True), name_value([1])
        ("the text '3'", 'true', 'an array')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    if isinstance(value, datetime | date | time):
        return f"the date or time {value.isoformat()}"
    names: Mapping[type, str] = {dict: "a table", list: "an array"}
    return names.get(type(value), f"the number {value}")
