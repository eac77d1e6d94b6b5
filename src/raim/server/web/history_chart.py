"""The chart of best scores over time, as an SVG picture without scripts or styles of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

WIDTH, HEIGHT = 760, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 12, 34
TEAMS = 10
History = Mapping[str, Sequence[tuple[datetime, float]]]


def draw_history(history: History, *, zone: ZoneInfo) -> Markup:
    """Draw the best score so far of the best ten teams as steps over time; no picture of less than two times.

    `history` is in the order of time; the axis shows dates in the zone.
    """
    best = sorted(history.items(), key=lambda item: -item[1][-1][1])[:TEAMS]
    times = [time for _, line in best for time, _ in line]
    if not best or min(times) == max(times):
        return Markup()
    scores = [score for _, line in best for _, score in line]
    low, high = min(scores), max(scores)
    margin = max((high - low) * 0.06, 0.5)
    axes = _Axes(start=min(times), end=max(times), low=low - margin, high=high + margin)
    lines = [_line(number, team, line, axes) for number, (team, line) in enumerate(best)]
    label = f"Best scores over time of {len(best)} teams; {best[0][0]} leads with {best[0][1][-1][1]:.2f}"
    body = Markup("").join([*_grid(axes, zone), *lines, *_names(best, axes)])
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">{}</svg>'
    ).format(WIDTH, HEIGHT, label, body)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Axes:
    """From time and score to pixels."""

    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, moment: datetime) -> float:
        """Return the column."""
        return LEFT + (WIDTH - LEFT - RIGHT) * ((moment - self.start) / (self.end - self.start))

    def y(self, score: float) -> float:
        """Return the row."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - score) / (self.high - self.low)


def _text(kind: str, x: float, y: float, text: str, anchor: str = "start") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, text
    )


def _grid(axes: _Axes, zone: ZoneInfo) -> Iterator[Markup]:
    for step in range(5):
        score = axes.low + (axes.high - axes.low) * step / 4
        y = axes.y(score)
        line = Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>')
        yield line.format(LEFT, WIDTH - RIGHT, y, y)
        yield _text("tick", LEFT - 6, y + 4, f"{score:.1f}", "end")
    for moment, anchor in ((axes.start, "start"), (axes.end, "end")):
        yield _text("tick", axes.x(moment), HEIGHT - 10, f"{moment.astimezone(zone):%Y-%m-%d}", anchor)


def _line(number: int, team: str, line: Sequence[tuple[datetime, float]], axes: _Axes) -> Markup:
    scores = [score for _, score in line]
    points = [(axes.x(line[0][0]), axes.y(scores[0]))]
    for (moment, score), before in zip(line[1:], scores, strict=False):
        points += [(axes.x(moment), axes.y(before)), (axes.x(moment), axes.y(score))]
    points.append((axes.x(axes.end), axes.y(scores[-1])))
    return Markup(
        '<polyline class="series series-{}" fill="none" points="{}"><title>{}</title></polyline>'
    ).format(number, " ".join(f"{x:.1f},{y:.1f}" for x, y in points), escape(team))


def _names(best: Sequence[tuple[str, Sequence[tuple[datetime, float]]]], axes: _Axes) -> Iterator[Markup]:
    """Name each line at its end, from the top down, none over another."""
    free = TOP + 4.0
    for number, (team, line) in enumerate(best):
        y = max(axes.y(line[-1][1]) + 4, free)
        free = y + 15
        name = team if len(team) <= 20 else f"{team[:19]}…"
        yield _text(f"name series-{number}", WIDTH - RIGHT + 8, y, name)
