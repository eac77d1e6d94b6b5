r"""Tables as CSV, as JSON, and all of them as one zip; in pieces, so that no table is ever held whole.

CSV is opened in spreadsheets, which run what looks like a formula: a text that begins like one gets an apostrophe.
Source: OWASP, "CSV Injection" (cells that begin with = + - @, tab or carriage return).
"""

import csv
import io
import json
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
PIECE_BYTES = 2**16


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table to be handed on.

    Attributes:
        name: Of its files, without a suffix.
        title: What it holds, for people.
        columns: Names of the columns.
        read: Gives the rows from the first one on, each as long as `columns`.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    read: Callable[[], Iterator[tuple[Any, ...]]]


def csv_pieces(table: Table) -> Iterator[str]:
    r"""Give a table as CSV.

    Example:
        >>> table = Table(name="t", title="", columns=("a", "b"), read=lambda: iter([("=1+1", -1.5), (None, True)]))
        >>> "".join(csv_pieces(table))
        "a,b\r\n'=1+1,-1.5\r\n,true\r\n"
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180; a cell with either of them is quoted
    writer.writerow(table.columns)
    for row in table.read():
        writer.writerow([csv_cell(each) for each in row])
        if text.tell() >= PIECE_BYTES:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def json_pieces(table: Table) -> Iterator[str]:
    r"""Give a table as a JSON list with an object for each row.

    Example:
        >>> table = Table(name="t", title="", columns=("a", "b"), read=lambda: iter([("x", math.inf), (None, {})]))
        >>> print("".join(json_pieces(table)), end="")
        [
        {"a": "x", "b": "inf"},
        {"a": null, "b": {}}
        ]
    """
    joint = "[\n"
    for row in table.read():
        record = {name: plain(each) for name, each in zip(table.columns, row, strict=True)}
        yield joint + json.dumps(record, ensure_ascii=False, allow_nan=False)
        joint = ",\n"
    yield "[]\n" if joint == "[\n" else "\n]\n"


def zip_pieces(files: Iterable[tuple[str, Iterable[str]]], now: datetime) -> Iterator[bytes]:
    """Give a zip of text files.

    Args:
        files: (name, pieces of its text) of each.
        now: The time that its entries carry.

    Example:
        >>> from datetime import UTC
        >>> packed = b"".join(zip_pieces([("a.txt", ["one ", "two"])], datetime(2026, 3, 1, tzinfo=UTC)))
        >>> zipfile.ZipFile(io.BytesIO(packed)).read("a.txt")
        b'one two'
    """
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, pieces in files:
            info = zipfile.ZipInfo(name, now.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as entry:
                for piece in pieces:
                    entry.write(piece.encode())
                    if len(pipe.held) >= PIECE_BYTES:
                        yield pipe.take()
    yield pipe.take()


def csv_cell(value: object) -> str:
    """Give a value as a cell that no spreadsheet takes for a formula.

    Example:
        >>> csv_cell("@home"), csv_cell(-0.5), csv_cell(None), csv_cell({"b": [1]})
        ("'@home", '-0.5', '', '{"b": [1]}')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(plain(value), ensure_ascii=False)


def plain(value: object) -> Any:
    """Give a value as JSON has it: times in ISO form, infinite numbers as words.

    Example:
        >>> plain({"psnr": math.inf, "rank": 1})
        {'psnr': 'inf', 'rank': 1}
    """
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


class _Pipe(io.RawIOBase):
    """What a zip is written to: it cannot go back, so what was written can be handed on at once."""

    def __init__(self) -> None:
        super().__init__()
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.held += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self.held)
        self.held.clear()
        return taken
