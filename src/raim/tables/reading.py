r"""A table from the content of its file: its text, columns, rows, and everything that is wrong with it, by line.

UTF-8 comes first, then what a byte order mark says, then UTF-16 without one where nothing else can be meant. What is
none of them is taken for Windows-1252, with a note. Workbooks are recognised by their content, whatever their name.

What every table may have: any line ends; commas, semicolons or tabs, with or without a line `sep=;` before the header;
columns in any order and letter case; empty rows anywhere, empty columns at the end. A column that stands twice, a row
with fewer cells than columns or with more that are not empty, and an open quotation are faults.
"""

import codecs
import contextlib
import csv
import io
import itertools
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raim.errors import InputError
from raim.tables.cells import is_decimal_comma, read_cell

LARGEST = 50 * 2**20
LETTER_OF_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
ZIP, OLE2 = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
# UTF-32 before UTF-16, whose mark it begins with.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WAY_OUT = "in the spreadsheet choose File > Save As > CSV UTF-8, and hand in that file"
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
STATED = re.compile(r'"?sep=([,;\t])"?[,;\t ]*(?=[\r\n])', re.IGNORECASE)  # the line that Excel obeys
LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
LOOKED_AT = 50  # rows, to find out what separates cells
LONGEST_RECORD = 2**20  # characters; without it one row could need a gigabyte
MOST_ROWS = 10**6
DIGITS = re.compile(r"[+-]?\d+", re.ASCII)


def read_content(path: Path) -> bytes:
    """Return the content of a file that should be a table.

    Raises:
        InputError: It cannot be read, or is larger than 50 MiB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise InputError(f"{path} is larger than {LARGEST // 2**20} MiB; it is no table that raim takes")
    return content


def decode_table(content: bytes, name: str) -> tuple[str, str]:
    r"""Return the text of a table without its byte order mark, and a note on its encoding, "" for UTF-8.

    Args:
        content: Of the file.
        name: Of the file, for messages.

    Raises:
        InputError: It is a workbook, or no text.

    Example:
        >>> decode_table("Zoë,1".encode("utf-16"), "a.csv")
        ('Zoë,1', '')
        >>> decode_table(b"Zo\xeb,1", "a.csv")
        ('Zoë,1', 'it is not UTF-8 (byte 2) and was read as Windows-1252; look at the letters of its names')
    """
    workbook = find_workbook(content)
    if workbook:
        raise InputError(f"{name} is {workbook}, not CSV; {WAY_OUT}")
    encoding = next((encoding for mark, encoding in MARKS if content.startswith(mark)), _guess_utf16(content))
    try:
        text, note = content.decode(encoding), ""
    except UnicodeDecodeError as error:
        text, note = _decode_windows(content, name, encoding, error)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            f"{name}, line {line}: it holds a NUL character, so it is no text; save it as CSV in UTF-8"
        )
    return text.removeprefix("\ufeff"), note


def find_workbook(content: bytes) -> str:
    """Return what kind of workbook a content is; "" if it is none.

    Example:
        >>> find_workbook(b"name,issue"), find_workbook(OLE2 + b"...")
        ('', 'an Excel workbook (.xls)')
    """
    if content.startswith(OLE2):
        return "an Excel workbook (.xls)"
    if not content.startswith(ZIP):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        names = set()
    if b"opendocument.spreadsheet" in content[:200]:  # the first of its files says so, not compressed
        return "an OpenDocument spreadsheet (.ods)"
    if "[Content_Types].xml" in names or any(each.startswith("xl/") for each in names):
        return "an Excel workbook (.xlsx)"
    return "a Numbers workbook" if "Index/Document.iwa" in names else ""


def _guess_utf16(content: bytes) -> str:
    """Return the encoding without a byte order mark: UTF-16 if every other byte of the beginning is zero."""
    begin = content[:64]
    even, odd = begin[::2], begin[1::2]
    if len(begin) >= 4 and not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if len(begin) >= 4 and not any(even) and all(odd) else "utf-8"


def _decode_windows(content: bytes, name: str, encoding: str, error: UnicodeDecodeError) -> tuple[str, str]:
    """Decode as Windows-1252 what has no letter of UTF-8 in it: that would be a damaged file."""
    expected = encoding.removesuffix("-sig").upper()
    refusal = InputError(f"{name}: it is not {expected} (byte {error.start}); save it as CSV in UTF-8")
    if encoding != "utf-8" or LETTER_OF_UTF8.search(content):
        raise refusal from error
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise refusal from error
    note = (
        f"it is not UTF-8 (byte {error.start}) and was read as Windows-1252; look at the letters of its names"
    )
    return text, note


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
    """A table as it was read."""

    name: str  # of the file
    columns: tuple[str, ...] = ()  # their names in the order of the file; those without a name are left out
    rows: tuple[Row, ...] = ()  # those that have no fault
    faults: tuple[tuple[int, str], ...] = ()  # line and what is wrong there
    notes: tuple[str, ...] = ()  # what to know of how it was read
    header_line: int = 1  # where the columns are named, from 1

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
    faults += [(header_line, f"the column {column!r} is there twice") for column in twice]
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
    """Find what separates cells: what finds most known columns, then what suits most rows; and a note if in doubt."""
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
    """Yield line and cells of each row that is not empty; the first is the header."""
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
