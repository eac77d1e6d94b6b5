"""What a study's votes say, on the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from raim.cli.wording import say_count, say_number

if TYPE_CHECKING:
    from rich.table import Table

    from raim.study import Analysis, Ballots
    from raim.study.findings import Estimate, JudgedEntry, PartPoints, RankEstimate


def print_analysis(
    found: "Analysis",
    *,
    is_simulated: bool = False,
    notes: Sequence[str] = (),
    reasons: Mapping[str, str] | None = None,
) -> None:
    """Print points and ranks with intervals, then by issue and criterion, judges, flags and agreement.

    Args:
        found: The analysis.
        is_simulated: Whether a program has made the votes; then every table says so.
        notes: What was assumed when the votes were read.
        reasons: For entries and judges that are left out: why.
    """
    from rich.console import Console

    console = Console()
    label = " (simulated votes)" if is_simulated else ""
    console.print(_entry_grid(found.entries, f"result{label}"))
    for line in [*notes, *found.notes, *_left_out_lines(found, reasons or {})]:
        console.print(f"note: {line}", markup=False, highlight=False, soft_wrap=True)
    for part, what in ((found.issues, "issue"), (found.criteria, "criterion")):
        if part:
            console.print(_part_grid(part, f"{found.unit} per {what}{label}"))
    console.print(_judge_grid(found, f"judges{label}"))
    for line in _agreement_lines(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for rows, what in (
        (found.with_everyone, "with everybody"),
        (found.without_flagged, "without the flagged judges"),
    ):
        if rows:
            console.print(_entry_grid(rows, f"{what}{label}"))


def print_power(ballots: "Ballots") -> None:
    """Print the least differences that studies of other sizes would find, judged by these votes."""
    from rich.console import Console

    from raim.challenge.modes import MODES
    from raim.study import points_array
    from raim.study.power import difference_components, power_table

    console = Console()
    causes = difference_components(points_array(ballots))
    if causes is None:
        console.print("no power table: it needs at least two judges who have voted on the same two images")
        return
    cells = power_table(causes)
    images = list(dict.fromkeys(cell.n_images for cell in cells))
    mode = MODES[ballots.mode]
    title = f"least difference in {'grade' if mode.grades else 'points an image'} found four times in five"
    grid = _grid(title, "", "judges", *(say_count(number, "image") for number in images))
    for judges in dict.fromkeys(cell.n_judges for cell in cells):
        grid.add_row(
            "", str(judges), *(f"{cell.difference:.2f}" for cell in cells if cell.n_judges == judges)
        )
    console.print(grid)


def _left_out_lines(found: "Analysis", reasons: Mapping[str, str]) -> Iterator[str]:
    names = {row.entry: row.entry for row in found.entries if row.is_left_out}
    names |= {code: found.names[code] for code in found.excluded}
    for shown, name in names.items():
        if name in reasons:
            yield f"reason for leaving out {shown}: {reasons[name]}"


def _agreement_lines(found: "Analysis") -> Iterator[str]:
    from raim.challenge.modes import MODES

    for flag in found.flags:
        yield f"flag: {flag.code}: {flag.words}"
    if not found.flags:
        yield "no judge is flagged"
    w = found.concordance
    if w.w is None:
        yield f"Kendall's W: none, {w.why}"
    else:
        p = "" if w.p is None else f", p = {w.p:.2g}"
        yield f"Kendall's W of the judges' totals: {w.w:.2f} ({say_count(w.n_judges, 'judge')}{p})"
    alpha = found.alpha
    if alpha.value is None:
        yield f"Krippendorff's alpha: none, {alpha.why}"
    else:
        yield f"Krippendorff's alpha of single {MODES[found.mode].answer}s: {alpha.value:.2f}"
    yield f"95 % intervals from {found.n_draws} draws over judges and images, seed {found.seed}"


def _entry_grid(rows: "Sequence[JudgedEntry]", title: str) -> "Table":
    from rich.text import Text

    from raim.study.entries import has_scores

    has_finals = has_scores(rows)
    has_strengths = any(row.strength.value is not None for row in rows)
    columns = ["points", "95 %", *(["strength"] if has_strengths else []), "S3n"]
    columns += ["final", "95 %"] if has_finals else []
    grid = _grid(title, "rank", "entry", *columns, "rank 95 %")
    for row in sorted(rows, key=lambda row: _order(row, is_final=has_finals)):
        rank = row.final_rank if has_finals else row.points_rank
        cells = [_value(row.points), _range(row.points)]
        cells += [_value(row.strength)] if has_strengths else []
        cells += [_value(row.normalised)]
        cells += [_value(row.final), _range(row.final)] if has_finals else []
        grid.add_row(_whole(rank.value), Text(row.entry), *cells, _ranks(rank))
    return grid


def _order(row: "JudgedEntry", *, is_final: bool) -> tuple[bool, int, str]:
    rank = (row.final_rank if is_final else row.points_rank).value
    return rank is None, rank or 0, row.entry


def _part_grid(parts: "Sequence[PartPoints]", title: str) -> "Table":
    from rich.text import Text

    grid = _grid(
        title,
        "",
        "entry",
        *(f"{part.name or '(none)'} ({part.n_reasons or part.n_images})" for part in parts),
    )
    for place, first in enumerate(parts[0].entries):
        cells = [
            f"{_value(part.entries[place].points)} {_range(part.entries[place].points)}" for part in parts
        ]
        grid.add_row("", Text(first.entry), *cells)
    return grid


def _judge_grid(found: "Analysis", title: str) -> "Table":
    columns = ("votes", "partial", "seconds", "same first", "traps", "agreement", "z", "flags")
    grid = _grid(title, "", "judge", *columns)
    for judge in found.judges:
        grid.add_row(
            "out" if judge.is_excluded else "",
            judge.code,
            f"{judge.n_votes}/{judge.n_expected}",
            str(judge.n_partial),
            say_number(judge.median_seconds, 0),
            "-" if judge.same_first is None else f"{100 * judge.same_first:.0f} % of {judge.n_repeats}",
            f"{judge.n_trapped}/{judge.n_traps}",
            say_number(judge.agreement, 2),
            say_number(judge.likelihood, 1),
            ", ".join(flag.kind for flag in judge.flags),
        )
    return grid


def _grid(title: str, first: str, name: str, *columns: str) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    grid.add_column(first, justify="right", no_wrap=True)
    grid.add_column(name, overflow="fold")
    for column in columns:
        grid.add_column(Text(column), justify="right")
    return grid


def _value(estimate: "Estimate") -> str:
    return say_number(estimate.value, 2)


def _range(estimate: "Estimate") -> str:
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.low:.1f} to {estimate.high:.1f}"


def _ranks(rank: "RankEstimate") -> str:
    if rank.low is None or rank.high is None:
        return "-"
    return str(rank.low) if rank.low == rank.high else f"{rank.low} to {rank.high}"


def _whole(value: int | None) -> str:
    return "-" if value is None else str(value)
