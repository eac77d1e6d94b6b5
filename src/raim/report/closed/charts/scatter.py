"""SCORE against points: whether the measures and the judges say the same."""

import numpy as np

from raim.challenge import RankedTeam
from raim.report.closed.charts.canvas import Canvas, clean
from raim.report.closed.material import Material
from raim.report.closed.ranking_tables import points_title

FEWEST_FOR_CORRELATION = 3


def scatter_rows(material: Material) -> list[RankedTeam]:
    """Return the teams that have SCORE and points, those that were left out too."""
    rows = (*material.ranking.rows, *material.ranking.left_out)
    return [row for row in rows if row.score is not None and row.points is not None]


def draw_scatter(canvas: Canvas, material: Material) -> None:
    """Draw a named dot for each team; who has no rank has a hollow one, and is not in the correlation."""
    axes, palette = canvas.axes, canvas.palette
    rows = scatter_rows(material)
    places = np.array([(row.score, row.points) for row in rows], float)
    for row, (x, y) in zip(rows, places, strict=True):
        is_out = row.rank is None
        axes.plot([x], [y], "o", markersize=7, color=palette.accent, fillstyle="none" if is_out else "full")
    low, high = places.min(0), places.max(0)
    spread = np.where(high > low, high - low, 1.0)
    axes.set_xlim(low[0] - 0.08 * spread[0], high[0] + 0.08 * spread[0])
    axes.set_ylim(low[1] - 0.10 * spread[1], high[1] + 0.12 * spread[1])
    _label(canvas, rows, (places - low) / spread, places)
    axes.set_xlabel("SCORE (S2)")
    axes.set_ylabel(points_title(material.analysis))
    axes.spines["left"].set_visible(True)
    axes.grid()
    ranked = places[[row.rank is not None for row in rows]]
    if len(ranked) >= FEWEST_FOR_CORRELATION and np.all(np.ptp(ranked, axis=0) > 0):
        axes.set_title(f"rank correlation {_spearman(ranked):.2f}", loc="left", color=palette.quiet)


def _label(canvas: Canvas, rows: list[RankedTeam], shares: np.ndarray, places: np.ndarray) -> None:
    """Write names beside their dots: to the left on the right side; lower where another name is in the way."""
    taken: list[tuple[float, float, bool]] = []
    for row in sorted(range(len(rows)), key=lambda place: -shares[place, 1]):
        x, y = shares[row]
        is_left = bool(x > 0.6)
        height = y
        while any(
            side == is_left and abs(height - other) < 0.055 and abs(x - at) < 0.35
            for at, other, side in taken
        ):
            height -= 0.03
        taken.append((x, height, is_left))
        canvas.axes.annotate(
            clean(rows[row].team, 22), places[row], xytext=(-9 if is_left else 9, 260 * (height - y)),
            textcoords="offset points", ha="right" if is_left else "left", va="center", fontsize=9,
            color=canvas.palette.text,
        )  # fmt: skip


def _spearman(places: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(places[:, 0], places[:, 1]).statistic)
