"""Tables as CSV: UTF-8, commas, a line feed after each row, and no cell that a spreadsheet would run."""

import csv
import html
import io
import json
import math
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from raim.tables.cells import escape_cell


class Digits(str):
    """A number that is written already, such as one of nine digits; it is no formula."""

    __slots__ = ()


def format_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return a table as CSV that `parse_table` reads back.

    Args:
        columns: Names of the columns.
        rows: Cells of each row: None is an empty cell, and see `format_cell`.

    Example:
        >>> format_table(["team", "score"], [("=Alpha", -1.5), ("Beta, Ltd.", None)])
        'team,score\n\'=Alpha,-1.5\n"Beta, Ltd.",\n'
    """
    return "".join(format_rows([columns, *rows]))


def format_html(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as HTML, such as notebooks show; cells are shown as they are, and None as nothing.

    Example:
        >>> format_html(["team"], [["<b>"], [None]])
        '<table><tr><th>team</th></tr><tr><td>&lt;b&gt;</td></tr><tr><td></td></tr></table>'
    """
    lines = [
        "".join(f"<{tag}>{html.escape('' if cell is None else str(cell))}</{tag}>" for cell in row)
        for tag, row in [("th", columns), *(("td", row) for row in rows)]
    ]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def format_rows(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the line of each row, one by one."""
    held = io.StringIO(newline="")
    writer = csv.writer(held, lineterminator="\r\n")  # so that a cell with either of them is quoted
    for row in rows:
        writer.writerow([format_cell(cell) for cell in row])
        yield held.getvalue()[:-2] + "\n"
        held.seek(0)
        held.truncate()


def format_cell(value: object) -> str:
    """Return the text of a cell: numbers with all digits, times in ISO form, records as JSON.

    Example:
        >>> format_cell("@home"), format_cell(-0.5), format_cell(None), format_cell(True), format_cell({"b": [1]})
        ("'@home", '-0.5', '', 'true', '{"b": [1]}')
        >>> format_cell(Digits("-1.50"))
        '-1.50'
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value if isinstance(value, Digits) else escape_cell(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, numbers.Real):  # NumPy's too, whose own repr names its type
        return repr(int(value) if isinstance(value, numbers.Integral) else float(value))
    return json.dumps(json_value(value), ensure_ascii=False)


def json_value(value: object) -> Any:
    """Return a value as JSON has it: times in ISO form, infinite numbers as words.

    Example:
        >>> json_value({"psnr": math.inf, "rank": 1})
        {'psnr': 'inf', 'rank': 1}
    """
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): json_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(each) for each in value]
    return value
