"""The table of charts, and the one function that draws any of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from raim.errors import InputError, unknown_name
from raim.report.closed.charts.agreement import draw_agreement, judge_rows
from raim.report.closed.charts.canvas import Canvas, ChartFormat, Theme, render_figure
from raim.report.closed.charts.heat import (
    HeatRows,
    criterion_rows,
    draw_heat,
    issue_rows,
    rank_rows,
    scenario_rows,
)
from raim.report.closed.charts.intervals import draw_finals, draw_intervals, final_rows, point_rows
from raim.report.closed.charts.scatter import draw_scatter, scatter_rows
from raim.report.closed.charts.timeline import draw_timeline, timeline_rows
from raim.report.closed.material import SIMULATED, Material

WIDTH = 7.2  # inches
ROW_HEIGHT = 0.32


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A kind of chart.

    Attributes:
        title: For its caption.
        text: What it shows and how to read it, for the caption and for who cannot see it.
        count: How many rows it has for a material; 0 if there is nothing to draw.
        draw: Draws it.
        row_height: Inches a row; 0 for a chart of one height.
        height: Inches without the rows.
        has_votes: Whether it shows what votes say.
    """

    title: str
    text: str
    count: Callable[[Material], int]
    draw: Callable[[Canvas, Material], None]
    row_height: float = ROW_HEIGHT
    height: float = 0.9
    has_votes: bool = True


def _heat(
    title: str,
    text: str,
    find: Callable[[Material], HeatRows | None],
    *,
    decimals: int,
    is_from_zero: bool = True,
    has_votes: bool = True,
) -> Chart:
    def count(material: Material) -> int:
        rows = find(material)
        return 0 if rows is None else len(rows.teams)

    def draw(canvas: Canvas, material: Material) -> None:
        rows = find(material)
        if rows is not None:
            draw_heat(canvas, rows, decimals=decimals, is_from_zero=is_from_zero)

    return Chart(title=title, text=text, count=count, draw=draw, height=1.4, has_votes=has_votes)


CHARTS: Mapping[str, Chart] = MappingProxyType(
    {
        "finals": Chart(
            title="Final scores",
            text="Dots: final score of each team, best first. Bars: 95 % interval over judges and images.",
            count=lambda material: len(final_rows(material)),
            draw=draw_finals,
        ),
        "points": Chart(
            title="Points of the study",
            text="Dots: points of each team, in the order of the ranking. Bars: 95 % interval over judges and images.",
            count=lambda material: len(point_rows(material)),
            draw=draw_intervals,
        ),
        "final_ranks": _heat(
            "How sure the ranks are",
            "Each row is a team; the number is in how many of a hundred draws of judges and images it has that rank.",
            rank_rows,
            decimals=0,
        ),
        "score_points": Chart(
            title="SCORE against points",
            text="Each dot is a team: what the measures say to the right, what the judges say upwards. "
            "A hollow dot is an entry without a rank.",
            count=lambda material: len(scatter_rows(material)),
            draw=draw_scatter,
            row_height=0,
            height=4.4,
        ),
        "issues": _heat(
            "Points per issue",
            "Each row is a team, each column an issue of the images; points for one image, mean of the judges.",
            issue_rows,
            decimals=2,
        ),
        "criteria": _heat(
            "Points per criterion",
            "Only picks for which judges gave the criterion as a reason; points for one image, mean of the judges.",
            criterion_rows,
            decimals=2,
        ),
        "agreement": Chart(
            title="Agreement between judges",
            text="Each dot is a judge: how alike their order of the teams is to that of all others, 1 the same.",
            count=lambda material: len(judge_rows(material)),
            draw=draw_agreement,
            row_height=0.26,
        ),
        "scenarios": _heat(
            "SCORE per scenario",
            "Each row is a team, each column a scenario of the pairs; the number is the mean SCORE.",
            scenario_rows,
            decimals=1,
            is_from_zero=False,
            has_votes=False,
        ),
        "timeline": Chart(
            title="Submissions over time",
            text="Dots: SCORE of every submission. Lines: the best so far of the teams that lead in the end.",
            count=lambda material: len(timeline_rows(material)),
            draw=draw_timeline,
            row_height=0,
            height=4.0,
            has_votes=False,
        ),
    }
)


def available_charts(material: Material) -> tuple[str, ...]:
    """Name the charts for which there is something to draw.

    Example:
        >>> from raim.challenge import Entrant, rank_teams
        >>> ranking = rank_teams([Entrant(team="a", score=70.0, points=3.0), Entrant(team="b", score=60.0, points=1.0)])
        >>> available_charts(Material(title="A challenge", ranking=ranking))
        ('finals', 'points', 'score_points')
    """
    return tuple(name for name, chart in CHARTS.items() if chart.count(material))


def draw_chart(
    name: str,
    material: Material,
    *,
    format: ChartFormat = "svg",  # noqa: A002 - the word that callers know from matplotlib
    theme: Theme = "light",
) -> bytes:
    """Draw a chart; the same material gives the same bytes.

    Args:
        name: A key of `CHARTS`.
        material: What it shows.
        format: "svg", "pdf" or "png".
        theme: "light" and "dark" for pages (no ground of their own), "print" for paper.

    Raises:
        UnknownNameError: There is no such chart; the nearest is named.
        InputError: There is nothing to draw; see `available_charts`.
        MissingExtraError: matplotlib is not installed.

    Example:
        >>> from raim.challenge import Entrant, rank_teams
        >>> ranking = rank_teams([Entrant(team="a", score=70.0, points=3.0), Entrant(team="b", score=60.0, points=1.0)])
        >>> draw_chart("finals", Material(title="A challenge", ranking=ranking))[:5]
        b'<?xml'
    """
    if name not in CHARTS:
        raise unknown_name("chart", name, CHARTS)
    chart = CHARTS[name]
    n_rows = chart.count(material)
    if n_rows == 0:
        raise InputError(f"there is nothing to draw for the chart {name!r}: the material has no such results")
    return render_figure(
        lambda canvas: chart.draw(canvas, material),
        width=WIDTH,
        height=chart.height + chart.row_height * n_rows,
        format=format,
        theme=theme,
        footnote=SIMULATED if material.is_simulated and chart.has_votes else "",
    )
