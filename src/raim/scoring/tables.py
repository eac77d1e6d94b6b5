"""The score table as CSV: one row for each image, then one for each scenario's and each entry's mean."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from raim.files import place_file
from raim.scoring.records import EntryScore, ScoreTable
from raim.tables import escape_cell

MEAN = "mean"
FIRST = ("entry", "kind", "name", "scenario")
LAST = ("rank", "n_scored", "n_expected", "warnings", "unscored")


def write_csv(table: ScoreTable, path: Path) -> None:
    """Write the table as CSV; a value that could not be measured is an empty cell, with the reason in its row.

    Raises:
        OutputError: It cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*FIRST, *table.profile.columns, *LAST])
    ranks = table.ranks()
    for entry in table.entries:
        writer.writerows(_rows(entry, table, ranks.get(entry.name)))
    place_file(path, text.getvalue().encode("utf-8", errors="replace"))


def _rows(entry: EntryScore, table: ScoreTable, rank: int | None) -> Iterator[list[str]]:
    for image in entry.images:
        cells = _cells(image.values, table.profile.columns)
        notes = ["; ".join(image.warnings), image.unscored or ""]
        yield [
            *_name(entry.name, "image", image.name, image.scenario),
            *cells,
            "",
            "",
            "",
            *map(escape_cell, notes),
        ]
    for scenario, part in entry.by_scenario().items():
        yield _mean_row(part, table, scenario, None, part.why_incomplete)
    yield _mean_row(entry, table, None, rank, table.why_unranked(entry))


def _mean_row(
    part: EntryScore, table: ScoreTable, scenario: str | None, rank: int | None, why: str | None
) -> list[str]:
    """Make the row of a scenario, or of a whole entry."""
    kind = "entry" if scenario is None else "scenario"
    cells = _cells(part.mean, table.profile.columns)
    counts = [str(rank or ""), str(part.n_scored), str(part.n_expected)]
    return [*_name(part.name, kind, MEAN, scenario), *cells, *counts, "", escape_cell(why or "")]


def _name(entry: str, kind: str, name: str, scenario: str | None) -> list[str]:
    return [escape_cell(cell) for cell in (entry, kind, name, scenario or "")]


def _cells(values: Mapping[str, float | None], columns: tuple[str, ...]) -> list[str]:
    return [_cell(values.get(column)) for column in columns]


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if math.isfinite(value) else str(value)
