"""The tables of the result: the report's Table 1 with intervals, the ranking with everybody, awards."""

from collections.abc import Mapping, Sequence

from raim.challenge import FinalRanking, RankedTeam, Weights
from raim.challenge.modes import MODES, TOP_THREE
from raim.report.closed.grid import Cell, Grid, Heading, mark_best
from raim.report.closed.material import Material
from raim.report.closed.measures import find_measures
from raim.study.findings import Analysis, Estimate, JudgedEntry, RankEstimate

INTERVALS = (
    "Intervals: 95 %, bootstrap over judges and images; those of ranks are cautious (they hold the true rank more "
    "often than 95 %)."
)


def tabulate_ranking(material: Material) -> Grid:
    """Make the report's Table 1, with intervals where votes are known."""
    results = _results(material)
    ranking = material.ranking
    rows = [*ranking.rows, *ranking.left_out]
    reason = "why_unranked" if any(row.rank is None for row in rows) else ""
    headings = [
        Heading(key="rank", title="Rank", kind="whole", reason=reason),
        Heading(key="team", title="Team"),
        *[each.heading for each in find_measures(_measure_keys(material))],
        Heading(key="score", title="SCORE (S2)", kind="number"),
        *(_study_headings(material.analysis) if _has_points(ranking) else ()),
        Heading(
            key="final", title="Final", kind="number", decimals=ranking.decimals, has_interval=bool(results)
        ),
    ]
    if results:
        headings += [
            Heading(key="rank_interval", title="Rank, 95 %", hint="interval of the final rank"),
            Heading(
                key="first",
                title="First",
                kind="share",
                decimals=0,
                hint="share of draws in which it is first",
            ),
        ]
    if any(row.award for row in ranking.rows):
        headings.append(Heading(key="award", title="Award"))
    return Grid(
        name="ranking",
        title="Final ranking",
        headings=tuple(headings),
        rows=_fill(headings, rows, material, results),
        notes=describe_ranking(ranking, has_intervals=bool(results)),
    )


def tabulate_with_left_out(material: Material) -> Grid | None:
    """Make the ranking as if nobody had been left out; None if nobody was."""
    other = material.ranking.with_left_out
    if other is None:
        return None
    headings = [
        Heading(key="rank", title="Rank", kind="whole"),
        Heading(key="team", title="Team"),
        Heading(key="score", title="SCORE (S2)", kind="number"),
        *(_study_headings(None) if _has_points(other) else ()),
        Heading(key="final", title="Final", kind="number", decimals=other.decimals),
    ]
    return Grid(
        name="ranking_with_left_out",
        title="Ranking with the entries that were left out after the vote",
        headings=tuple(headings),
        rows=_fill(headings, other.rows, material, {}),
        notes=tuple(f"{row.team}: {row.why_unranked}." for row in material.ranking.left_out),
    )


def tabulate_awards(material: Material) -> Grid | None:
    """Make the list of awards; None if there are none."""
    won = [row for row in material.ranking.rows if row.award]
    if not won:
        return None
    ranks = [row.rank for row in won]
    notes = [*material.prizes]
    if len(set(ranks)) < len(ranks):
        notes.append(
            "Teams that share a rank share its award; the places that they take beyond it are missing from the next."
        )
    return Grid(
        name="awards",
        title="Awards",
        headings=(
            Heading(key="award", title="Award"),
            Heading(key="team", title="Team"),
            Heading(key="rank", title="Rank", kind="whole"),
        ),
        rows=tuple((Cell(value=row.award), Cell(value=row.team), Cell(value=row.rank)) for row in won),
        notes=tuple(notes),
    )


def tabulate_rank_shares(material: Material) -> Grid | None:
    """Make the distribution of final ranks: for each team, the share of draws with each rank; None without draws."""
    results = _results(material)
    shares = [
        (row.team, final_rank(results[row.team]).shares)
        for row in material.ranking.ranked
        if row.team in results
    ]
    n_ranks = max((len(each) for _, each in shares), default=0)
    if n_ranks == 0:
        return None
    headings = [Heading(key="team", title="Team")]
    headings += [
        Heading(key=f"rank_{rank}", title=str(rank), kind="share", decimals=1)
        for rank in range(1, n_ranks + 1)
    ]
    return Grid(
        name="final_ranks",
        title="Share of draws with each final rank",
        headings=tuple(headings),
        rows=tuple(
            (
                Cell(value=team),
                *(Cell(value=each) for each in (*own, *([0.0] * (n_ranks - len(own))))),
            )
            for team, own in shares
        ),
        notes=("Drawn again and again from judges and images; ties share the better rank.",),
    )


def final_rank(result: JudgedEntry) -> RankEstimate:
    """Return the rank that the report shows: of the final scores, of points where there are none.

    Example:
        >>> missing = RankEstimate(value=None)
        >>> none = Estimate(value=None)
        >>> final_rank(JudgedEntry(entry="a", n_exposures=1, points=none, crossed=none, strength=none,
        ...     normalised=none, final=none, points_rank=RankEstimate(value=2), final_rank=missing)).value
        2
    """
    return result.final_rank if result.final_rank.value is not None else result.points_rank


def describe_ranking(ranking: FinalRanking, *, has_intervals: bool) -> tuple[str, ...]:
    """Return what a reader must know of the ranking."""
    notes = [describe_final(ranking.weights)]
    if ranking.note:
        notes.append(f"{ranking.note[0].upper()}{ranking.note[1:]}.")
    if ranking.effective is not None and ranking.weights.study:
        notes.append(
            f"The weights {_percent(ranking.weights)} act like {_percent(ranking.effective)}, "
            "since the two parts have not the same range."
        )
    if has_intervals:
        notes.append(INTERVALS)
    unranked = [row for row in (*ranking.rows, *ranking.left_out) if row.rank is None]
    return (*notes, *(f"{row.team}: {row.why_unranked}." for row in unranked))


def points_title(analysis: Analysis | None) -> str:
    """Return what points are.

    Example:
        >>> points_title(None)
        'Points (S3)'
    """
    mode = TOP_THREE if analysis is None else MODES[analysis.mode]
    return f"{mode.title} (S3)"


def describe_final(weights: Weights) -> str:
    """Return what the final score is.

    Example:
        >>> describe_final(Weights(score=1, study=0))
        'Final = S2: SCORE alone decides.'
    """
    if weights.study == 0:
        return "Final = S2: SCORE alone decides."
    shares = f"{weights.score:g} S2 + {weights.study:g} S3n"
    return f"Final = {shares}, with S3n = 100 (S3 - min S3) / (max S3 - min S3)."


def _percent(weights: Weights) -> str:
    return f"{100 * weights.score:.3g}/{100 * weights.study:.3g}"


def _results(material: Material) -> Mapping[str, JudgedEntry]:
    return {} if material.analysis is None else {each.entry: each for each in material.analysis.entries}


def _has_points(ranking: FinalRanking) -> bool:
    return ranking.weights.study > 0 or any(row.points is not None for row in ranking.rows)


def _study_headings(analysis: Analysis | None) -> tuple[Heading, ...]:
    has_votes = analysis is not None
    return (
        Heading(
            key="points",
            title=points_title(analysis),
            kind="number",
            decimals=1 if has_votes else 2,
            has_interval=has_votes,
        ),
        Heading(
            key="normalised", title="S3n", kind="number", hint="points, 0 for the fewest, 100 for the most"
        ),
    )


def _measure_keys(material: Material) -> set[str]:
    return {key for each in material.teams for key in each.measures}


def _fill(
    headings: Sequence[Heading],
    rows: Sequence[RankedTeam],
    material: Material,
    results: Mapping[str, JudgedEntry],
) -> tuple[tuple[Cell, ...], ...]:
    columns = []
    directions = {each.heading.key: each.higher_is_better for each in find_measures(_measure_keys(material))}
    directions |= {"score": True, "points": True, "final": True}
    n_ranked = sum(row.rank is not None for row in rows)  # they come first; the others are not compared
    for heading in headings:
        cells: Sequence[Cell] = [_cell(heading, row, material, results.get(row.team)) for row in rows]
        direction = directions.get(heading.key)
        if direction is not None:
            cells = [*mark_best(cells[:n_ranked], higher_is_better=direction), *cells[n_ranked:]]
        columns.append(cells)
    return tuple(zip(*columns, strict=True))


def _cell(heading: Heading, row: RankedTeam, material: Material, result: JudgedEntry | None) -> Cell:
    key = heading.key
    if key in {"rank", "team", "score", "normalised", "award"}:
        return Cell(value=getattr(row, key), why=row.why_unranked if key == "rank" else "")
    if key in {"points", "final"}:
        interval: Estimate | None = None if result is None else getattr(result, key)
        if interval is None or row.final is None:
            return Cell(value=getattr(row, key))
        return Cell(value=getattr(row, key), low=interval.low, high=interval.high, why=interval.why)
    if key in {"rank_interval", "first"}:
        return _rank_cell(key, row, result)
    return Cell(value=material.team(row.team).measures.get(key))


def _rank_cell(key: str, row: RankedTeam, result: JudgedEntry | None) -> Cell:
    if result is None or row.rank is None:
        return Cell(value=None)
    found = final_rank(result)
    if key == "first":
        return Cell(value=found.first, why=found.why)
    if found.low is None or found.high is None:
        return Cell(value=None, why=found.why)
    same = found.low == found.high
    return Cell(value=str(found.low) if same else f"{found.low} to {found.high}")
