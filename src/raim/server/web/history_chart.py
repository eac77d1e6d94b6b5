"""The chart of best scores over time, as an SVG picture without scripts or styles of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

WIDTH, HEIGHT = 760, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 12, 34
TEAMS = 10
History = Mapping[str, Sequence[tuple[datetime, float]]]


def draw_history(history: History, *, zone: ZoneInfo) -> Markup:
    """Draw the best score so far of the best ten teams as steps over time.

    Args:
        history: For each team (time, best score so far), in the order of time.
        zone: In which the axis shows dates.

    Returns:
        An svg element; empty where there are not two different times.
    """
    best = sorted(history.items(), key=lambda item: -item[1][-1][1])[:TEAMS]
    times = [time for _, line in best for time, _ in line]
    if not best or min(times) == max(times):
        return Markup()
    scores = [score for _, line in best for _, score in line]
    low, high = min(scores), max(scores)
    margin = max((high - low) * 0.06, 0.5)
    axes = _Axes(start=min(times), end=max(times), low=low - margin, high=high + margin)
    parts = [*_grid(axes, zone)]
    parts += [_line(number, team, line, axes) for number, (team, line) in enumerate(best)]
    parts += _names(best, axes)
    label = f"Best scores over time of {len(best)} teams; {best[0][0]} leads with {best[0][1][-1][1]:.2f}"
    body = Markup("").join(parts)
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">{}</svg>'
    ).format(WIDTH, HEIGHT, label, body)


class _Axes:
    """From time and score to pixels."""

    def __init__(self, *, start: datetime, end: datetime, low: float, high: float) -> None:
        self.start, self.end, self.low, self.high = start, end, low, high

    def x(self, moment: datetime) -> float:
        """Give the column."""
        return LEFT + (WIDTH - LEFT - RIGHT) * ((moment - self.start) / (self.end - self.start))

    def y(self, score: float) -> float:
        """Give the row."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - score) / (self.high - self.low)


def _grid(axes: _Axes, zone: ZoneInfo) -> list[Markup]:
    parts = []
    for step in range(5):
        score = axes.low + (axes.high - axes.low) * step / 4
        y = axes.y(score)
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                LEFT, WIDTH - RIGHT, y, y
            )
        )
        parts.append(
            Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{:.1f}</text>').format(
                LEFT - 6, y + 4, score
            )
        )
    for moment, anchor in ((axes.start, "start"), (axes.end, "end")):
        text = f"{moment.astimezone(zone):%Y-%m-%d}"
        parts.append(
            Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                axes.x(moment), HEIGHT - 10, anchor, text
            )
        )
    return parts


def _line(number: int, team: str, line: Sequence[tuple[datetime, float]], axes: _Axes) -> Markup:
    points, before = [], None
    for moment, score in line:
        if before is not None:
            points.append(f"{axes.x(moment):.1f},{axes.y(before):.1f}")
        points.append(f"{axes.x(moment):.1f},{axes.y(score):.1f}")
        before = score
    points.append(f"{axes.x(axes.end):.1f},{axes.y(line[-1][1]):.1f}")
    return Markup(
        '<polyline class="series series-{}" fill="none" points="{}"><title>{}</title></polyline>'
    ).format(number, " ".join(points), escape(team))


def _names(best: Sequence[tuple[str, Sequence[tuple[datetime, float]]]], axes: _Axes) -> list[Markup]:
    """Name each line at its end, from the top down, none over another."""
    parts, free = [], TOP + 4.0
    for number, (team, line) in enumerate(best):
        y = max(axes.y(line[-1][1]) + 4, free)
        free = y + 15
        name = team if len(team) <= 20 else f"{team[:19]}…"
        parts.append(
            Markup('<text class="name series-{}" x="{}" y="{:.1f}">{}</text>').format(
                number, WIDTH - RIGHT + 8, y, name
            )
        )
    return parts
