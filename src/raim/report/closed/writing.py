"""The report as files: every form of it from the same tables and charts, into one folder.

index.html            the page, with everything in it
report.tex            the LaTeX document; charts/ and figures/ hold what it includes
data/                 each table as CSV; report.json; study.zip, the votes without names of judges
figures/              input and the teams' crops, as PNG and PDF
gallery/              all results side by side, for any web space
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from raim.errors import InputError, unknown_name
from raim.files import make_folder, place_file
from raim.processes import OnProgress
from raim.report.closed.charts import available_charts, draw_chart
from raim.report.closed.data_files import format_grid, format_json, pack_votes
from raim.report.closed.figures import FigureFile, write_figures
from raim.report.closed.gallery import write_gallery
from raim.report.closed.latex import Figure, chart_caption, write_latex
from raim.report.closed.material import Failures, Material
from raim.report.closed.page import write_report_page
from raim.report.closed.tables import make_tables

ReportFormat = Literal["html", "latex", "csv", "json", "gallery"]
FORMATS: tuple[ReportFormat, ...] = get_args(ReportFormat)
PICTURED = frozenset({"html", "latex", "gallery"})  # formats that show pictures
STEPS = 100  # of progress, for each format


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenReport:
    """What was written.

    Attributes:
        files: Those that one would open first, one for each format.
        failures: Pictures that could not be read, each with its reason; the rest of the report is there.
    """

    files: tuple[Path, ...]
    failures: Failures


def write_report(
    material: Material,
    out: Path,
    *,
    formats: Sequence[str] = FORMATS,
    on_progress: OnProgress | None = None,
) -> WrittenReport:
    """Write the report of a closed challenge.

    Args:
        material: What it says.
        out: A folder; it is made if it is not there. Files of an earlier report are replaced.
        formats: Of `FORMATS`.
        on_progress: Called with (parts done, parts in all).

    Raises:
        UnknownNameError: There is no such format.
        InputError: Something cannot be written.
        MissingExtraError: A format needs matplotlib, and it is not installed.

    Example:
        >>> import tempfile
        >>> from raim.challenge import Entrant, rank_teams
        >>> ranking = rank_teams([Entrant(team="a", score=70.0, points=3.0)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = write_report(Material(title="A", ranking=ranking), Path(folder, "out"), formats=["csv"])
        ...     written.files[0].read_text().splitlines()[0]
        'rank,team,score,points,normalised,final'
    """
    for name in formats:
        if name not in FORMATS:
            raise unknown_name("format of a report", name, FORMATS)
    # Without pictures there is nothing for a gallery; who asks for it alone gets an error.
    pictures = material.pictures
    has_gallery = (pictures is not None and len(pictures.images) > 0) or list(formats) == ["gallery"]
    wanted = [name for name in FORMATS if name in formats and (name != "gallery" or has_gallery)]
    if not wanted:
        raise InputError(f"no format was named; expected some of {', '.join(FORMATS)}")
    make_folder(out)
    failures: Failures = {}
    if pictures is not None and PICTURED & set(wanted):
        failures |= {f"the images of {name}": reason for name, reason in pictures.unreadable.items()}
    say = on_progress or (lambda _done, _total: None)
    n_steps = STEPS * len(wanted)
    figures: tuple[FigureFile, ...] = ()
    if {"html", "latex"} & set(wanted):
        figures = write_figures(material, out / "figures", failures, on_progress=_part(say, 0, n_steps))
    writers: dict[str, Callable[[OnProgress], Path]] = {
        "html": lambda _: write_report_page(
            material, out, figures={each.caption: each.png for each in figures}
        ),
        "latex": lambda _: _write_latex(material, out, figures),
        "csv": lambda _: _write_csv(material, out),
        "json": lambda _: _write_json(material, out),
        "gallery": lambda on_part: write_gallery(material, out, failures, on_progress=on_part),
    }
    files = []
    for place, name in enumerate(wanted):
        say(STEPS * place, n_steps)
        files.append(writers[name](_part(say, STEPS * place, n_steps)))
    say(n_steps, n_steps)
    return WrittenReport(files=tuple(files), failures=failures)


def _part(say: OnProgress, begun: int, total: int) -> OnProgress:
    """Return the progress of one part as a share of the whole."""

    def say_part(done: int, of: int) -> None:
        say(begun + (STEPS * done // of if of else 0), total)

    return say_part


def _write_csv(material: Material, out: Path) -> Path:
    folder = make_folder(out / "data")
    for table in make_tables(material):
        place_file(folder / f"{table.name}.csv", format_grid(table).encode())
    packed = pack_votes(material)
    if packed is not None:
        place_file(folder / "study.zip", packed)
    return folder / "ranking.csv"


def _write_json(material: Material, out: Path) -> Path:
    path = make_folder(out / "data") / "report.json"
    place_file(path, format_json(material, make_tables(material)).encode())
    return path


def _write_latex(material: Material, out: Path, figures: Sequence[FigureFile]) -> Path:
    folder = make_folder(out / "charts")
    charts = []
    for name in available_charts(material):
        place_file(folder / f"{name}.pdf", draw_chart(name, material, format="pdf", theme="print"))
        caption = chart_caption(name, is_simulated=material.is_simulated)
        charts.append(Figure(file=f"charts/{name}.pdf", caption=caption, name=name))
    pictures = [
        Figure(file=f"figures/{each.pdf.name}", caption=each.caption, name=each.pdf.stem) for each in figures
    ]
    path = out / "report.tex"
    place_file(path, write_latex(material, make_tables(material), charts, pictures=pictures).encode())
    return path
