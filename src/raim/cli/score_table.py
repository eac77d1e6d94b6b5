"""The score table on the terminal."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from raim.scoring import ImageScore, Profile, ScoreTable

DIGITS = {"psnr": 2, "ssim": 4, "lpips": 4, "dists": 4, "niqe": 3, "score": 2}
MOST_LINES = 20


def print_scores(table: "ScoreTable") -> None:
    """Print the means, per scenario where there are scenarios, then what has no score and why."""
    from rich.console import Console

    console = Console()
    console.print(_make_grid(table))
    lines = list(_describe_gaps(table))
    for line in lines[:MOST_LINES]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if len(lines) > MOST_LINES:
        console.print(f"... and {len(lines) - MOST_LINES} more; --json, --csv and --html have all of them")


def _make_grid(table: "ScoreTable") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        title=f"profile {table.profile.name}, means over images", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    grid.add_column("entry", overflow="fold")
    grid.add_column("images", justify="right", no_wrap=True)
    for column in table.profile.columns:
        arrow = "\u2191" if table.profile.is_higher_better(column) else "\u2193"
        grid.add_column(f"{column.upper()} {arrow}", justify="right", no_wrap=True)
    for entry in table.entries:
        cells = _cells(entry.mean, table.profile)
        grid.add_row(Text(entry.name), _count(entry.images), *cells, style="bold")
        for scenario, values in entry.by_scenario().items():
            images = [image for image in entry.images if image.scenario == scenario]
            grid.add_row(Text(f"  {scenario}"), _count(images), *_cells(values, table.profile), style="dim")
    return grid


def _count(images: "Sequence[ImageScore]") -> str:
    return f"{sum(image.unscored is None for image in images)}/{len(images)}"


def _cells(values: Mapping[str, float | None], profile: "Profile") -> list[str]:
    return [_cell(values.get(column), DIGITS.get(column, 4)) for column in profile.columns]


def _cell(value: float | None, digits: int) -> str:
    if value is None:
        return "-"
    return f"{value:.{digits}f}" if math.isfinite(value) else str(value)


def _describe_gaps(table: "ScoreTable") -> Iterator[str]:
    for entry in table.entries:
        yield from (f"note: {entry.name}: {note}" for note in entry.notes)
        yield from (
            f"no score: {entry.name}: {image.name}: {image.unscored}"
            for image in entry.images
            if image.unscored is not None
        )
