"""Tables of a folder as rows, with every fault of every file collected before anything is said."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from raim.errors import InputError
from raim.study.files.cells import unescape_cell

LARGEST = 50 * 2**20
MOST_PROBLEMS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of a CSV.

    Attributes:
        where: File and line, for messages.
        cells: Column to text.
    """

    where: str
    cells: Mapping[str, str]


@dataclass(slots=True)
class Problems:
    """What is wrong with a folder.

    Attributes:
        found: In the order of finding.
    """

    found: list[str] = field(default_factory=list)

    def add(self, where: str, message: str) -> None:
        """Add one."""
        self.found.append(f"{where}: {message}")

    def stop(self, folder: Path) -> None:
        """Refuse the folder if there are any.

        Raises:
            InputError: All problems are listed.
        """
        if not self.found:
            return
        more = len(self.found) - MOST_PROBLEMS
        listed = "\n".join(f"  {each}" for each in self.found[:MOST_PROBLEMS])
        rest = f"\n  ... and {more} more" if more > 0 else ""
        count = f"{len(self.found)} problem{'s' if len(self.found) > 1 else ''}"
        raise InputError(f"{folder} has {count}:\n{listed}{rest}")


def read_rows(path: Path, needed: Sequence[str], problems: Problems) -> list[Row]:
    """Read a CSV with a header; a file that is not there has no rows.

    Args:
        path: The file.
        needed: Columns that must be there.
        problems: Faults are added here.
    """
    text = _read_text(path, problems)
    if text is None:
        return []
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [unescape_cell(name.strip()) for name in next(reader, [])]
        missing = [name for name in needed if name not in header]
        if missing:
            problems.add(
                f"{path} line 1", f"there is no column {missing[0]!r}; it has {', '.join(header) or 'none'}"
            )
            return []
        return _collect(path, reader, header, problems)
    except csv.Error as error:
        problems.add(f"{path} line {reader.line_num}", str(error))
        return []


def read_number(row: Row, name: str, problems: Problems) -> float | None:
    """Read a number; None for an empty cell, and for one that is none, with a fault."""
    text = row.cells.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return value
    problems.add(row.where, f"{name} is {text!r}; expected a number, such as 79.13")
    return None


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


def _collect(path: Path, reader: Any, header: list[str], problems: Problems) -> list[Row]:
    rows = []
    for cells in reader:
        where = f"{path} line {reader.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.add(where, f"it has {len(cells)} cells, the first line names {len(header)} columns")
            continue
        texts = (unescape_cell(cell.strip()) for cell in cells)
        rows.append(Row(where=where, cells=dict(zip(header, texts, strict=True))))
    return rows


def _read_text(path: Path, problems: Problems) -> str | None:
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > LARGEST:
            problems.add(str(path), f"it is larger than {LARGEST // 2**20} MiB")
            return None
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problems.add(str(path), f"it cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        problems.add(str(path), f"it is not UTF-8 (byte {error.start}); save it as CSV in UTF-8")
    return None
