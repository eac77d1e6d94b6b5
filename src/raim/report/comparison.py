"""The comparison page: one self-contained HTML file with each photograph before and after, under a slider.

Pictures are within the page, lossless, and are shown at whole screen pixels for each of theirs. It loads nothing, and
its Content-Security-Policy allows just its own style and script, by their hashes.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from raim import __version__
from raim.report.compared import ComparedPicture, Comparison, show_comparison
from raim.report.pages import load_template, read_asset, write_page
from raim.report.policy import write_policy

__all__ = ["Comparison", "write_comparison"]

MAX_PICTURES = 24
# Of all pictures together, before and after each: lossless photographs take 1 to 2 bytes per pixel, so that a page
# has 20 to 40 MB at most.
PIXEL_BUDGET = 8_000_000
LONGEST_SIDE_PX, SHORTEST_SIDE_PX = 2048, 512


def write_comparison(
    path: Path,
    entries: Iterable[Comparison],
    *,
    title: str = "Before and after",
    note: str = "",
    created: datetime | None = None,
) -> None:
    """Write the page of photographs before and after to one HTML file.

    At most 24 photographs are shown, and of each at most what fits a budget of 8 megapixels for all of them: the
    part that changed most. The page says so.

    Args:
        path: The file to write; it appears whole or not at all.
        entries: The photographs; one at a time is read.
        title: Its heading.
        note: A paragraph below the heading; none if empty.
        created: When they were restored, as an aware time; None leaves it out.

    Raises:
        InputError: The file cannot be written.
        ImageError: An input or a restored file cannot be read any more.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_comparison(Path(folder, "page.html"), [], title="<b>Hostile</b>")
        ...     "<h1>&lt;b&gt;Hostile&lt;/b&gt;</h1>" in Path(folder, "page.html").read_text()
        True
    """
    listed = tuple(entries)
    side_px = choose_comparison_side(len(listed))
    shown = [show_comparison(entry, side_px=side_px) for entry in listed[:MAX_PICTURES]]
    text = render_comparison(shown, n_entries=len(listed), title=title, note=note, created=created)
    write_page(path, text)


def choose_comparison_side(n_entries: int) -> int:
    """Choose the longest side of what is shown of each photograph, so that all keep within the budget.

    Example:
        >>> choose_comparison_side(1), choose_comparison_side(8), choose_comparison_side(100)
        (2048, 1000, 577)
    """
    n_shown = min(max(n_entries, 1), MAX_PICTURES)
    side = math.isqrt(PIXEL_BUDGET // n_shown)
    return min(max(side, SHORTEST_SIDE_PX), LONGEST_SIDE_PX)


def render_comparison(
    shown: Sequence[ComparedPicture], *, n_entries: int, title: str, note: str, created: datetime | None
) -> str:
    """Return the text of the page; see `write_comparison`."""
    style, script = read_asset("comparison.css"), read_asset("comparison.js")
    return load_template("comparison.html.jinja").render(
        title=title,
        note=note,
        created=None if created is None else created.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        policy=write_policy(style=style, script=script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        version=__version__,
        n_entries=n_entries,
        pictures=shown,
        is_marked=any(picture.marks_uri for picture in shown),
    )
