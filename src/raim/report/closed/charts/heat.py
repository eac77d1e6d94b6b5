"""Numbers of teams in fields whose colour follows them: final ranks, issues, criteria, scenarios.

The number stands in every field, so that nothing hangs on the colour alone.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from raim.challenge.modes import MODES
from raim.report.closed.charts.canvas import Canvas, clean, list_names
from raim.report.closed.material import Material
from raim.report.closed.ranking_tables import final_rank
from raim.study.findings import PartPoints

LETTERS_ABREAST = 78  # of the columns' names, in the width of a chart


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatRows:
    """What a chart of fields shows.

    Attributes:
        teams: From the top.
        columns: From the left.
        values: A number for each field; NaN for none.
        label: What the columns are.
    """

    teams: tuple[str, ...]
    columns: tuple[str, ...]
    values: Float[np.ndarray, "teams columns"]
    label: str


def rank_rows(material: Material) -> HeatRows | None:
    """Return the share of draws, in per cent, that each ranked team has each final rank; None without draws."""
    if material.analysis is None:
        return None
    results = {each.entry: each for each in material.analysis.entries}
    rows = [
        (row.team, final_rank(results[row.team]).shares)
        for row in material.ranking.ranked
        if row.team in results
    ]
    n_ranks = max((len(shares) for _, shares in rows), default=0)
    if n_ranks == 0:
        return None
    values = [[100 * each for each in (*shares, *([0.0] * (n_ranks - len(shares))))] for _, shares in rows]
    return HeatRows(
        teams=tuple(team for team, _ in rows),
        columns=tuple(str(rank) for rank in range(1, n_ranks + 1)),
        values=np.array(values, float),
        label="final rank; numbers are per cent of the draws",
    )


def issue_rows(material: Material) -> HeatRows | None:
    """Return points per image for each issue; None without issues."""
    return None if material.analysis is None else _part_rows(material, material.analysis.issues, "issue")


def criterion_rows(material: Material) -> HeatRows | None:
    """Return points per image for each criterion; None without reasons."""
    return (
        None if material.analysis is None else _part_rows(material, material.analysis.criteria, "criterion")
    )


def scenario_rows(material: Material) -> HeatRows | None:
    """Return SCORE for each scenario; None without scenarios."""
    teams = [material.team(name) for name in material.ranked_teams]
    scenarios = tuple(dict.fromkeys(name for each in teams for name in each.scenarios))
    if not scenarios:
        return None
    values = [[each.scenarios.get(name, {}).get("score", np.nan) for name in scenarios] for each in teams]
    return HeatRows(
        teams=tuple(each.team for each in teams),
        columns=scenarios,
        values=np.array(values, float),
        label="scenario; numbers are SCORE",
    )


def draw_heat(canvas: Canvas, rows: HeatRows, *, decimals: int, is_from_zero: bool) -> None:
    """Draw the fields.

    Args:
        canvas: To draw on.
        rows: What to draw.
        decimals: Digits of the numbers.
        is_from_zero: Whether colours begin at zero, or at the smallest number.
    """
    from matplotlib.colors import LinearSegmentedColormap

    axes, palette = canvas.axes, canvas.palette
    low, high = (
        (0.0, 1.0) if np.isnan(rows.values).all() else (np.nanmin(rows.values), np.nanmax(rows.values))
    )
    low = min(0.0, low) if is_from_zero else low
    shares = (rows.values - low) / (high - low) if high > low else np.zeros_like(rows.values)
    ramp = LinearSegmentedColormap.from_list("raim", palette.ramp)
    axes.pcolormesh(
        np.arange(len(rows.columns) + 1) - 0.5,
        np.arange(len(rows.teams) + 1) - 0.5,
        np.ma.masked_invalid(shares),
        cmap=ramp, vmin=0, vmax=1, edgecolor=palette.line, linewidth=0.5,
    )  # fmt: skip
    for (row, column), value in np.ndenumerate(rows.values):
        if np.isnan(value):
            continue
        color = _readable_on(tuple(ramp(shares[row, column])), (palette.text, palette.ramp[0]))
        axes.text(column, row, _write(value, decimals), ha="center", va="center", fontsize=9, color=color)
    list_names(canvas, list(rows.teams))
    axes.set_ylim(len(rows.teams) - 0.5, -0.5)
    _name_columns(canvas, rows.columns)
    axes.set_xlabel(rows.label)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _write(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return f"<{10.0**-decimals:g}" if 0 < value < 0.5 * 10.0**-decimals else text


def _name_columns(canvas: Canvas, names: Sequence[str]) -> None:
    """Write names under the columns, in several lines where they are long, tilted where a word is."""
    room = max(4, LETTERS_ABREAST // max(1, len(names)))
    shown = [textwrap.fill(clean(name, 48), room, break_long_words=False) for name in names]
    longest = max((len(line) for name in shown for line in name.splitlines()), default=0)
    tilt = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if longest > room else {}
    canvas.axes.set_xticks(range(len(names)), [clean(name, 24) for name in names] if tilt else shown, **tilt)


def _readable_on(ground: Sequence[float], inks: Sequence[str]) -> str:
    """Choose the ink with the highest contrast. Source: WCAG 2.2, relative luminance and contrast ratio."""
    from matplotlib.colors import to_rgb

    def luminance(color: Sequence[float]) -> float:
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color[:3]]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(ink: str) -> float:
        low, high = sorted((luminance(ground), luminance(to_rgb(ink))))
        return (high + 0.05) / (low + 0.05)

    return max(inks, key=contrast)


def _part_rows(material: Material, parts: Sequence[PartPoints], kind: str) -> HeatRows | None:
    if not parts or material.analysis is None:
        return None
    is_points = not MODES[material.analysis.mode].grades
    by_part = [{each.entry: each.points.value for each in part.entries} for part in parts]
    teams = tuple(team for team in material.ranked_teams if any(team in found for found in by_part))
    values = [
        [
            _per_image(found.get(team), part, is_points=is_points)
            for found, part in zip(by_part, parts, strict=True)
        ]
        for team in teams
    ]
    unit = "points per image and judge" if is_points else "mean grades"
    return HeatRows(
        teams=teams,
        columns=tuple(part.name or f"without {kind}" for part in parts),
        values=np.array(values, float).reshape(len(teams), len(parts)),
        label=f"{kind}; numbers are {unit}",
    )


def _per_image(points: float | None, part: PartPoints, *, is_points: bool) -> float:
    if points is None:
        return float("nan")
    return points / max(1, part.n_images) if is_points else points
