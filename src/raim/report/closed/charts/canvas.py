"""The ground on which charts are drawn: colours of a theme, fonts, and bytes that are the same for the same data.

Figures are made without pyplot, so nothing is left open; settings of matplotlib are changed under a lock, since they
are the whole process's. No file carries a date; identifiers in SVG come from a fixed salt. Team names are never read
as mathematics.
"""

import io
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from raim.errors import need_extra

ChartFormat = Literal["svg", "pdf", "png"]
Theme = Literal["light", "dark", "print"]
PIXELS_PER_INCH = 100
_LOCK = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    """The colours of a theme.

    Attributes:
        ground: Behind everything; "none" lets the page through.
        text: Of labels.
        quiet: Of axes, and of what stands back.
        line: Of the grid.
        accent: Of the marks.
        soft: Of what belongs to the marks, such as intervals.
        warn: Of what deserves a look.
        lines: Of several lines of one chart, in this order.
        ramp: matplotlib's name of the colours from few to much.
    """

    ground: str
    text: str
    quiet: str
    line: str
    accent: str
    soft: str
    warn: str
    lines: tuple[str, ...]
    ramp: tuple[str, str]


# The pages' own colours (templates/score_page.css). Lines: Okabe and Ito's colours, which people who see fewer colours
# tell apart (https://jfly.uni-koeln.de/color), lighter on dark ground. Yellow is left out: it is lost on white.
PALETTES: Mapping[Theme, Palette] = MappingProxyType(
    {
        "light": Palette(
            ground="none", text="#1b1c1e", quiet="#5c5f66", line="#d9d8d2", accent="#1f5fae", soft="#8db4e2",
            warn="#a3311f", ramp=("#ffffff", "#1f5fae"),
            lines=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8a6d00"),
        ),
        "dark": Palette(
            ground="none", text="#e9e9e6", quiet="#a3a7af", line="#363a41", accent="#85b6f2", soft="#45698f",
            warn="#f09a86", ramp=("#1c1f23", "#5b9bea"),
            lines=("#5fb2ea", "#f58b45", "#3fc7a0", "#e3a1c6", "#a8d8f5", "#d6b94a"),
        ),
        "print": Palette(
            ground="#ffffff", text="#000000", quiet="#4a4a4a", line="#d0d0d0", accent="#1f5fae", soft="#8db4e2",
            warn="#a3311f", ramp=("#ffffff", "#1f5fae"),
            lines=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#8a6d00"),
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Canvas:
    """What a chart draws on.

    Attributes:
        figure: matplotlib's.
        axes: matplotlib's, of the one panel.
        palette: Colours.
    """

    figure: Any
    axes: Any
    palette: Palette


def render_figure(
    draw: Callable[[Canvas], None],
    *,
    width: float,
    height: float,
    format: ChartFormat,  # noqa: A002 - the word that callers know from matplotlib
    theme: Theme,
    footnote: str = "",
) -> bytes:
    """Draw on a new figure and give the file.

    Args:
        draw: Draws on the canvas.
        width: Inches.
        height: Inches.
        format: Of the file.
        theme: Colours.
        footnote: Under the chart, such as that votes are simulated.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    palette = PALETTES[theme]
    held = io.BytesIO()
    with _settings(palette):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height), layout="constrained", facecolor=palette.ground)
        axes = figure.add_subplot(facecolor="none")
        draw(Canvas(figure, axes, palette))
        if footnote:
            figure.supxlabel(footnote, fontsize=8.5, color=palette.warn, x=0.01, ha="left")
        figure.savefig(held, format=format, metadata=_metadata(format), dpi=PIXELS_PER_INCH)
    return held.getvalue()


def clean(text: str, longest: int = 32) -> str:
    r"""Return a name as it can be drawn: on one line, without signs that cannot be shown, cut where it is long.

    Example:
        >>> clean("a\nb"), clean("x" * 40, 5)
        ('a b', 'xxxx…')
    """
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def list_names(canvas: Canvas, names: list[str]) -> None:
    """Put names at the left, the first at the top, as a table does."""
    canvas.axes.set_yticks(range(len(names)), [clean(name) for name in names])
    canvas.axes.set_ylim(len(names) - 0.4, -0.6)
    canvas.axes.tick_params(axis="y", length=0)


@contextmanager
def _settings(palette: Palette) -> Iterator[None]:
    need_extra("a chart", "report", "matplotlib")
    import matplotlib as mpl

    settings = {
        "svg.hashsalt": "raim",
        "svg.fonttype": "none",  # text stays text: it can be searched, read aloud, and shown in any script
        "pdf.fonttype": 42,
        "text.parse_math": False,
        "font.family": ["DejaVu Sans", "sans-serif"],  # the first comes with matplotlib: the same everywhere
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.spines.left": False,
        "axes.edgecolor": palette.quiet,
        "axes.labelcolor": palette.quiet,
        "axes.titlesize": 10,
        "axes.titlecolor": palette.text,
        "axes.axisbelow": True,
        "grid.color": palette.line,
        "text.color": palette.text,
        "xtick.color": palette.quiet,
        "ytick.color": palette.quiet,
        "xtick.labelcolor": palette.text,
        "ytick.labelcolor": palette.text,
    }
    with (
        _LOCK,
        mpl.rc_context({**mpl.rcParamsDefault, **settings, "backend": "agg"}),
        warnings.catch_warnings(),
    ):
        # Browsers have a font for every script; a PDF shows a box for a sign that is not in DejaVu Sans.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _metadata(format: ChartFormat) -> dict[str, Any]:  # noqa: A002 - as above
    if format == "svg":
        return {"Date": None, "Creator": None}
    if format == "pdf":
        return {"CreationDate": None, "Creator": None, "Producer": None}
    return {"Software": None}
