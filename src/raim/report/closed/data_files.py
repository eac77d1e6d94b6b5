"""Everything that a report says as CSV and JSON: all digits, intervals in columns of their own, no names of judges."""

import json
import math
from typing import Any

from raim.challenge.ranking_files import ranking_as_plain
from raim.report.closed.grid import Grid, flat_columns, flat_row
from raim.report.closed.material import Material
from raim.study.analysis import analysis_as_plain
from raim.study.files import StudyDocument, make_archive
from raim.tables import format_table

SCHEMA = "raim-report/1"


def format_grid(table: Grid) -> str:
    r"""Return a table as CSV.

    Example:
        >>> from raim.report.closed.grid import Cell, Heading
        >>> headings = (Heading(key="team", title="Team"), Heading(key="points", title="S3", has_interval=True))
        >>> row = (Cell(value="=a"), Cell(value=3.0, low=2.5, high=4.0))
        >>> format_grid(Grid(name="points", title="Points", headings=headings, rows=(row,)))
        "team,points,points_low,points_high\n'=a,3.0,2.5,4.0\n"
    """
    return format_table(flat_columns(table), (flat_row(table, row) for row in table.rows))


def format_json(material: Material, tables: tuple[Grid, ...]) -> str:
    """Return the whole report as JSON.

    Example:
        >>> from raim.challenge import Entrant, rank_teams
        >>> ranking = rank_teams([Entrant(team="a", score=70.0, points=3.0)])
        >>> json.loads(format_json(Material(title="A challenge", ranking=ranking), ()))["ranking"]["rows"][0]["rank"]
        1
    """
    return json.dumps(_report(material, tables), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def pack_votes(material: Material) -> bytes | None:
    """Return the votes as an archive for everybody, without names of judges; None if they are not known."""
    if material.ballots is None:
        return None
    return make_archive(StudyDocument(ballots=material.ballots, is_simulated=material.is_simulated))


def _report(material: Material, tables: tuple[Grid, ...]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "raim_version": material.raim_version,
        "created_at": None if material.created_at is None else material.created_at.isoformat(),
        "title": material.title,
        "tagline": material.tagline,
        "organisers": list(material.organisers),
        "votes_are_simulated": material.is_simulated,
        "profile": material.profile,
        "phases": [
            {"name": each.name, "opens": each.opens.isoformat(), "closes": each.closes.isoformat()}
            for each in material.phases
        ],
        "participation": dict(material.participation),
        "teams": [_team(material, name) for name in material.ranked_teams],
        "ranking": ranking_as_plain(material.ranking),
        "analysis": None if material.analysis is None else analysis_as_plain(material.analysis),
        "submissions": [
            {"submitted_at": each.at.isoformat(), "team": each.team, "score": _number(each.score)}
            for each in material.timeline
        ],
        "prizes": list(material.prizes),
        "notes": list(material.notes),
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "notes": list(table.notes),
                "columns": list(flat_columns(table)),
                "rows": [[_number(value) for value in flat_row(table, row)] for row in table.rows],
            }
            for table in tables
        ],
    }


def _team(material: Material, name: str) -> dict[str, Any]:
    team = material.team(name)
    return {
        "team": team.team,
        "score": _number(team.score),
        "measures": {key: _number(value) for key, value in team.measures.items()},
        "scenarios": {
            scenario: {key: _number(value) for key, value in values.items()}
            for scenario, values in team.scenarios.items()
        },
        "fact_sheet": dict(team.fact_sheet),
        "left_out": team.left_out,
        "incomplete": team.incomplete,
        "n_submissions": team.n_submissions,
    }


def _number(value: Any) -> Any:
    """Return a value as JSON has it: there is no infinity, it is a word."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
