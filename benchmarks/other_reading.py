"""Tables read a second time by rules of their own, to compare `raim.tables` with.

It is slow and says no reasons: what is no table, or could be two, raises `UnreadableError`.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

Lines = list[dict[str, str]]
WORDS = {"", "-", "n/a", "#n/a", "na", "none", "null"} | {
    s + w for s in ("", "+", "-") for w in ("nan", "inf", "infinity")
}
MARKS = {"utf-8": b"\xef\xbb\xbf", "utf-32-le": b"\xff\xfe\0\0", "utf-32-be": b"\0\0\xfe\xff",
         "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}  # fmt: skip
OF_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
BLANK = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# All but one to three digits, of which the first is no zero, before a comma and just three behind it.
SURE_COMMA = re.compile(
    r"[-+]?(?!(?:[1-9][0-9]{0,2},[0-9]{3})$)([0-9]+,[0-9]*|,[0-9]+)(e[-+]?[0-9]+)?", re.IGNORECASE
)


class UnreadableError(Exception):
    """The other reading finds no table, or more than one can be read out of the file."""


def decode(content: bytes) -> str:
    """Give the text of a table."""
    if content[:4] == b"PK\3\4" or content[:2] == b"\xd0\xcf":
        raise UnreadableError("a workbook")
    encoding = next((name for name, mark in MARKS.items() if content.startswith(mark)), None)
    if encoding is None:
        encoding = _without_mark(content)
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UnreadableError("no text") from error
    if "\0" in text:
        raise UnreadableError("a NUL")
    return text


def _without_mark(content: bytes) -> str:
    zeros = [not byte for byte in content[:64]]
    if len(zeros) >= 4 and zeros == [bool(place % 2) for place in range(len(zeros))]:
        return "utf-16-le"
    if len(zeros) >= 4 and zeros == [not place % 2 for place in range(len(zeros))]:
        return "utf-16-be"
    try:
        content.decode()
    except UnicodeDecodeError:
        return "utf-8" if OF_UTF8.search(content) else "cp1252"
    return "utf-8"


def read_lines(content: bytes, needed: Sequence[Collection[str]], known: Collection[str] = ()) -> Lines:
    """Give the rows of a table; `needed` has, for each column that must be there, the names that it may have."""
    text = decode(content)
    able = []
    for mark in ",;\t":
        columns, rows = _split(text, mark, {*known, *(name for names in needed for name in names)})
        if all(set(names) & set(columns) for names in needed):
            able.append((columns, rows))
    if not able:
        raise UnreadableError("a column is missing")
    if (
        len(able) > 1
        and len({len(set(columns) & set(known)) for columns, _ in able}) == 1
        and len(needed) > 1
    ):
        raise UnreadableError("cells may be separated by two signs")
    columns, rows = max(able, key=lambda each: len(set(each[0]) & set(known)))
    named = [name for name in columns if name]
    if len(set(named)) < len(named):
        raise UnreadableError("a column twice")
    lines = []
    for row in rows:
        if len(row) < len(columns) or any(row[len(columns) :]):
            raise UnreadableError("cells and columns differ")
        lines.append({name: cell for name, cell in zip(columns, row, strict=False) if name})
    return lines


def _split(text: str, mark: str, known: Collection[str]) -> tuple[list[str], list[list[str]]]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    except csv.Error:
        return [], []
    if rows and re.fullmatch(r'"?sep=[,;\t]?"?', "".join(rows[0]).strip(), re.IGNORECASE):
        rows = rows[1:]
    rows = [row for row in ([bare(cell) for cell in row] for row in rows) if any(row)]
    if not rows:
        return [], []
    columns = [name.lower() if name.lower() in known else name for name in rows[0]]
    while columns and not columns[-1]:
        columns.pop()
    return columns, rows[1:]


def bare(cell: str) -> str:
    """Give a cell without blanks at its ends, unseen signs and the apostrophe before a formula."""
    cell = cell.lstrip()
    if re.match(r"'[\s']*[=+\-@\t\r\n]", cell):
        cell = cell[1:]
    return unicodedata.normalize("NFC", BLANK.sub(" ", UNSEEN.sub("", cell)).strip())


def read_value(text: str, column: Sequence[str] = ()) -> float | None:
    """Give the number of a cell; `column` has all cells of its column."""
    if text.casefold() in WORDS:
        return None
    has_commas = any(SURE_COMMA.fullmatch(each) for each in column)
    if "," in text:
        if not has_commas and not SURE_COMMA.fullmatch(text):
            raise UnreadableError(f"{text[:20]!r} may be two numbers")
        text = text.replace(",", ".")
    elif "." in text and has_commas:
        raise UnreadableError(f"{text[:20]!r} among decimal commas")
    if (
        not re.fullmatch(r"[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?", text)
        or abs(float(text)) > 1e12
    ):
        raise UnreadableError(f"{text[:20]!r} is no number")
    return float(text)


def read_whole(text: str, column: Sequence[str] = ()) -> int | None:
    """Give the whole number of a cell; None for an empty one."""
    number = read_value(text, column)
    if text and (number is None or number % 1):
        raise UnreadableError(f"{text[:20]!r} is no whole number")
    return None if number is None else int(number)


def column_of(lines: Sequence[Mapping[str, str]], name: str) -> list[str]:
    """Give all cells of a column."""
    return [line.get(name, "") for line in lines]
