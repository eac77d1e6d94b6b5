"""Curves over the steps of a training run, as the geometry of a drawing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480.0, 200.0  # units of the drawing; the page scales it
LEFT, RIGHT, TOP, BOTTOM = 62.0, 24.0, 12.0, 26.0
WANTED_TICKS = 4
SMOOTHED = 0.05  # the part of a curve over which it is averaged for the second line
MOST_POINTS = 600  # drawn; more could not be distinguished
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One mark of an axis."""

    place: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A drawing of one number over the steps.

    Attributes:
        title: What it is.
        hint: Which way is good, or how it is drawn.
        line: Corners of the line, as SVG's polyline wants them.
        smooth: The same of its moving mean; empty where there are few points.
        dots: Each point, where there are few.
        level: Height of a dashed line to compare with.
        x_marks: Of the steps.
        y_marks: Of the values.
        summary: A sentence for who cannot see it.
    """

    title: str
    hint: str
    line: str
    smooth: str
    dots: tuple[tuple[float, float], ...]
    level: float | None
    x_marks: tuple[Mark, ...]
    y_marks: tuple[Mark, ...]
    summary: str


def draw_curve(
    title: str,
    points: Points,
    *,
    hint: str = "",
    level: float | None = None,
    last_step: float = 0.0,
    is_logarithmic: bool = False,
    is_noisy: bool = True,
) -> Curve | None:
    """Lay out a curve; None without points.

    Args:
        title: What it is.
        points: (step, value), by step.
        hint: Which way is good.
        level: A value to compare with.
        last_step: Where the axis of the steps ends, if the points end before.
        is_logarithmic: Whether values are drawn by their logarithm; those that are not positive are left out.
        is_noisy: Whether a long one gets its moving mean.

    Example:
        >>> curve = draw_curve("SCORE", [(0, 70.0), (100, 80.0)], level=70.0)
        >>> curve.line
        '62.0,155.3 456.0,30.7'
    """
    there = [(x, y) for x, y in points if math.isfinite(y) and (y > 0 or not is_logarithmic)]
    if not there:
        return None
    levels = [] if level is None else [level]
    low, high = _find_range([y for _, y in there] + levels, is_logarithmic=is_logarithmic)
    last = max(last_step, *(x for x, _ in there)) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        height = math.log10(y) if is_logarithmic else y
        across = LEFT + (WIDTH - LEFT - RIGHT) * x / last
        return across, TOP + (HEIGHT - TOP - BOTTOM) * (high - height) / (high - low)

    drawn = [place(x, y) for x, y in _thin(there)]
    is_long = len(there) > 40
    return Curve(
        title=title,
        hint=hint,
        line=_join(drawn),
        smooth=_join([place(x, y) for x, y in _thin(_average(there))]) if is_long and is_noisy else "",
        dots=() if is_long else tuple((round(x, 1), round(y, 1)) for x, y in drawn),
        level=None if level is None else round(place(0, level)[1], 1),
        x_marks=tuple(
            Mark(place=round(place(x, there[0][1])[0], 1), text=f"{x:.10g}") for x in _ticks(0, last)
        ),
        y_marks=tuple(_mark_values(low, high, is_logarithmic=is_logarithmic)),
        summary=(
            f"{title}: {there[0][1]:.4g} at step {there[0][0]:.10g}, "
            f"{there[-1][1]:.4g} at step {there[-1][0]:.10g}"
        ),
    )


def _find_range(values: Sequence[float], *, is_logarithmic: bool) -> tuple[float, float]:
    heights = [math.log10(value) for value in values if value > 0] if is_logarithmic else list(values)
    low, high = min(heights), max(heights)
    is_flat = high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-30)
    room = max(abs(high) * 0.05, 0.01) if is_flat else 0.15 * (high - low)
    return low - room, high + room


def _mark_values(low: float, high: float, *, is_logarithmic: bool) -> list[Mark]:
    return [
        Mark(
            place=round(TOP + (HEIGHT - TOP - BOTTOM) * (high - height) / (high - low), 1),
            text=f"{10**height:.2g}" if is_logarithmic else f"{height:.6g}",
        )
        for height in _ticks(low, high)
    ]


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers between two ends."""
    raw = (high - low) / WANTED_TICKS
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    first = math.ceil(low / step)
    return [round(number * step, 10) for number in range(first, math.floor(high / step) + 1)]


def _average(points: Points) -> list[tuple[float, float]]:
    """Return the mean of each point and those before it, over a twentieth of the curve."""
    length = max(2, int(len(points) * SMOOTHED))
    found = []
    for place, (x, _) in enumerate(points):
        window = [y for _, y in points[max(0, place - length + 1) : place + 1]]
        found.append((x, sum(window) / len(window)))
    return found


def _thin(points: Points) -> Points:
    step = -(-len(points) // MOST_POINTS)
    return [*points[:-1:step], points[-1]] if step > 1 else points


def _join(places: Points) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
