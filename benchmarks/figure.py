"""The baselines as a figure: a row for each restorer, a panel for each scenario, a dot at the mean SCORE.

A ring marks identity on the same pairs and a line joins both, so that the gain is what is seen, whichever pairs a
restorer was run on. SVG with its own colours for light and dark.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from raim.report.distribution import place_ticks
from rows import ALL, Row

LABEL_WIDTH = 206
PANEL_WIDTH = 172
PADDING = 16
TOP = 44
ROW_HEIGHT = 22
BOTTOM = 46
DOT = 4.5
CLOSEST_LABELS_PX = 34
LEGEND = "dot: mean SCORE; ring: identity, on the same pairs; red: below identity; grey name: not run on every pair"

# The colours of the score page (raim/report/templates/score_page.css).
STYLE = """
svg { --ground: #fcfcfb; --line: #d9d8d2; --text: #1b1c1e; --quiet: #5c5f66; --dot: #2a6fc4; --loss: #a3311f; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #15171a; --line: #363a41; --text: #e9e9e6; --quiet: #a3a7af; --dot: #7fb0ee; --loss: #f09a86; }
}
text { font: 13px system-ui, sans-serif; fill: var(--text); }
.title { font-weight: 600; text-anchor: middle; }
.tick, .note { fill: var(--quiet); font-size: 12px; }
.tick { text-anchor: middle; }
.part { fill: var(--quiet); }
.ground { fill: var(--ground); }
.grid { stroke: var(--line); }
.unchanged { fill: var(--ground); stroke: var(--quiet); stroke-width: 1.5; }
.gain { stroke: var(--dot); stroke-width: 2; }
.loss { stroke: var(--loss); stroke-width: 2; }
circle.gain { fill: var(--dot); }
circle.loss { fill: var(--loss); }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One scenario's place in the drawing: from SCORE to pixels."""

    scenario: str
    left: float
    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Give the horizontal place of a SCORE."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.left + PADDING + share * (PANEL_WIDTH - 2 * PADDING), 2)


def draw_figure(rows: Mapping[str, Sequence[Row]]) -> str:
    """Draw the figure as SVG.

    Args:
        rows: Of each scenario, `ALL` among them; its order is that of the restorers from the top.
    """
    names = [row.variant for row in rows[ALL]]
    width = LABEL_WIDTH + PANEL_WIDTH * len(rows)
    height = TOP + ROW_HEIGHT * len(names) + BOTTOM
    panels = [make_panel(name, index, found) for index, (name, found) in enumerate(rows.items())]
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>Mean SCORE of each restorer, by scenario</title><style>{STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
        *_draw_labels(rows[ALL]),
        *(line for panel in panels for line in _draw_panel(panel, rows[panel.scenario], names)),
        f'<text class="note" x="12" y="{height - 10}">{LEGEND}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def make_panel(scenario: str, index: int, rows: Sequence[Row]) -> Panel:
    """Choose a panel's axis so that it holds all dots and rings."""
    values = [row.means["score"] for row in rows] + [row.identity for row in rows if row.identity is not None]
    ticks = place_ticks(min(values), max(values))
    return Panel(
        scenario=scenario, left=LABEL_WIDTH + index * PANEL_WIDTH, low=ticks[0], high=ticks[-1], ticks=ticks
    )


def _draw_labels(rows: Sequence[Row]) -> Iterator[str]:
    most = max(row.n_pairs for row in rows)
    for index, row in enumerate(rows):
        kind = ' class="part"' if row.n_pairs < most else ""
        yield f'<text{kind} x="12" y="{_middle(index) + 4.5}">{html.escape(row.variant)}</text>'


def _middle(index: int) -> float:
    return TOP + (index + 0.5) * ROW_HEIGHT


def _draw_panel(panel: Panel, rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    centre = panel.left + PANEL_WIDTH / 2
    bottom = TOP + ROW_HEIGHT * len(names)
    yield f'<text class="title" x="{centre}" y="24">{html.escape(panel.scenario.replace("_", " "))}</text>'
    yield from _draw_ticks(panel, bottom)
    for row in rows:
        yield from _draw_row(panel, row, _middle(names.index(row.variant)))


def _draw_ticks(panel: Panel, bottom: float) -> Iterator[str]:
    """Draw a line for each tick, and its number where there is room."""
    last = float("-inf")
    for tick in panel.ticks:
        x = panel.place(tick)
        yield f'<line class="grid" x1="{x}" y1="{TOP}" x2="{x}" y2="{bottom}"/>'
        if x - last >= CLOSEST_LABELS_PX:
            yield f'<text class="tick" x="{x}" y="{bottom + 16}">{tick:g}</text>'
            last = x


def _draw_row(panel: Panel, row: Row, y: float) -> Iterator[str]:
    score = row.means["score"]
    x = panel.place(score)
    kind = "loss" if row.gain is not None and row.gain < 0 else "gain"
    text = f"{row.variant}, {panel.scenario}, {row.n_pairs} pair{'s' * (row.n_pairs != 1)}: {score:.2f}"
    if row.identity is not None and row.gain is not None:
        ring = panel.place(row.identity)
        yield f'<line class="{kind}" x1="{ring}" y1="{y}" x2="{x}" y2="{y}"/>'
        yield f'<circle class="unchanged" cx="{ring}" cy="{y}" r="{DOT - 1}"/>'
        text += f", identity {row.identity:.2f}, {row.gain:+.2f}"
    yield f'<circle class="{kind}" cx="{x}" cy="{y}" r="{DOT}"><title>{html.escape(text)}</title></circle>'
