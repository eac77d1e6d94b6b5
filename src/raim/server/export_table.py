"""Tables as CSV, as JSON, and all of them as one zip; in pieces, so that no table is ever held whole."""

import io
import itertools
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from raim.tables import format_rows, json_value

PIECE_BYTES = 2**16


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportTable:
    """A table of an export.

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


def csv_pieces(table: ExportTable) -> Iterator[str]:
    r"""Yield a table as CSV, line by line.

    Example:
        >>> rows = [("=1+1", -1.5), (None, True)]
        >>> table = ExportTable(name="t", title="", columns=("a", "b"), read=lambda: iter(rows))
        >>> list(csv_pieces(table))
        ['a,b\n', "'=1+1,-1.5\n", ',true\n']
    """
    yield from format_rows(itertools.chain([table.columns], table.read()))


def json_pieces(table: ExportTable) -> Iterator[str]:
    r"""Yield a table as a JSON list with an object for each row.

    Example:
        >>> rows = [("x", float("inf")), (None, {})]
        >>> table = ExportTable(name="t", title="", columns=("a", "b"), read=lambda: iter(rows))
        >>> print("".join(json_pieces(table)), end="")
        [
        {"a": "x", "b": "inf"},
        {"a": null, "b": {}}
        ]
    """
    joint = "[\n"
    for row in table.read():
        record = {name: json_value(each) for name, each in zip(table.columns, row, strict=True)}
        yield joint + json.dumps(record, ensure_ascii=False, allow_nan=False)
        joint = ",\n"
    yield "[]\n" if joint == "[\n" else "\n]\n"


def zip_pieces(files: Iterable[tuple[str, Iterable[str]]], now: datetime) -> Iterator[bytes]:
    """Yield a zip of text files, each as (name, pieces of its text); its entries carry the time.

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


class _Pipe(io.RawIOBase):
    """What a zip is written to: it cannot go back, so what was written can be sent at once."""

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
