r"""A table from the content of its file: columns, rows, and everything that is wrong with it, by line.

What every table may have: a byte order mark, any encoding of `decoding`, any line ends; commas, semicolons or tabs,
with or without a line `sep=;` before the header; columns in any order and letter case; empty rows anywhere, empty
columns at the end. A column that stands twice, a row with fewer cells than columns or with more that are not empty, and
an open quotation are faults.
"""

import contextlib
import csv
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raim.tables.cells import is_decimal_comma, read_cell
from raim.tables.decoding import decode_table, read_content

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
STATED = re.compile(r'"?sep=([,;\t])"?[,;\t ]*(?=[\r\n])', re.IGNORECASE)  # the line by which Excel is told
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
LOOKED_AT = 50  # rows, to find out what separates cells
LONGEST_RECORD = 2**20  # characters; without it one row could need a gigabyte
MOST_ROWS = 10**6
DIGITS = re.compile(r"[+-]?\d+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        where: File and line, for messages.
        cells: Column to text, as `read_cell` gives it.
        line: In the file, from 1.
        comma_columns: Those whose numbers have a decimal comma.
    """

    where: str
    cells: Mapping[str, str]
    line: int = 0
    comma_columns: frozenset[str] = frozenset()

    @property
    def team(self) -> str:
        """Whose row it is; "" if it names nobody."""
        return self.cells.get("team", "") or self.cells.get("entry", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table as it was read.

    Attributes:
        name: Of the file.
        columns: Their names in the order of the file; those without a name are left out.
        rows: Those that have no fault.
        faults: Line and what is wrong there.
        notes: What to know of how it was read.
        header_line: Where the columns are named, from 1.
    """

    name: str
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    faults: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    header_line: int = 1

    def say_faults(self) -> list[str]:
        """Return the faults with file and line."""
        return [f"{self.name}, line {line}: {message}" for line, message in self.faults]


def read_table(path: Path, *, known: Collection[str] = (), name: str | None = None) -> Table:
    """Read the table of a file; arguments and errors as for `parse_table` and `read_content`."""
    return parse_table(read_content(path), str(path) if name is None else name, known=known)


def parse_table(content: bytes | str, name: str, *, known: Collection[str] = ()) -> Table:
    r"""Read a table from the content of its file.

    Args:
        content: Of the file.
        name: Of the file, for messages.
        known: Columns that are looked for; they are found in any letter case, others keep theirs.

    Raises:
        InputError: It is a workbook, or no text.

    Example:
        >>> table = parse_table("Team;Score\nA;79,13\n;\nB\n", "scores.csv", known=["team", "score"])
        >>> table.rows[0].cells, table.faults
        ({'team': 'A', 'score': '79,13'}, ((4, 'it has 1 cells, the first line names 2 columns'),))
    """
    text, note = decode_table(content, name) if isinstance(content, bytes) else (content, "")
    delimiter, doubt = find_delimiter(text, known)
    faults: list[tuple[int, str]] = []
    records = list(_split(text, delimiter, faults))
    header_line, header = records.pop(0) if records else (1, [])
    columns = _name_columns(header, known)
    twice = sorted(each for each, number in Counter(filter(None, columns)).items() if number > 1)
    faults += [(header_line, f"the column {column!r} stands there twice") for column in twice]
    read: list[tuple[int, dict[str, str]]] = []
    for line, cells in records:
        fault = _find_row_fault(cells, columns)
        if fault:
            faults.append((line, fault))
        else:
            named = zip(columns, cells, strict=False)
            read.append((line, {column: read_cell(cell) for column, cell in named if column}))
    comma_columns = frozenset(
        column
        for _, cells in read
        for column, cell in cells.items()
        if "," in cell and is_decimal_comma(cell)
    )
    return Table(
        name=name,
        columns=tuple(filter(None, columns)),
        rows=tuple(
            Row(where=f"{name}, line {line}", cells=cells, line=line, comma_columns=comma_columns)
            for line, cells in read
        ),
        faults=tuple(sorted(faults)),
        notes=tuple(f"{name}: {each}" for each in (note, doubt) if each),
        header_line=header_line,
    )


def find_delimiter(text: str, known: Collection[str] = ()) -> tuple[str, str]:
    r"""Find what separates cells: what finds most known columns, then what suits most rows; and a note if in doubt.

    Example:
        >>> find_delimiter("name;issue\n1;noise, moire\n"), find_delimiter("a;b,c\n1;2,3\n")
        ((';', ''), (',', 'its first line has commas and semicolons; it was read as separated by commas'))
    """
    stated = STATED.match(text)
    if stated:
        return stated[1], ""
    suits = {each: _suits(text, each, known) for each in DELIMITERS}
    taken = max(DELIMITERS, key=suits.__getitem__)
    able = [each for each, (_, _, width) in suits.items() if width > 1]
    if len(able) < 2 or len({suits[each][0] for each in able}) > 1:
        return taken, ""
    there = " and ".join(DELIMITERS[each] for each in able)
    return taken, f"its first line has {there}; it was read as separated by {DELIMITERS[taken]}"


def _suits(text: str, delimiter: str, known: Collection[str]) -> tuple[int, int, int]:
    """Return how many known columns a delimiter finds, how many rows are as wide as the first, and how wide."""
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows.extend(itertools.islice(filter(any, csv.reader(_Lines(text), delimiter=delimiter)), LOOKED_AT))
    header = _name_columns(rows[0], known) if rows else []
    alike = sum(len(row) == len(rows[0]) for row in rows) if len(header) > 1 else 0
    return len(set(header) & set(known)), alike, len(header)


class _Lines:
    """The lines of a text with their ends, until a record is too long."""

    def __init__(self, text: str) -> None:
        self.found = LINE.finditer(text)
        self.length = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self.found)[0]
        self.length += len(line)
        if self.length > LONGEST_RECORD:
            raise csv.Error(f"a row has more than {LONGEST_RECORD} characters")
        return line


def _split(text: str, delimiter: str, faults: list[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Give line and cells of each row that is not empty; the first is the header."""
    is_stated = STATED.match(text) is not None
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for number, cells in enumerate(reader):
            if any(cells) and any(map(read_cell, cells)) and not (is_stated and number == 0):
                yield line, cells
            line, lines.length = reader.line_num + 1, 0
            if number > MOST_ROWS:
                faults.append(
                    (line, f"it has more than {MOST_ROWS} rows; no table that raim takes has so many")
                )
                return
    except csv.Error as error:
        faults.append((line, f"it is not CSV: {error}; look for a quotation mark that is not closed"))


def _name_columns(header: Sequence[str], known: Collection[str]) -> list[str]:
    own = {each.casefold(): each for each in known}
    columns = [own.get(name.casefold(), name) for name in map(read_cell, header)]
    while columns and not columns[-1]:
        columns.pop()
    return columns


def _find_row_fault(cells: Sequence[str], columns: Sequence[str]) -> str:
    n_columns = len(columns)
    beyond = any(map(read_cell, cells[n_columns:]))
    if len(cells) >= n_columns and not beyond:
        return ""
    said = f"it has {len(cells)} cells, the first line names {n_columns} columns"
    pairs = [pair for pair in itertools.pairwise(map(str.strip, cells)) if all(map(DIGITS.fullmatch, pair))]
    if beyond and pairs:
        one, other = pairs[0]
        said += f"; if {one},{other} is one number, write {one}.{other}, or save the table with semicolons"
    return said
