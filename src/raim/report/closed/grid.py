"""A table as every form of the report holds it: pages, LaTeX, CSV and JSON are made from the same cells.

A number may have an interval; in pages and LaTeX it stands behind the number, in CSV and JSON in columns of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from raim.report.columns import NO_VALUE

CellKind = Literal["text", "number", "whole", "share"]
SIMULATED_COLUMN = "votes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """A column.

    Attributes:
        key: Its name in CSV and JSON.
        title: Its name for people.
        kind: What its cells are; a share is kept as 0 to 1 and shown in per cent.
        decimals: Digits after the point that are shown; CSV and JSON have all of them.
        has_interval: Whether its numbers have an interval.
        hint: What the column is, for pages; "" where the title says it.
        reason: The column of CSV and JSON that says why there is no value; "" for none.
    """

    key: str
    title: str
    kind: CellKind = "text"
    decimals: int = 2
    has_interval: bool = False
    hint: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A value.

    Attributes:
        value: None if there is none.
        low: Lower end of its interval; None without one.
        high: Upper end.
        why: Why there is no value; "" if there is one.
        is_best: Whether it is the best of its column, to be set off.
    """

    value: str | float | int | None
    low: float | None = None
    high: float | None = None
    why: str = ""
    is_best: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A table.

    Attributes:
        name: Of its file.
        title: Its caption.
        headings: Of the columns.
        rows: A cell for each heading.
        notes: Lines under it.
        is_simulated: Whether it holds what simulated votes say; then the first note says so, and a column of the CSV.
    """

    name: str
    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    is_simulated: bool = False


def write_cell(heading: Heading, cell: Cell) -> str:
    """Write a cell for people.

    Example:
        >>> points = Heading(key="points", title="S3", kind="number", decimals=1, has_interval=True)
        >>> write_cell(points, Cell(value=57.04, low=51.0, high=63.25))
        '57.0 [51.0, 63.2]'
        >>> write_cell(points, Cell(value=None)) == NO_VALUE
        True
    """
    if cell.value is None:
        return NO_VALUE
    text = _write_value(heading, cell.value)
    if cell.low is None or cell.high is None:
        return text
    return f"{text} [{_write_value(heading, cell.low)}, {_write_value(heading, cell.high)}]"


def _write_value(heading: Heading, value: str | float) -> str:
    if isinstance(value, str):
        return value
    if heading.kind == "whole":
        return f"{value:.0f}"
    if heading.kind == "share":
        return f"{100 * value:.{heading.decimals}f} %"
    return f"{value:.{heading.decimals}f}"


def flat_columns(grid: Grid) -> tuple[str, ...]:
    """Return the names of the columns of a CSV, intervals in two columns of their own, reasons at the end."""
    names: list[str] = []
    for heading in grid.headings:
        names.append(heading.key)
        if heading.has_interval:
            names += [f"{heading.key}_low", f"{heading.key}_high"]
    names += [heading.reason for heading in grid.headings if heading.reason]
    return (*names, SIMULATED_COLUMN) if grid.is_simulated else tuple(names)


def flat_row(grid: Grid, row: Sequence[Cell]) -> tuple[Any, ...]:
    """Return the values of a row of a CSV; None where there is none."""
    values: list[Any] = []
    for heading, cell in zip(grid.headings, row, strict=True):
        values.append(cell.value)
        if heading.has_interval:
            values += [cell.low, cell.high]
    values += [cell.why for heading, cell in zip(grid.headings, row, strict=True) if heading.reason]
    return (*values, "simulated") if grid.is_simulated else tuple(values)


def mark_best(cells: Sequence[Cell], *, higher_is_better: bool = True) -> tuple[Cell, ...]:
    """Mark the best numbers of a column; equal ones all, and none if there is but one number.

    Example:
        >>> [cell.is_best for cell in mark_best([Cell(value=2.0), Cell(value=3.0), Cell(value=None)])]
        [False, True, False]
    """
    numbers = [cell.value for cell in cells if isinstance(cell.value, float | int)]
    if len(numbers) < 2:
        return tuple(cells)
    best = max(numbers) if higher_is_better else min(numbers)
    return tuple(replace(cell, is_best=cell.value == best) for cell in cells)


def pick_columns(grid: Grid, keys: Sequence[str], *, with_intervals: bool = True, **changes: Any) -> Grid:
    """Return a table with some of its columns, in their order.

    Args:
        grid: The table.
        keys: Of the columns.
        with_intervals: Whether numbers keep their intervals.
        **changes: Other fields of the table, such as its title.

    Example:
        >>> headings = (Heading(key="team", title="Team"), Heading(key="points", title="S3", kind="number"))
        >>> row = (Cell(value="a"), Cell(value=3.0, low=2.0, high=4.0))
        >>> grid = Grid(name="points", title="Points", headings=headings, rows=(row,))
        >>> picked = pick_columns(grid, ["points"], with_intervals=False)
        >>> write_cell(picked.headings[0], picked.rows[0][0])
        '3.00'
    """
    places = [place for place, heading in enumerate(grid.headings) if heading.key in keys]
    rows = tuple(tuple(row[place] for place in places) for row in grid.rows)
    headings = tuple(grid.headings[place] for place in places)
    if not with_intervals:
        rows = tuple(tuple(replace(cell, low=None, high=None) for cell in row) for row in rows)
        headings = tuple(replace(heading, has_interval=False) for heading in headings)
    return replace(grid, headings=headings, rows=rows, **changes)
