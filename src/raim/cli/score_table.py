"""The score table on the terminal."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from raim.errors import shown

if TYPE_CHECKING:
    from rich.table import Table

    from raim.scoring import EntryScore, ImageScore, Profile, ScoreTable

MOST_LINES = 20
LONGEST = 1000  # characters of a line that names an image and its reason
MOST_NAMES = 5


def print_scores(table: "ScoreTable") -> None:
    """Print the means, per scenario where there are scenarios, then what has no score and why."""
    from rich.console import Console

    console = Console()
    console.print(_make_grid(table))
    lines = list(_describe_gaps(table))
    for line in lines[:MOST_LINES]:
        console.print(shown(line, longest=LONGEST), markup=False, highlight=False, soft_wrap=True)
    if len(lines) > MOST_LINES:
        console.print(f"... and {len(lines) - MOST_LINES} more; --json, --csv and --html have all of them")


def _make_grid(table: "ScoreTable") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from raim.scoring import TITLES

    grid = Table(
        title=f"profile {table.profile.name}, means over images", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    grid.add_column("entry", overflow="fold")
    grid.add_column("rank", justify="right", no_wrap=True)
    grid.add_column("images", justify="right", no_wrap=True)
    for column in table.profile.columns:
        arrow = "\u2191" if table.profile.is_higher_better(column) else "\u2193"
        grid.add_column(f"{TITLES.get(column, column)} {arrow}", justify="right", no_wrap=True)
    ranks = table.ranks()
    for entry in table.entries:
        rank = str(ranks.get(entry.name, "-"))
        grid.add_row(Text(shown(entry.name)), rank, *_cells(entry, table.profile), style="bold")
        for scenario, part in entry.by_scenario().items():
            grid.add_row(Text(f"  {shown(scenario)}"), "", *_cells(part, table.profile), style="dim")
    return grid


def _cells(entry: "EntryScore", profile: "Profile") -> list[str]:
    mean: Mapping[str, float | None] = entry.mean
    values = [profile.show(column, mean.get(column)) for column in profile.columns]
    return [f"{entry.n_scored}/{entry.n_expected}", *values]


def _describe_gaps(table: "ScoreTable") -> Iterator[str]:
    yield from (f"note: {note}" for note in table.notes)
    for entry in table.entries:
        if (why := table.why_unranked(entry)) is not None:
            yield f"unranked: {entry.name}: {why}"
        elif entry.why_incomplete is not None:
            yield f"note: {entry.name} is ranked by the mean that it has: {entry.why_incomplete}"
    for entry in table.entries:
        yield from (f"note: {entry.name}: {note}" for note in entry.notes)
        yield from (f"no score: {line}" for line in _group_reasons(entry, entry.images))


def _group_reasons(entry: "EntryScore", images: "Iterable[ImageScore]") -> Iterator[str]:
    """Yield each reason once, with the images that have it."""
    names: dict[str, list[str]] = {}
    for image in images:
        if image.unscored is not None:
            nobody = "" if image.is_expected else " (expected of nobody)"
            names.setdefault(image.unscored + nobody, []).append(image.name)
    for reason, found in names.items():
        more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
        yield f"{entry.name}: {', '.join(found[:MOST_NAMES])}{more}: {reason}"


def list_failures(table: "ScoreTable") -> list[str]:
    """List what failed, for an error after all else is done; nothing where images merely have no score."""
    failed = [[image for image in entry.images if image.failed] for entry in table.entries]
    if not any(failed):
        return []
    lines = [
        shown(f"  {line}", longest=LONGEST)
        for entry, images in zip(table.entries, failed, strict=True)
        for line in _group_reasons(entry, images)
    ]
    more = len(lines) - MOST_LINES
    n_images = sum(len(entry.images) for entry in table.entries)
    return [
        f"{sum(map(len, failed))} of {n_images} images failed; the others are scored and written:",
        *lines[:MOST_LINES],
        *([f"  ... and {more} more"] if more > 0 else []),
    ]
