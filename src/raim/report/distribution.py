"""The distribution of a measure over the images of each entry, as the geometry of a strip chart.

One strip for each entry, one dot for each scored image at its value, a line at the mean. Dots that would hide each
other go to further lanes of the strip; nothing is binned or smoothed, so what is drawn is what was measured.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raim.report.columns import TableColumn, find_columns
from raim.scoring.records import EntryScore, ImageScore, ScoreTable

WIDTH = 480  # units of the drawing; the page scales it
MARGIN = 14
LABEL_HEIGHT = 18
STRIP_HEIGHT = 30
AXIS_HEIGHT = 34
RADIUS = 3.5
LANES = 5
LONGEST_LABEL = 52
WANTED_TICKS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """One image: where it lies in the drawing, and what it says when pointed at."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DotRow:
    """One entry: label (cut to fit), the full name, dots, the mean's place, and a sentence for who cannot see."""

    label: str
    label_y: float
    middle_y: float
    dots: tuple[Dot, ...]
    mean_x: float | None
    summary: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AxisTick:
    """One mark of the axis."""

    x: float
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StripChart:
    """The drawing of one measure.

    Attributes:
        column: The measure.
        width: Of the drawing.
        height: Of the drawing.
        axis_y: Where the axis lies.
        strips: From the top, in the table's order.
        ticks: From the left.
    """

    column: TableColumn
    width: int
    height: int
    axis_y: int
    strips: tuple[DotRow, ...]
    ticks: tuple[AxisTick, ...]


def draw_distributions(table: ScoreTable) -> tuple[StripChart, ...]:
    """Draw one chart for each column that has a finite value."""
    charts = [draw_strips(table.entries, column) for column in find_columns(table.profile)]
    return tuple(chart for chart in charts if chart is not None)


def draw_strips(entries: Sequence[EntryScore], column: TableColumn) -> StripChart | None:
    """Draw one column; None if no image has a finite value of it.

    Example:
        >>> from raim.scoring import PROFILES, EntryScore, ImageScore
        >>> images = tuple(ImageScore(name=str(n), values={"score": 60.0 + n}) for n in range(3))
        >>> score = find_columns(PROFILES["raim-2024"])[0]
        >>> chart = draw_strips([EntryScore(name="alpha", images=images)], score)
        >>> chart.strips[0].summary
        'alpha: 3 images, lowest 60.00, median 61.00, highest 62.00, mean 61.00'
        >>> [tick.text for tick in chart.ticks]
        ['60', '60.5', '61', '61.5', '62']
    """
    finite = [value for entry in entries for _, value in _finite(entry, column)]
    if not finite:
        return None
    ticks = place_ticks(min(finite), max(finite))
    low, high = ticks[0], ticks[-1]
    strips = tuple(_draw_strip(entry, column, index, low, high) for index, entry in enumerate(entries))
    axis_y = len(entries) * (LABEL_HEIGHT + STRIP_HEIGHT)
    return StripChart(
        column=column,
        width=WIDTH,
        height=axis_y + AXIS_HEIGHT,
        axis_y=axis_y,
        strips=strips,
        ticks=tuple(AxisTick(x=_place(value, low, high), text=f"{value:.6g}") for value in ticks),
    )


def place_ticks(low: float, high: float) -> tuple[float, ...]:
    """Choose about five round values that enclose `low` and `high`, in steps of 1, 2 or 5 times a power of ten.

    Example:
        >>> place_ticks(0.12, 0.41)
        (0.1, 0.2, 0.3, 0.4, 0.5)
        >>> place_ticks(3.0, 3.0)
        (2.5, 3.0, 3.5)
    """
    if high <= low:
        spread = max(abs(low), 1.0) * 1e-3 if abs(low) > 1e6 else 0.5
        low, high = low - spread, high + spread
    rough = (high - low) / (WANTED_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(number * step, 12) for number in range(first, last + 1))


def _draw_strip(entry: EntryScore, column: TableColumn, index: int, low: float, high: float) -> DotRow:
    top = index * (LABEL_HEIGHT + STRIP_HEIGHT)
    middle = top + LABEL_HEIGHT + STRIP_HEIGHT / 2
    measured = sorted(_finite(entry, column), key=lambda pair: pair[1])
    places = [_place(value, low, high) for _, value in measured]
    mean = entry.mean.get(column.key)
    return DotRow(
        label=_cut(entry.name),
        label_y=top + LABEL_HEIGHT - 5,
        middle_y=middle,
        dots=tuple(
            Dot(x=x, y=middle + offset, text=f"{image.name}: {column.format(value)}")
            for (image, value), x, offset in zip(measured, places, spread_lanes(places), strict=True)
        ),
        mean_x=_place(mean, low, high) if mean is not None and math.isfinite(mean) else None,
        summary=_summarise(entry, column),
    )


def spread_lanes(places: Sequence[float]) -> tuple[float, ...]:
    """Return each of the rising places an offset from the strip's middle so that few dots hide each other.

    Example:
        >>> spread_lanes([10.0, 10.0, 50.0])
        (0.0, 4.5, 0.0)
    """
    offsets = [0.0]
    for lane in range(1, LANES // 2 + 1):
        offsets += [lane * 4.5, -lane * 4.5]
    last = [-math.inf] * len(offsets)
    found = []
    for x in places:
        free = [lane for lane in range(len(offsets)) if x - last[lane] >= 2 * RADIUS]
        lane = free[0] if free else min(range(len(offsets)), key=last.__getitem__)
        last[lane] = x
        found.append(offsets[lane])
    return tuple(found)


def _finite(entry: EntryScore, column: TableColumn) -> Iterable[tuple[ImageScore, float]]:
    for image in entry.scored:
        value = image.values.get(column.key)
        if value is not None and math.isfinite(value):
            yield image, value


def _place(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return round(MARGIN + share * (WIDTH - 2 * MARGIN), 2)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 1] + "…"


def _summarise(entry: EntryScore, column: TableColumn) -> str:
    values = [value for _, value in _finite(entry, column)]
    n_infinite = len(entry.scored) - len(values)
    more = f"; {n_infinite} infinite, not drawn" if n_infinite else ""
    if not values:
        return f"{entry.name}: no image to draw{more}"
    lowest, middle, highest = (
        column.format(value) for value in (min(values), statistics.median(values), max(values))
    )
    return (
        f"{entry.name}: {len(values)} image{'s' if len(values) > 1 else ''}, lowest {lowest}, "
        f"median {middle}, highest {highest}, mean {column.format(entry.mean.get(column.key))}{more}"
    )
