"""The score table as CSV: one row for each image, then one for each scenario's and each entry's mean."""

import csv
import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from raim.files import place_file
from raim.scoring.records import EntryScore, ScoreTable

MEAN = "mean"
FIRST = ("entry", "kind", "name", "scenario")
LAST = ("n_scored", "n_expected", "warnings", "unscored")


def write_csv(table: ScoreTable, path: Path) -> None:
    """Write the table as CSV; a value that could not be measured is an empty cell, with the reason in its row.

    Raises:
        OutputError: It cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*FIRST, *table.profile.columns, *LAST])
    for entry in table.entries:
        writer.writerows(_rows(entry, table))
    place_file(path, text.getvalue().encode("utf-8", errors="replace"))


def _rows(entry: EntryScore, table: ScoreTable) -> Iterator[list[str]]:
    for image in entry.images:
        cells = _cells(image.values, table.profile.columns)
        notes = ["; ".join(image.warnings), image.unscored or ""]
        yield [entry.name, "image", image.name, image.scenario or "", *cells, "", "", *notes]
    for scenario, part in entry.by_scenario().items():
        yield _mean_row(part, table, "scenario", scenario, part.why_incomplete)
    yield _mean_row(entry, table, "entry", "", table.why_unranked(entry))


def _mean_row(part: EntryScore, table: ScoreTable, kind: str, scenario: str, why: str | None) -> list[str]:
    cells = _cells(part.mean, table.profile.columns)
    return [
        part.name, kind, MEAN, scenario, *cells, str(part.n_scored), str(part.n_expected), "", why or "",
    ]  # fmt: skip


def _cells(values: Mapping[str, float | None], columns: tuple[str, ...]) -> list[str]:
    return [_cell(values.get(column)) for column in columns]


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if math.isfinite(value) else str(value)
