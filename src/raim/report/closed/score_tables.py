"""The tables of what was measured and of who took part: scenarios, submissions, phases, fact sheets."""

from raim.report.closed.grid import Cell, Grid, Heading, mark_best
from raim.report.closed.material import Material
from raim.report.closed.measures import SCORE, MeasureColumn, find_measures


def tabulate_scenarios(material: Material) -> tuple[Grid, ...]:
    """Make a table of teams and scenarios for SCORE and each measure; the first is SCORE's."""
    teams = [material.team(name) for name in material.ranked_teams]
    scenarios = list(dict.fromkeys(scenario for each in teams for scenario in each.scenarios))
    keys = {key for each in teams for values in each.scenarios.values() for key in values}
    measures = (*((SCORE,) if "score" in keys else ()), *find_measures(keys))
    return tuple(_tabulate_measure(material, measure, scenarios) for measure in measures)


def _tabulate_measure(material: Material, measure: MeasureColumn, scenarios: list[str]) -> Grid:
    teams = [material.team(name) for name in material.ranked_teams]
    columns = []
    for scenario in scenarios:
        cells = [Cell(value=each.scenarios.get(scenario, {}).get(measure.heading.key)) for each in teams]
        if measure.higher_is_better is not None:
            # The teams with a rank come first; the others are not compared.
            n_ranked = len(material.ranking.ranked)
            marked = mark_best(cells[:n_ranked], higher_is_better=measure.higher_is_better)
            cells = [*marked, *cells[n_ranked:]]
        columns.append(cells)
    return Grid(
        name=f"scenarios_{measure.heading.key}",
        title=f"{measure.heading.title} per scenario",
        headings=(
            Heading(key="team", title="Team"),
            *(
                Heading(key=scenario, title=scenario, kind="number", decimals=measure.heading.decimals)
                for scenario in scenarios
            ),
        ),
        rows=tuple(
            (Cell(value=each.team), *cells)
            for each, cells in zip(teams, zip(*columns, strict=True), strict=True)
        ),
        notes=() if measure.higher_is_better is not False else ("Lower is better.",),
    )


def tabulate_participation(material: Material) -> Grid | None:
    """Make the table of counts; None if none are known."""
    if not material.participation:
        return None
    return Grid(
        name="participation",
        title="Participation",
        headings=(Heading(key="what", title="Count of"), Heading(key="number", title="Number", kind="whole")),
        rows=tuple(
            (Cell(value=label), Cell(value=number)) for label, number in material.participation.items()
        ),
    )


def tabulate_phases(material: Material) -> Grid | None:
    """Make the table of phases; None if none are known."""
    if not material.phases:
        return None
    return Grid(
        name="phases",
        title="Phases",
        headings=(
            Heading(key="phase", title="Phase"),
            Heading(key="opens", title="Opens (UTC)"),
            Heading(key="closes", title="Closes (UTC)"),
        ),
        rows=tuple(
            (
                Cell(value=each.name),
                Cell(value=f"{each.opens:%Y-%m-%d %H:%M}"),
                Cell(value=f"{each.closes:%Y-%m-%d %H:%M}"),
            )
            for each in material.phases
        ),
    )


def tabulate_submissions(material: Material) -> Grid | None:
    """Make the list of submissions in the order of time; None if none are known."""
    if not material.timeline:
        return None
    return Grid(
        name="submissions",
        title="Submissions",
        headings=(
            Heading(key="submitted_at", title="Submitted (UTC)"),
            Heading(key="team", title="Team"),
            Heading(key="score", title="SCORE", kind="number"),
        ),
        rows=tuple(
            (Cell(value=each.at.isoformat()), Cell(value=each.team), Cell(value=each.score))
            for each in material.timeline
        ),
    )


def tabulate_fact_sheets(material: Material) -> Grid | None:
    """Make one row for each answer of each team's fact sheet; None if there are none."""
    rows = tuple(
        (Cell(value=name), Cell(value=label), Cell(value=text))
        for name in material.ranked_teams
        for label, text in material.team(name).fact_sheet.items()
    )
    if not rows:
        return None
    return Grid(
        name="fact_sheets",
        title="Fact sheets",
        headings=(
            Heading(key="team", title="Team"),
            Heading(key="question", title="Question"),
            Heading(key="answer", title="Answer"),
        ),
        rows=rows,
    )
