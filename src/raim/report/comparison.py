"""The comparison page: one self-contained HTML file with each photograph before and after, under a slider.

Pictures are within the page, lossless, and are shown at whole screen pixels for each of theirs. It loads nothing, and
its Content-Security-Policy allows just its own style and script, by their hashes.
"""

import functools
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from raim import __version__
from raim.errors import InputError
from raim.report.compared import ComparedPicture, Comparison, show_comparison
from raim.report.policy import write_policy

__all__ = ["Comparison", "write_comparison"]

TEMPLATES = Path(__file__).parent / "templates"
MAX_PICTURES = 24
# Of all pictures together, before and after each: lossless photographs take 1 to 2 bytes per pixel, so that a page
# has 20 to 40 MB at most.
PIXEL_BUDGET = 8_000_000
LONGEST_SIDE_PX, SHORTEST_SIDE_PX = 2048, 512


def write_comparison(
    path: Path,
    entries: Sequence[Comparison],
    *,
    title: str = "Before and after",
    created: datetime | None = None,
) -> None:
    """Write the page of photographs before and after to one HTML file.

    At most 24 photographs are shown, and of each at most what fits a budget of 8 megapixels for all of them: the
    part that changed most. The page says so.

    Args:
        path: The file to write; it appears whole or not at all.
        entries: The photographs; one at a time is read.
        title: Its heading.
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
    side_px = choose_side(len(entries))
    shown = [show_comparison(entry, side_px=side_px) for entry in entries[:MAX_PICTURES]]
    text = render_comparison(shown, n_entries=len(entries), title=title, created=created)
    part = path.with_name(f".{path.name}.part")
    try:
        # Names may hold lone surrogates (undecodable bytes of a file system); they are shown as "?".
        part.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot write the page to {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def choose_side(n_entries: int) -> int:
    """Choose the longest side of what is shown of each photograph, so that all keep within the budget.

    Example:
        >>> choose_side(1), choose_side(8), choose_side(100)
        (2048, 1000, 577)
    """
    n_shown = min(max(n_entries, 1), MAX_PICTURES)
    side = math.isqrt(PIXEL_BUDGET // n_shown)
    return min(max(side, SHORTEST_SIDE_PX), LONGEST_SIDE_PX)


def render_comparison(
    shown: Sequence[ComparedPicture], *, n_entries: int, title: str, created: datetime | None
) -> str:
    """Give the text of the page; see `write_comparison`."""
    style, script = _asset("comparison.css"), _asset("comparison.js")
    return _template().render(
        title=title,
        created=None if created is None else created.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        policy=write_policy(style=style, script=script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        version=__version__,
        n_entries=n_entries,
        pictures=shown,
    )


def _asset(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@functools.cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("comparison.html.jinja")
