"""Tables that people hand in, as CSV with a header: read to rows, every fault collected before anything is said.

A cell may say in words that there is no number ("n/a", "nan", "inf", ...): it is read as that, and a note says so.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from raim.errors import InputError

LARGEST = 50 * 2**20
MOST = 1e12  # no score, count or points; beyond it sums and rounding lose their digits
MOST_LISTED = 30  # problems or notes in a message
ENDLESS = frozenset(sign + word for sign in ("", "-", "+") for word in ("nan", "inf", "infinity"))
NO_NUMBER = ENDLESS | {"", "-", "n/a", "#n/a", "na", "none", "null"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# Source: OWASP, "CSV Injection": spreadsheets take cells that begin so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        where: File and line, for messages.
        cells: Column to text.
    """

    where: str
    cells: Mapping[str, str]

    @property
    def team(self) -> str:
        """Whose row it is; "" if it names nobody."""
        return self.cells.get("team", "") or self.cells.get("entry", "")


@dataclass(slots=True)
class Problems:
    """What is wrong with files, and what a reader of them should know.

    Attributes:
        found: Problems in the order of finding.
        notes: Notes in the order of finding.
    """

    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, where: str, message: str) -> None:
        """Add a problem."""
        self.found.append(f"{where}: {message}")

    def stop(self, what: Path) -> None:
        """Refuse a file or folder if there are problems.

        Raises:
            InputError: All problems are listed.
        """
        if not self.found:
            return
        listed = "\n".join(f"  {each}" for each in list_shortly(self.found))
        count = f"{len(self.found)} problem{'s' if len(self.found) > 1 else ''}"
        raise InputError(f"{what} has {count}:\n{listed}")


def list_shortly(lines: Sequence[str]) -> tuple[str, ...]:
    """Give the first lines of many, and how many more there are.

    Example:
        >>> list_shortly(["one", "two"]), list_shortly(["line"] * 32)[-2:]
        (('one', 'two'), ('line', '... and 2 more'))
    """
    more = len(lines) - MOST_LISTED
    return (*lines[:MOST_LISTED], *([f"... and {more} more"] if more > 0 else ()))


def read_text(path: Path) -> str:
    """Read a file of text.

    Raises:
        InputError: It cannot be read, is too large for a table, or is not UTF-8.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST // 2**20} MiB; it is no table of teams")
        return path.read_bytes().decode("utf-8-sig")  # line ends within a cell stay as they are
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: it is not UTF-8 (byte {error.start}); save it as CSV in UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def read_rows(folder: Path, name: str, needed: Sequence[str], problems: Problems) -> list[Row]:
    """Read a table of a folder, as `parse_rows` does; one that is not there has no rows."""
    if not (folder / name).is_file():
        return []
    try:
        return parse_rows(read_text(folder / name), name, needed, problems)
    except InputError as error:
        problems.found.append(str(error))
        return []


def parse_rows(text: str, name: str, needed: Sequence[str], problems: Problems) -> list[Row]:
    r"""Read the text of a CSV with a header.

    Args:
        text: Of the file.
        name: Of the file, for messages.
        needed: Columns that must be there; "a|b" is one of two.
        problems: Faults are added here.

    Example:
        >>> parse_rows("team,score\nA,70\n", "scores.csv", ["team|entry", "score"], Problems())
        [Row(where='scores.csv, line 2', cells={'team': 'A', 'score': '70'})]
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [unescape_cell(cell.strip()) for cell in next(reader, [])]
        has_all = True
        for each in needed:
            if not set(header) & set(each.split("|")):
                there = ", ".join(header) or "none"
                problems.add(f"{name}, line 1", f"there is no column {each.split('|')[0]!r}; it has {there}")
                has_all = False
        for column in sorted({each for each in header if each and header.count(each) > 1}):
            problems.add(f"{name}, line 1", f"the column {column!r} stands there twice")
        return _collect(name, reader, header, problems) if has_all else []
    except csv.Error as error:
        problems.add(f"{name}, line {reader.line_num}", str(error))
        return []


def parse_number(text: str) -> float | None:
    """Read the number of a cell; None for an empty cell and for a word that says that there is none.

    Raises:
        InputError: It is something else.

    Example:
        >>> parse_number("79.13"), parse_number("n/a"), parse_number("-inf")
        (79.13, None, None)
    """
    if text.casefold() in NO_NUMBER:
        return None
    if NUMBER.fullmatch(text) and abs(value := float(text)) <= MOST:
        return value
    raise InputError(f"{text[:60]!r} is no number")


def read_number(row: Row, column: str, problems: Problems, *, is_needed: bool = False) -> float | None:
    """Read the number of a row; None where there is none, with a note, or with a problem for what is neither.

    Args:
        row: Of a table.
        column: Whose cell is read.
        problems: Problems and notes are added here.
        is_needed: Whether an empty cell is worth a note too.
    """
    text = row.cells.get(column, "")
    what = f"the {column} of {row.team!r}" if row.team else f"the {column}"
    try:
        number = parse_number(text)
    except InputError:
        problems.add(row.where, f"{what} is {text[:60]!r}; expected a number, such as 79.13")
        return None
    if number is None and (text or is_needed):
        said = repr(text) if text else "empty"
        problems.notes.append(f"{row.where}: {what} is {said}, read as no {column}")
    return number


def read_moment(row: Row, name: str, problems: Problems) -> datetime | None:
    """Read a time in ISO form; one without a zone is taken as UTC. None, with a fault, for what is none."""
    text = row.cells.get(name, "")
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        problems.add(row.where, f"{name} is {text!r}; expected a time such as 2024-02-01T12:00:00Z")
        return None


def by_name(rows: Sequence[Row], name: str, problems: Problems) -> dict[str, Row]:
    """Give rows by the name in a column, which must be there and in one row only."""
    found: dict[str, Row] = {}
    for row in rows:
        own = row.cells.get(name, "")
        if not own:
            problems.add(row.where, f"it names no {name}")
        elif own in found:
            problems.add(row.where, f"the {name} {own!r} stands there twice")
        else:
            found[own] = row
    return found


def escape_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Example:
        >>> escape_cell("@home"), escape_cell("Team 7"), unescape_cell(escape_cell("'=x"))
        ("'@home", 'Team 7', "'=x")
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unescape_cell(text: str) -> str:
    """Undo `escape_cell`."""
    is_escaped = text.startswith("'") and text.lstrip("'").startswith(FORMULA)
    return text[1:] if is_escaped else text


def _collect(name: str, reader: Any, header: list[str], problems: Problems) -> list[Row]:
    rows = []
    for cells in reader:
        where = f"{name}, line {reader.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
            problems.add(where, f"it has {len(cells)} cells, the first line names {len(header)} columns")
            continue
        texts = (unescape_cell(cell.strip()) for cell in cells[: len(header)])
        rows.append(Row(where=where, cells=dict(zip(header, texts, strict=True))))
    return rows
