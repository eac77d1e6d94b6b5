"""The report as one self-contained page: every table and chart, the figures, what teams say; nothing is loaded."""

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from raim.report.closed.charts import CHARTS, available_charts, draw_chart
from raim.report.closed.grid import Grid, write_cell
from raim.report.closed.material import SIMULATED, Material
from raim.report.closed.tables import make_tables
from raim.report.pages import load_template, read_asset, write_page
from raim.report.policy import write_policy

FILE_NAME = "report.html"
LARGEST_FIGURE_PX = 2400  # of a side, as embedded
WEBP_QUALITY = 88
SECTIONS = (
    ("result", "Result", ("ranking", "ranking_with_left_out", "awards"), ("finals", "final_ranks")),
    (
        "study",
        "The study",
        ("points", "issues", "criteria", "other_choices"),
        ("points", "issues", "criteria"),
    ),
    ("judges", "Judges", ("agreement", "judges", "flags"), ("agreement",)),
    ("scores", "Scores", (), ("score_points", "scenarios")),
    ("course", "How the challenge went", ("participation", "phases", "submissions"), ("timeline",)),
)
REST = "scores"  # the section of tables and charts that no other one has
FOLDED = frozenset({"submissions", "judges"})
ELSEWHERE = frozenset({"fact_sheets"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartPicture:
    """A chart in both themes, as data URIs."""

    name: str
    title: str
    words: str
    light: str
    dark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FigurePicture:
    """A figure as a data URI."""

    title: str
    words: str
    uri: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PageSection:
    """A part of the page."""

    name: str
    title: str
    tables: "tuple[TableText, ...]"
    charts: tuple[ChartPicture, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableText:
    """A table as it is written: texts of cells, and which are the best of their column."""

    name: str
    title: str
    headings: tuple[tuple[str, str, bool], ...]
    rows: tuple[tuple[tuple[str, str, bool], ...], ...]
    notes: tuple[str, ...]


def write_report_page(material: Material, folder: Path, *, figures: Mapping[str, Path] | None = None) -> Path:
    """Write the page.

    Args:
        material: What it says.
        folder: Where `report.html` is written.
        figures: For each caption the PNG of a figure; embedded as WebP.

    Raises:
        InputError: It cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    path = folder / FILE_NAME
    write_page(path, render_report_page(material, figures=figures))
    return path


def render_report_page(material: Material, *, figures: Mapping[str, Path] | None = None) -> str:
    """Return the page's HTML."""
    style = read_asset("closed_report.css")
    return str(
        load_template("closed_report.html.jinja").render(
            material=material,
            simulated=SIMULATED if material.is_simulated else "",
            sections=_make_sections(material),
            figures=list(_embed_figures(figures or {})),
            sheets=[
                (name, material.team(name).fact_sheet)
                for name in material.ranked_teams
                if material.team(name).fact_sheet
            ],
            folded=FOLDED,
            created="" if material.created_at is None else f"{material.created_at:%Y-%m-%d}",
            style=Markup(style),  # noqa: S704 - our own file, whose hash the policy has
            policy=write_policy(style=style, script=""),
        )
    )


def _make_sections(material: Material) -> list[PageSection]:
    tables = {
        each.name: write_html_table(each) for each in make_tables(material) if each.name not in ELSEWHERE
    }
    charts = {each.name: each for each in _draw_charts(material)}
    named = {name for _, _, names, _ in SECTIONS for name in names}
    drawn = {name for _, _, _, names in SECTIONS for name in names}
    sections = []
    for key, title, own_tables, own_charts in SECTIONS:
        table_names = [*own_tables, *(name for name in tables if key == REST and name not in named)]
        chart_names = [*own_charts, *(name for name in charts if key == REST and name not in drawn)]
        section = PageSection(
            name=key,
            title=title,
            tables=tuple(tables[name] for name in table_names if name in tables),
            charts=tuple(charts[name] for name in chart_names if name in charts),
        )
        if section.tables or section.charts:
            sections.append(section)
    return sections


def write_html_table(grid: Grid) -> TableText:
    """Write a table's cells for people.

    Example:
        >>> from raim.report.closed.grid import Cell, Heading
        >>> heading = Heading(key="points", title="S3", kind="number", decimals=1)
        >>> grid = Grid(name="points", title="Points", headings=(heading,), rows=((Cell(value=57.0, is_best=True),),))
        >>> write_html_table(grid).rows
        ((('57.0', '', True),),)
    """
    return TableText(
        name=grid.name,
        title=grid.title,
        headings=tuple((each.title, each.hint, each.kind != "text") for each in grid.headings),
        rows=tuple(
            tuple(
                (write_cell(heading, cell), cell.why, cell.is_best)
                for heading, cell in zip(grid.headings, row, strict=True)
            )
            for row in grid.rows
        ),
        notes=grid.notes,
    )


def _draw_charts(material: Material) -> Iterator[ChartPicture]:
    for name in available_charts(material):
        chart = CHARTS[name]
        light, dark = (
            _as_uri(draw_chart(name, material, format="svg", theme=theme), "image/svg+xml")
            for theme in ("light", "dark")
        )
        yield ChartPicture(name=name, title=chart.title, words=chart.text, light=light, dark=dark)


def _embed_figures(figures: Mapping[str, Path]) -> Iterator[FigurePicture]:
    from PIL import Image

    for words, path in figures.items():
        with Image.open(path) as image:
            shown = image.convert("RGB")
            shown.thumbnail((LARGEST_FIGURE_PX, LARGEST_FIGURE_PX))
            held = io.BytesIO()
            shown.save(held, "WEBP", quality=WEBP_QUALITY)
            yield FigurePicture(
                title=path.stem,
                words=words,
                uri=_as_uri(held.getvalue(), "image/webp"),
                width=shown.width,
                height=shown.height,
            )


def _as_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
