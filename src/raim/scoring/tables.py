"""The score table as CSV: one row for each image, then one for each scenario's and each entry's mean."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from raim.files import place_file
from raim.scoring.records import EntryScore, ScoreTable
from raim.tables import Digits, format_table

MEAN = "mean"
FIRST = ("entry", "kind", "name", "scenario")
LAST = ("rank", "n_scored", "n_expected", "warnings", "unscored")


def write_csv(table: ScoreTable, path: Path) -> None:
    """Write the table as CSV; a value that could not be measured is an empty cell, with the reason in its row.

    Raises:
        OutputError: It cannot be written.
    """
    ranks = table.ranks()
    rows = (row for entry in table.entries for row in _rows(entry, table, ranks.get(entry.name)))
    text = format_table([*FIRST, *table.profile.columns, *LAST], rows)
    place_file(path, text.encode("utf-8", errors="replace"))


def _rows(entry: EntryScore, table: ScoreTable, rank: int | None) -> Iterator[list[object]]:
    for image in entry.images:
        cells = _cells(image.values, table.profile.columns)
        notes = ["; ".join(image.warnings), image.unscored]
        yield [entry.name, "image", image.name, image.scenario, *cells, None, None, None, *notes]
    for scenario, part in entry.by_scenario().items():
        yield _mean_row(part, table, scenario, None, part.why_incomplete)
    yield _mean_row(entry, table, None, rank, table.why_unranked(entry))


def _mean_row(
    part: EntryScore, table: ScoreTable, scenario: str | None, rank: int | None, why: str | None
) -> list[object]:
    """Make the row of a scenario, or of a whole entry."""
    kind = "entry" if scenario is None else "scenario"
    cells = _cells(part.mean, table.profile.columns)
    return [part.name, kind, MEAN, scenario, *cells, rank, part.n_scored, part.n_expected, None, why]


def _cells(values: Mapping[str, float | None], columns: tuple[str, ...]) -> list[Digits | None]:
    found = [values.get(column) for column in columns]
    return [None if value is None else Digits(f"{value:.9g}") for value in found]
