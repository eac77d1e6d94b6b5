"""The report as one LaTeX document: tables as text, figures as PDF files beside it.

It needs no package beyond Debian's texlive-latex-recommended and compiles with pdflatex. Tables that are wider than
the page are made smaller, long lists of submissions are left to the CSV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from raim.report.closed.charts import CHARTS
from raim.report.closed.grid import Cell, Grid, Heading, pick_columns, write_cell
from raim.report.closed.latex_text import escape
from raim.report.closed.material import SIMULATED, Material
from raim.report.closed.ranking_tables import INTERVALS

PREAMBLE = r"""\documentclass[10pt,a4paper]{article}
\usepackage[margin=22mm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
\usepackage[hidelinks]{hyperref}
\newsavebox{\raimtable}
% A table as it is, or as wide as the text if it is wider.
\newcommand{\raimfit}{\ifdim\wd\raimtable>\linewidth\resizebox{\linewidth}{!}{\usebox{\raimtable}}%
  \else\usebox{\raimtable}\fi}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.5em}
\setlength{\emergencystretch}{3em}
"""
FORMULAS = r"""\[ S_{3n} = 100\,\frac{S_3 - \min S_3}{\max S_3 - \min S_3}, \qquad
S_\mathrm{final} = %s\, S_2 + %s\, S_{3n} \]
"""
LONG_TEXT = 48  # letters; longer columns are broken into lines
WIDEST_TEXT = 0.55  # of the line


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure file beside the document.

    Attributes:
        file: Its path from the document's folder, with "/".
        caption: Under it.
        name: To refer to it.
    """

    file: str
    caption: str
    name: str


def write_latex(
    material: Material,
    tables: Sequence[Grid],
    charts: Sequence[Figure],
    pictures: Sequence[Figure] = (),
) -> str:
    r"""Write the document.

    Args:
        material: For title and text.
        tables: See `make_tables`.
        charts: Files of the charts; their names are those of `CHARTS`.
        pictures: Files of the figures with photographs.

    Example:
        >>> from raim.challenge import Entrant, rank_teams
        >>> ranking = rank_teams([Entrant(team="a_b", score=70.0, points=3.0)])
        >>> text = write_latex(Material(title="One & all", ranking=ranking), (), ())
        >>> print(text.splitlines()[-1], r"\title{One \& all" in text)
        \end{document} True
    """
    by_name = {table.name: table for table in split_wide(tables)}
    drawn = {figure.name: figure for figure in charts}

    def block(name: str) -> str:
        if name in by_name:
            return write_latex_table(by_name[name])
        return (
            write_figure(drawn[name.removeprefix("chart:")]) if name.removeprefix("chart:") in drawn else ""
        )

    parts = [PREAMBLE, _head(material)]
    for title, names in _sections(by_name):
        body = [text for text in map(block, names) if text]
        if title == "Result" and material.ranking.weights.study:
            shares = (f"{material.ranking.weights.score:g}", f"{material.ranking.weights.study:g}")
            body.insert(0, FORMULAS % shares)
        if body:
            parts += [f"\\section{{{title}}}\n", *body, "\\clearpage\n"]
    if pictures:
        parts += ["\\section{Images}\n", *(write_figure(each) for each in pictures), "\\clearpage\n"]
    parts += [_teams(material), "\\end{document}"]
    return "\n".join(parts)


def split_wide(tables: Sequence[Grid]) -> tuple[Grid, ...]:
    """Make two tables of the ranking, so that it can be read on paper: the report's Table 1, and its intervals."""
    split: list[Grid] = []
    for table in tables:
        keys = [heading.key for heading in table.headings]
        if table.name != "ranking" or "rank_interval" not in keys:
            split.append(table)
            continue
        first = [key for key in keys if key not in {"rank_interval", "first", "award"}]
        split += [
            pick_columns(table, first, with_intervals=False),
            pick_columns(
                table,
                ("rank", "team", "points", "final", "rank_interval", "first"),
                name="intervals",
                title="Final ranking: how sure it is",
                notes=(*((SIMULATED,) if table.is_simulated else ()), INTERVALS),
            ),
        ]
    return tuple(split)


def write_latex_table(table: Grid) -> str:
    """Write one table with its caption and notes."""
    columns = "".join(_column(table, place) for place in range(len(table.headings)))
    lines = [
        "\\begin{table}[!htbp]\n\\centering\\footnotesize",
        f"\\caption{{{escape(table.title)}}}\\label{{table:{table.name.replace('_', '-')}}}",
        f"\\sbox{{\\raimtable}}{{\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n\\toprule",
        " & ".join(escape(heading.title) for heading in table.headings) + r" \\",
        "\\midrule",
        *(_row(table.headings, row) for row in table.rows),
        "\\bottomrule\n\\end{tabular}}\\raimfit",
    ]
    if table.notes:
        notes = " ".join(escape(note) for note in table.notes)
        lines.append(f"\n\\medskip\n\\parbox{{\\linewidth}}{{\\scriptsize {notes}}}")
    return "\n".join([*lines, "\\end{table}\n"])


def write_figure(figure: Figure) -> str:
    """Write one figure with its caption."""
    return (
        "\\begin{figure}[!htbp]\n\\centering\n"
        f"\\includegraphics[width=\\linewidth,height=0.85\\textheight,keepaspectratio]{{{figure.file}}}\n"
        f"\\caption{{{escape(figure.caption)}}}\\label{{figure:{figure.name.replace('_', '-')}}}\n"
        "\\end{figure}\n"
    )


def chart_caption(name: str, *, is_simulated: bool) -> str:
    """Return the caption of a chart.

    Example:
        >>> chart_caption("timeline", is_simulated=True)[:27]
        'Submissions over time. Dots'
    """
    chart = CHARTS[name]
    notice = f" {SIMULATED}" if is_simulated and chart.has_votes else ""
    return f"{chart.title}. {chart.text}{notice}"


def _sections(tables: dict[str, Grid]) -> list[tuple[str, list[str]]]:
    scenarios = [name for name in tables if name.startswith("scenarios_")]
    return [
        (
            "Result",
            ["ranking", "awards", "intervals", "chart:finals", "chart:final_ranks", "ranking_with_left_out",
             "other_choices"],
        ),
        ("The challenge", ["phases", "participation", "chart:timeline"]),
        ("Scores", ["chart:score_points", *scenarios, "chart:scenarios"]),
        (
            "The blinded study",
            ["points", "chart:points", "issues", "chart:issues", "criteria", "chart:criteria", "agreement",
             "chart:agreement", "judges", "flags"],
        ),
    ]  # fmt: skip


def _head(material: Material) -> str:
    tagline = f" \\\\[0.4em] \\large {escape(material.tagline)}" if material.tagline else ""
    date = "" if material.created_at is None else f"{material.created_at.astimezone(UTC):%Y-%m-%d}"
    lines = [
        f"\\title{{{escape(material.title)}{tagline}}}",
        "\\author{" + " \\and ".join(escape(name) for name in material.organisers) + "}",
        f"\\date{{{date}}}",
    ]
    if material.is_simulated:
        lines.append(f"\\pagestyle{{myheadings}}\\markright{{{escape(SIMULATED)}}}")
    lines += ["\\begin{document}", "\\maketitle"]
    notes = [*([SIMULATED] if material.is_simulated else []), *material.notes]
    lines += [f"\\fbox{{\\parbox{{0.95\\linewidth}}{{{escape(note)}}}}}\n" for note in notes]
    return "\n".join(lines)


def _teams(material: Material) -> str:
    blocks = []
    for name in material.ranked_teams:
        sheet = material.team(name).fact_sheet
        if sheet:
            answers = "\n".join(f"\\item[{escape(label)}] {escape(text)}" for label, text in sheet.items())
            blocks.append(
                f"\\subsection*{{{escape(name)}}}\n\\begin{{description}}\n{answers}\n\\end{{description}}"
            )
    return "\\section{Teams and methods}\n" + "\n".join(blocks) if blocks else ""


def _column(table: Grid, place: int) -> str:
    heading = table.headings[place]
    if heading.kind != "text":
        return "r"
    longest = max((len(write_cell(heading, row[place])) for row in table.rows), default=0)
    return f"p{{{WIDEST_TEXT}\\linewidth}}" if longest > LONG_TEXT else "l"


def _row(headings: Sequence[Heading], row: Sequence[Cell]) -> str:
    cells = []
    for heading, cell in zip(headings, row, strict=True):
        text = escape(write_cell(heading, cell))
        cells.append(f"\\textbf{{{text}}}" if cell.is_best else text)
    return " & ".join(cells) + r" \\"
