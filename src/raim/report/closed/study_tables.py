"""The tables of the blinded study: points, issues, criteria, judges, agreement, and what other choices would give."""

from collections.abc import Mapping, Sequence

from raim.report.closed.grid import Cell, Grid, Heading, mark_best
from raim.report.closed.material import Material
from raim.report.closed.ranking_tables import final_rank, points_title
from raim.study.findings import Estimate, JudgedEntry, JudgeResult, PartPoints

NUMBER_OF_PICK = ("first", "second", "third", "fourth", "fifth")


def tabulate_points(material: Material) -> Grid | None:
    """Make what the votes say of each team: points, picks, strength; None without votes."""
    analysis = material.analysis
    if analysis is None:
        return None
    n_picks = max((len(each.picks) for each in analysis.entries), default=0)
    headings = [
        Heading(key="team", title="Team"),
        Heading(key="points", title=points_title(analysis), kind="number", has_interval=True),
        Heading(key="crossed", title="Crossed effects", kind="number", has_interval=True),
        Heading(key="strength", title="Strength", kind="number", has_interval=True),
        Heading(key="points_rank", title="Rank by points", kind="whole", has_interval=True),
        Heading(key="n_exposures", title="Seen", kind="whole"),
        *(
            Heading(key=f"picks_{place + 1}", title=f"{_nth(place)} picks".capitalize(), kind="whole")
            for place in range(n_picks)
        ),
    ]
    rows = [_points_row(each, n_picks) for each in _ordered(material, analysis.entries)]
    return Grid(
        name="points",
        title="Points of the study",
        headings=tuple(headings),
        rows=tuple(rows),
        notes=(
            "Intervals: 95 %. Points: bootstrap over judges and images; beside it, with crossed effects.",
            "Strength: Plackett-Luce, logarithmic, mean zero.",
            *analysis.notes,
        ),
    )


def tabulate_issues(material: Material) -> Grid | None:
    """Make points per issue; None without issues."""
    parts = () if material.analysis is None else material.analysis.issues
    return _tabulate_parts(material, parts, name="issues", title="Points per issue", per="issue")


def tabulate_criteria(material: Material) -> Grid | None:
    """Make points per criterion; None if judges gave no reasons."""
    parts = () if material.analysis is None else material.analysis.criteria
    return _tabulate_parts(material, parts, name="criteria", title="Points per criterion", per="criterion")


def tabulate_judges(material: Material) -> Grid | None:
    """Make what is known of each judge, without names; None without votes."""
    analysis = material.analysis
    if analysis is None:
        return None
    headings = (
        Heading(key="judge", title="Judge"),
        Heading(key="n_votes", title="Votes", kind="whole"),
        Heading(key="n_expected", title="Of", kind="whole"),
        Heading(key="n_partial", title="Partial", kind="whole"),
        Heading(key="median_seconds", title="Median s", kind="number", decimals=1),
        Heading(key="n_repeats", title="Repeats", kind="whole"),
        Heading(key="same_first", title="Same first", kind="share", decimals=0),
        Heading(key="overlap", title="Overlap", kind="share", decimals=0),
        Heading(key="n_traps", title="Traps", kind="whole"),
        Heading(key="n_trapped", title="Failed", kind="whole"),
        Heading(
            key="agreement", title="Agreement", kind="number", hint="rank correlation with the other judges"
        ),
        Heading(key="likelihood", title="z of choices", kind="number", decimals=1, hint="near 0 is random"),
        Heading(key="remarks", title="Remarks"),
    )
    return Grid(
        name="judges",
        title="Judges",
        headings=headings,
        rows=tuple(_judge_row(headings, each) for each in analysis.judges),
        notes=(
            "Agreement: Spearman's correlation of a judge's totals with the mean of the others'.",
            "A flag decides nothing: the organiser does.",
        ),
    )


def tabulate_flags(material: Material) -> Grid | None:
    """Make the list of flags with their reasons; None if there are none."""
    flags = () if material.analysis is None else material.analysis.flags
    if not flags:
        return None
    return Grid(
        name="flags",
        title="Judges who deserve a look",
        headings=(
            Heading(key="judge", title="Judge"),
            Heading(key="kind", title="Kind"),
            Heading(key="words", title="What was found"),
        ),
        rows=tuple((Cell(value=each.code), Cell(value=each.kind), Cell(value=each.words)) for each in flags),
    )


def tabulate_agreement(material: Material) -> Grid | None:
    """Make the agreement between judges; None without votes."""
    analysis = material.analysis
    if analysis is None:
        return None
    concordance, alpha = analysis.concordance, analysis.alpha
    measures: list[tuple[str, Cell]] = [
        ("Kendall's W (totals, corrected for ties)", Cell(value=concordance.w, why=concordance.why)),
        ("its p", Cell(value=concordance.p)),
        ("Krippendorff's alpha (ordinal, over image and entry)", _estimate(alpha)),
    ]
    if analysis.components is not None:
        measures += [
            ("variance between judges", Cell(value=analysis.components.judge)),
            ("variance between images", Cell(value=analysis.components.image)),
            ("variance of the rest", Cell(value=analysis.components.interaction)),
        ]
    return Grid(
        name="agreement",
        title="Agreement between judges",
        headings=(
            Heading(key="measure", title="Measure"),
            Heading(key="value", title="Value", kind="number", decimals=3, has_interval=True),
        ),
        rows=tuple((Cell(value=label), cell) for label, cell in measures),
        notes=tuple(cell.why for _, cell in measures if cell.why),
    )


def tabulate_other_choices(material: Material) -> Grid | None:
    """Make the ranks that other choices of judges would give; None if there was no choice."""
    analysis = material.analysis
    if analysis is None or not (analysis.with_everyone or analysis.without_flagged):
        return None
    choices = [("published", "As published", analysis.entries)]
    if analysis.with_everyone:
        choices.append(("everyone", "With every judge", analysis.with_everyone))
    if analysis.without_flagged:
        choices.append(("without_flagged", "Without flagged judges", analysis.without_flagged))
    headings = [Heading(key="team", title="Team")]
    for key, title, _ in choices:
        headings += [
            Heading(key=f"{key}_points", title=f"{title}: points", kind="number", decimals=1),
            Heading(key=f"{key}_rank", title="rank", kind="whole"),
        ]
    by_name = [{each.entry: each for each in entries} for _, _, entries in choices]
    has_finals = any(each.final.value is not None for each in analysis.entries)
    rows = []
    for each in _ordered(material, analysis.entries):
        cells = [Cell(value=each.entry)]
        for found in by_name:
            own = found.get(each.entry)
            cells += [
                Cell(value=None if own is None else own.points.value),
                Cell(
                    value=None if own is None else (own.final_rank if has_finals else final_rank(own)).value
                ),
            ]
        rows.append(tuple(cells))
    excluded = (f"Excluded: {', '.join(analysis.excluded)}.",) if analysis.excluded else ()
    return Grid(
        name="other_choices",
        title="What other choices of judges would give",
        headings=tuple(headings),
        rows=tuple(rows),
        notes=excluded,
    )


def _nth(place: int) -> str:
    return NUMBER_OF_PICK[place] if place < len(NUMBER_OF_PICK) else f"{place + 1}th"


def _points_row(result: JudgedEntry, n_picks: int) -> tuple[Cell, ...]:
    rank = result.points_rank
    picks = (*result.picks, *([0] * (n_picks - len(result.picks))))
    return (
        Cell(value=result.entry),
        _estimate(result.points),
        _estimate(result.crossed),
        _estimate(result.strength),
        Cell(value=rank.value, low=rank.low, high=rank.high, why=rank.why),
        Cell(value=result.n_exposures),
        *(Cell(value=each) for each in picks),
    )


def _tabulate_parts(
    material: Material, parts: Sequence[PartPoints], *, name: str, title: str, per: str
) -> Grid | None:
    if not parts or material.analysis is None:
        return None
    order = [each.entry for each in _ordered(material, material.analysis.entries)]
    found: list[Mapping[str, Estimate]] = [
        {each.entry: each.points for each in part.entries} for part in parts
    ]
    columns = [mark_best([_estimate(values[entry]) for entry in order]) for values in found]
    return Grid(
        name=name,
        title=title,
        headings=(
            Heading(key="team", title="Team"),
            *(
                Heading(
                    key=part.name or "none",
                    title=part.name or f"without {per}",
                    kind="number",
                    decimals=1,
                    has_interval=True,
                    hint=_describe_part(part, per),
                )
                for part in parts
            ),
        ),
        rows=tuple(
            (Cell(value=order[row]), *(column[row] for column in columns)) for row in range(len(order))
        ),
        notes=tuple(f"{part.name or f'without {per}'}: {_describe_part(part, per)}." for part in parts),
    )


def _describe_part(part: PartPoints, per: str) -> str:
    size = f"{part.n_images} images" if per == "issue" else f"{part.n_reasons} picks gave it as a reason"
    return f"{size}; {part.note}".rstrip(".") if part.note else size


def _judge_row(headings: Sequence[Heading], judge: JudgeResult) -> tuple[Cell, ...]:
    remarks = [*(["excluded"] if judge.is_excluded else []), *(each.kind for each in judge.flags)]
    given = {"judge": judge.code, "remarks": ", ".join(remarks)}
    return tuple(Cell(value=given.get(each.key, getattr(judge, each.key, None))) for each in headings)


def _estimate(estimate: Estimate) -> Cell:
    return Cell(value=estimate.value, low=estimate.low, high=estimate.high, why=estimate.why)


def _ordered(material: Material, entries: Sequence[JudgedEntry]) -> list[JudgedEntry]:
    """Return results in the order of the ranking, those that are not in it last."""
    places = {team: place for place, team in enumerate(material.ranked_teams)}
    return sorted(entries, key=lambda each: places.get(each.entry, len(places)))
