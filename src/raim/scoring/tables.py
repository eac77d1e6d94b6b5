"""The score table as CSV: one row for each image, then one for each scenario's and each entry's mean."""

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from raim.scoring.records import EntryScore, ScoreTable

MEAN = "mean"


def write_csv(table: ScoreTable, path: Path) -> None:
    """Write the table as CSV; a value that could not be measured is an empty cell, with the reason in its row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["entry", "kind", "name", "scenario", *table.profile.columns, "warnings", "unscored"])
        for entry in table.entries:
            writer.writerows(_rows(entry, table.profile.columns))


def _rows(entry: EntryScore, columns: tuple[str, ...]) -> Iterator[list[str]]:
    for image in entry.images:
        cells = [_cell(image.values[column]) for column in columns]
        notes = ["; ".join(image.warnings), image.unscored or ""]
        yield [entry.name, "image", image.name, image.scenario or "", *cells, *notes]
    for scenario, values in entry.by_scenario().items():
        yield [entry.name, "scenario", MEAN, scenario, *_cells(values, columns), "", ""]
    yield [entry.name, "entry", MEAN, "", *_cells(entry.mean, columns), "", ""]


def _cells(values: Mapping[str, float | None], columns: tuple[str, ...]) -> list[str]:
    return [_cell(values.get(column)) for column in columns]


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.9g}" if math.isfinite(value) else str(value)
