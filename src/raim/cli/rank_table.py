"""The final ranking on the terminal, in the form of the report's Table 1."""

from typing import TYPE_CHECKING

from raim.cli.wording import say_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from raim.challenge import FinalRanking, RankedTeam, Weights


def print_ranking(ranking: "FinalRanking", *, notes: "Sequence[str]" = ()) -> None:
    """Print the ranking, who was left out, and what a reader must know, of how it was read first."""
    from rich.console import Console

    console = Console()
    title = f"final = {ranking.weights.score:g} S2 + {ranking.weights.study:g} S3n"
    console.print(_make_grid(ranking.rows, title, ranking.decimals))
    for line in (*(f"note: {note}" for note in notes), *describe_ranking_table(ranking)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if ranking.with_left_out is not None:
        title = "with everybody who was voted on"
        console.print(_make_grid(ranking.with_left_out.rows, title, ranking.decimals))


def describe_ranking_table(ranking: "FinalRanking") -> list[str]:
    """Return the lines under the table."""
    lines = [f"note: {ranking.note}"] if ranking.note else []
    if ranking.effective is not None and ranking.weights.study:
        lines.append(
            f"The shares {_percent(ranking.weights)} act like {_percent(ranking.effective)} of SCORE and study, "
            "since the two are spread differently."
        )
    lines += [f"{row.team}: no rank, {row.why_unranked}" for row in ranking.rows if row.rank is None]
    return lines + [f"{row.team}: {row.why_unranked}" for row in ranking.left_out]


def _percent(weights: "Weights") -> str:
    return f"{100 * weights.score:.0f} and {100 * weights.study:.0f} %"


def _make_grid(rows: "Sequence[RankedTeam]", title: str, decimals: int) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    grid.add_column("rank", justify="right", no_wrap=True)
    grid.add_column("team", overflow="fold")
    for name in ("S2", "S3", "S3n", "final"):
        grid.add_column(name, justify="right", no_wrap=True)
    has_awards = any(row.award for row in rows)
    if has_awards:
        grid.add_column("award", overflow="fold")
    for row in rows:
        cells: list[str | Text] = [
            "-" if row.rank is None else str(row.rank),
            Text(row.team),
            say_number(row.score, 2),
            say_number(row.points, 2),
            say_number(row.normalised, 2),
            say_number(row.final, decimals),
        ]
        if has_awards:
            cells.append(Text(row.award))
        grid.add_row(*cells)
    return grid
