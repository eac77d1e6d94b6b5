"""Submissions over time: each one's SCORE, and the best so far of the teams that lead in the end."""

from datetime import UTC

from raim.report.closed.charts.canvas import Canvas, clean
from raim.report.closed.material import Material, Submitted

MOST_LINES = 6


def timeline_rows(material: Material) -> list[Submitted]:
    """Return the submissions that have a SCORE, in the order of time."""
    return sorted((each for each in material.timeline if each.score is not None), key=lambda each: each.at)


def draw_timeline(canvas: Canvas, material: Material) -> None:
    """Draw a dot for each submission and a line for the best so far of the first teams."""
    axes, palette = canvas.axes, canvas.palette
    rows = timeline_rows(material)
    times = [each.at.astimezone(UTC).replace(tzinfo=None) for each in rows]
    axes.plot(
        times, [each.score for each in rows], ".", color=palette.quiet, alpha=0.5, markersize=5, zorder=2
    )
    there = {each.team for each in rows}
    first = [team for team in material.ranked_teams if team in there][:MOST_LINES]
    ends = []
    for team, color in zip(first, palette.lines, strict=False):
        own = [(at, each.score or 0.0) for at, each in zip(times, rows, strict=True) if each.team == team]
        best, line = float("-inf"), []
        for at, score in own:
            best = max(best, score)
            line.append((at, best))
        line.append((times[-1], best))
        axes.step(
            [at for at, _ in line],
            [score for _, score in line],
            where="post",
            color=color,
            linewidth=2,
            zorder=3,
        )
        ends.append((best, team, color))
    _name_lines(canvas, ends, times[-1])
    _mark_time(canvas, times[0] == times[-1])
    axes.set_ylabel("SCORE")
    axes.set_xlabel("UTC; dots: every submission, lines: best so far")
    axes.spines["left"].set_visible(True)
    axes.grid(axis="y")


def _name_lines(canvas: Canvas, ends: list[tuple[float, str, str]], at: object) -> None:
    """Write the teams' names at the ends of their lines, apart from each other."""
    if not ends:
        return
    low, high = canvas.axes.get_ylim()
    apart, last = 0.06 * (high - low), float("inf")
    for best, team, color in sorted(ends, reverse=True):
        last = min(best, last - apart)
        canvas.axes.annotate(clean(team, 20), (at, last), xytext=(7, 0), textcoords="offset points", va="center",
                             color=color, fontsize=9, annotation_clip=False)  # fmt: skip


def _mark_time(canvas: Canvas, is_moment: bool) -> None:  # noqa: FBT001 - the one thing it asks
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=7)
    canvas.axes.xaxis.set_major_locator(locator)
    canvas.axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    if is_moment:
        canvas.axes.margins(x=0.2)
