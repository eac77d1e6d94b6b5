"""What is wrong with tables that people hand in: every fault is collected before anything is said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from raim.errors import InputError
from raim.tables.cells import parse_moment, parse_number, rename_known
from raim.tables.reading import Row, Table, read_table

_Value = TypeVar("_Value")
MOST_LISTED = 30  # problems or notes in a message


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
    """Return the first lines of many, and how many more there are.

    Example:
        >>> list_shortly(["one", "two"]), list_shortly(["line"] * 32)[-2:]
        (('one', 'two'), ('line', '... and 2 more'))
    """
    more = len(lines) - MOST_LISTED
    return (*lines[:MOST_LISTED], *([f"... and {more} more"] if more > 0 else ()))


def read_rows(
    folder: Path, name: str, needed: Sequence[str], problems: Problems, *, known: Sequence[str] = ()
) -> list[Row]:
    """Read a table of a folder, as `take_rows` does; one that is not there has no rows."""
    if not (folder / name).is_file():
        return []
    try:
        table = read_table(folder / name, known=list_columns(needed, known), name=name)
    except InputError as error:
        problems.found.append(str(error))
        return []
    return take_rows(table, needed, problems)


def take_rows(table: Table, needed: Sequence[str], problems: Problems) -> list[Row]:
    r"""Take the rows of a table, and add its faults and notes to those of others.

    The table was read with `list_columns(needed)` as its known columns; "a|b" is one of two columns.

    Example:
        >>> from raim.tables import parse_table
        >>> problems = Problems()
        >>> take_rows(parse_table("team,score\nA,70\n", "scores.csv"), ["team|entry", "score"], problems)[0].cells
        {'team': 'A', 'score': '70'}
        >>> take_rows(parse_table("team\nA\n", "scores.csv"), ["team|entry", "score"], problems), problems.found
        ([], ["scores.csv, line 1: there is no column 'score'; it has team"])
    """
    missing = [each for each in needed if not set(table.columns) & set(each.split("|"))]
    there = ", ".join(table.columns) or "none"
    for each in missing:
        problems.add(
            f"{table.name}, line {table.header_line}",
            f"there is no column {each.split('|')[0]!r}; it has {there}",
        )
    problems.found += table.say_faults()
    problems.notes += table.notes
    return [] if missing else list(table.rows)


def list_columns(needed: Sequence[str], known: Sequence[str] = ()) -> tuple[str, ...]:
    """List the columns that are looked for.

    Example:
        >>> list_columns(["team|entry", "score"], ["points"])
        ('team', 'entry', 'score', 'points')
    """
    return (*(column for each in needed for column in each.split("|")), *known)


def read_number(row: Row, column: str, problems: Problems, *, is_needed: bool = False) -> float | None:
    """Read the number of a row; None where there is none, with a note (if needed), or a problem for what is neither."""
    text = row.cells.get(column, "")
    what = f"the {column} of {row.team!r}" if row.team else f"the {column}"
    try:
        number = parse_number(text, has_decimal_comma=column in row.comma_columns)
    except InputError as error:
        problems.add(row.where, f"{what} is {error}")
        return None
    if number is None and (text or is_needed):
        said = repr(text) if text else "empty"
        problems.notes.append(f"{row.where}: {what} is {said}, read as no {column}")
    return number


def read_moment(row: Row, name: str, problems: Problems) -> datetime | None:
    """Read a time in ISO form; one without a zone is taken as UTC. None, with a fault, for what is none."""
    try:
        return parse_moment(row.cells.get(name, ""))
    except InputError as error:
        problems.add(row.where, f"{name} is {error}")
        return None


def name_alike(
    where: str, found: Mapping[str, _Value], known: Collection[str], problems: Problems
) -> dict[str, _Value]:
    """Put known names in the place of those of a table that mean them, with a note on names that were shortened.

    Example:
        >>> problems = Problems()
        >>> name_alike("points.csv", {"7": 2.0}, ["007"], problems), len(problems.notes)
        ({'007': 2.0}, 1)
    """
    renamed, note = rename_known(found, known)
    problems.notes += [f"{where}: {note}"] if note else []
    return renamed


def by_name(rows: Sequence[Row], name: str, problems: Problems) -> dict[str, Row]:
    """Return rows by the name in a column, which must be there and in one row only."""
    found: dict[str, Row] = {}
    for row in rows:
        own = row.cells.get(name, "")
        if not own:
            problems.add(row.where, f"it names no {name}")
        elif own in found:
            problems.add(row.where, f"the {name} {own!r} is there twice")
        else:
            found[own] = row
    return found
