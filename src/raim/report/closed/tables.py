"""All tables of a report, in the order in which they are read."""

from dataclasses import replace

from raim.report.closed.grid import Grid
from raim.report.closed.material import SIMULATED, Material
from raim.report.closed.ranking_tables import (
    tabulate_awards,
    tabulate_rank_shares,
    tabulate_ranking,
    tabulate_with_left_out,
)
from raim.report.closed.score_tables import (
    tabulate_fact_sheets,
    tabulate_participation,
    tabulate_phases,
    tabulate_scenarios,
    tabulate_submissions,
)
from raim.report.closed.study_tables import (
    tabulate_agreement,
    tabulate_criteria,
    tabulate_flags,
    tabulate_issues,
    tabulate_judges,
    tabulate_other_choices,
    tabulate_points,
)


def make_tables(material: Material) -> tuple[Grid, ...]:
    """Make every table for which there is something; those that hold simulated votes say so.

    Example:
        >>> from raim.challenge import Entrant, rank_teams
        >>> ranking = rank_teams([Entrant(team="a", score=70.0, points=3.0), Entrant(team="b", score=60.0, points=1.0)])
        >>> [table.name for table in make_tables(Material(title="A challenge", ranking=ranking))]
        ['ranking']
    """
    of_votes = (
        tabulate_ranking(material),
        tabulate_with_left_out(material),
        tabulate_awards(material),
        tabulate_rank_shares(material),
        tabulate_points(material),
        tabulate_issues(material),
        tabulate_criteria(material),
        tabulate_agreement(material),
        tabulate_judges(material),
        tabulate_flags(material),
        tabulate_other_choices(material),
    )
    others = (
        *tabulate_scenarios(material),
        tabulate_participation(material),
        tabulate_phases(material),
        tabulate_submissions(material),
        tabulate_fact_sheets(material),
    )
    says = [_say_simulated(each) if material.is_simulated else each for each in of_votes if each is not None]
    return (*says, *(each for each in others if each is not None))


def _say_simulated(grid: Grid) -> Grid:
    return replace(grid, notes=(SIMULATED, *grid.notes), is_simulated=True)
