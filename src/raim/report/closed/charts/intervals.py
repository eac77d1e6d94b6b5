"""A value with its interval for each team: points, final scores."""

from collections.abc import Sequence

from raim.report.closed.charts.canvas import Canvas, list_names
from raim.report.closed.material import Material
from raim.report.closed.ranking_tables import points_title
from raim.study.findings import Estimate, JudgedEntry

Row = tuple[str, float, Estimate | None]


def point_rows(material: Material) -> list[Row]:
    """Return the points of each team that has some, best first."""
    return _rows(material, "points")


def final_rows(material: Material) -> list[Row]:
    """Return the final score of each ranked team, best first."""
    return _rows(material, "final")


def draw_intervals(canvas: Canvas, material: Material) -> None:
    """Draw points with their intervals."""
    _draw(canvas, point_rows(material), f"{points_title(material.analysis)}, 95 % interval")


def draw_finals(canvas: Canvas, material: Material) -> None:
    """Draw final scores with their intervals."""
    _draw(canvas, final_rows(material), "final score, 95 % interval")


def _rows(material: Material, name: str) -> list[Row]:
    results: dict[str, JudgedEntry] = (
        {} if material.analysis is None else {each.entry: each for each in material.analysis.entries}
    )
    rows = []
    for row in (*material.ranking.rows, *material.ranking.left_out):
        value = getattr(row, name)
        if value is not None:
            found = results.get(row.team)
            rows.append((row.team, float(value), None if found is None else getattr(found, name)))
    return rows


def _draw(canvas: Canvas, rows: Sequence[Row], label: str) -> None:
    axes, palette = canvas.axes, canvas.palette
    for place, (_, value, interval) in enumerate(rows):
        right = value
        if interval is not None and interval.low is not None and interval.high is not None:
            axes.plot([interval.low, interval.high], [place, place], color=palette.soft, linewidth=5,
                      solid_capstyle="butt", zorder=2)  # fmt: skip
            right = max(right, interval.high)
        axes.plot([value], [place], "o", color=palette.accent, markersize=7, zorder=3)
        axes.annotate(f"{value:.1f}", (right, place), xytext=(9, 0), textcoords="offset points", va="center",
                      color=palette.text, fontsize=9)  # fmt: skip
    list_names(canvas, [team for team, _, _ in rows])
    has_intervals = any(interval is not None and interval.low is not None for _, _, interval in rows)
    axes.set_xlabel(label if has_intervals else label.removesuffix(", 95 % interval"))
    axes.grid(axis="x")
    axes.margins(x=0.09)
