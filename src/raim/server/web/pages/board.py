"""The leaderboard of a phase: as a page, as CSV and as JSON."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse, Response

from raim.challenge import Phase, is_leaderboard_visible
from raim.errors import AccessError, UnknownNameError
from raim.server.contest import Standing, Standings
from raim.server.web.api.records import as_plain
from raim.server.web.history_chart import draw_history
from raim.server.web.rendering import render, render_text
from raim.server.web.visit import Admitted, Visit
from raim.tables import format_table

router = APIRouter(include_in_schema=False)
KEPT = 64  # tables and pages as last made
_made: dict[tuple[Hashable, ...], str] = {}


@router.get("/leaderboard", name="leaderboard")
def show_leaderboard(visit: Admitted) -> Response:
    """Show the leaderboard of the newest phase that has one to see."""
    phases = visible_phases(visit)
    if not phases:
        return render(visit, "leaderboard_none.html.jinja")
    return _show(visit, phases[-1], scenario="", sort="")


@router.get("/leaderboard/{phase_id}", name="leaderboard.phase")
def show_leaderboard_of(visit: Admitted, phase_id: str, scenario: str = "", sort: str = "") -> Response:
    """Show the leaderboard of one phase."""
    return _show(visit, find_phase(visit, phase_id), scenario=scenario, sort=sort)


@router.get("/leaderboard/{phase_id}/scores.csv", name="leaderboard.csv")
def give_csv(visit: Admitted, phase_id: str) -> Response:
    """Give the leaderboard as CSV."""
    phase = find_phase(visit, phase_id)
    standings = read_standings(visit, phase)
    measures = visit.server.profile.columns
    rows = []
    for each in standings.rows:
        values, row = _values(each), each.row
        cells = [values.get(name) for name in measures]
        when = row.entry.submitted_at
        rows.append([row.rank, each.team, *cells, row.n_entries, when, each.is_verified, row.why_unranked])
    columns = ["rank", "team", *measures, "entries", "submitted_at", "verified", "note"]
    text = format_table(columns, rows)
    name = f'attachment; filename="leaderboard-{phase.id}.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": name})


@router.get("/leaderboard/{phase_id}/scores.json", name="leaderboard.json")
def give_json(visit: Admitted, phase_id: str) -> Response:
    """Give the leaderboard as JSON."""
    phase = find_phase(visit, phase_id)
    return JSONResponse(standings_as_dict(visit, phase, read_standings(visit, phase)))


def visible_phases(visit: Visit) -> list[Phase]:
    """Give the phases whose leaderboards the viewer sees, in the order of time."""
    return [
        phase
        for phase in visit.contest.challenge.phases
        if phase.scored is not None and is_leaderboard_visible(phase, visit.viewer.role, visit.now)
    ]


def find_phase(visit: Visit, phase_id: str) -> Phase:
    """Give a phase whose leaderboard the viewer sees.

    Raises:
        UnknownNameError: There is none of that id, or it scores nothing.
        AccessError: They do not see it now.
    """
    phase = visit.contest.challenge.phase(phase_id)
    if phase.scored is None:
        raise UnknownNameError(f"{phase.name} has no leaderboard; nothing is scored in it")
    if not is_leaderboard_visible(phase, visit.viewer.role, visit.now):
        raise AccessError(f"the leaderboard of {phase.name} is not public now")
    return phase


def read_standings(visit: Visit, phase: Phase) -> Standings:
    """Give the leaderboard of a phase as it is now."""
    with visit.server.database.reading() as session:
        return visit.server.standings.get(session, visit.contest, phase, visit.server.profile)


def standings_as_dict(visit: Visit, phase: Phase, standings: Standings) -> dict[str, Any]:
    """Give the JSON form of a leaderboard."""
    return {
        "phase": phase.id,
        "scorer_version": visit.contest.scorer_version,
        "profile": visit.contest.challenge.profile,
        "rows": [
            {
                "rank": each.row.rank,
                "team": each.team,
                "submission_id": each.submission_id,
                "score": as_plain(each.row.entry.score),
                "measures": {name: as_plain(value) for name, value in each.row.entry.measures.items()},
                "scenarios": {
                    name: {key: as_plain(value) for key, value in values.items()}
                    for name, values in each.scenarios.items()
                },
                "n_entries": each.row.n_entries,
                "submitted_at": each.row.entry.submitted_at.isoformat(),
                "is_verified": each.is_verified,
                "why_unranked": each.row.why_unranked,
            }
            for each in standings.rows
        ],
    }


def _show(visit: Visit, phase: Phase, *, scenario: str, sort: str) -> Response:
    standings = read_standings(visit, phase)
    columns = visit.server.profile.columns
    view = View(
        phase=phase,
        standings=standings,
        scenario=scenario if scenario in standings.scenarios else "",
        sort=sort if sort in columns else "",
    )
    if visit.viewer.is_user or visit.request.query_params.get("note"):
        return HTMLResponse(_page(visit, view))
    # What is public is the same for every reader: it is made once, until something has changed.
    seen = tuple(each.id for each in visible_phases(visit))
    key = ("page", *view.key(visit), seen, visit.contest.results_published_at)
    return HTMLResponse(_keep(key, lambda: _page(visit, view)))


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What of a leaderboard is shown.

    Attributes:
        phase: Whose.
        standings: As they are now.
        scenario: Means of which scenario; "" for all images.
        sort: By which column; "" by rank.
    """

    phase: Phase
    standings: Standings
    scenario: str
    sort: str

    def key(self, visit: Visit) -> tuple[Hashable, ...]:
        """Give what the view depends on."""
        return (id(visit.server), self.phase.id, self.standings.version, self.scenario, self.sort)


def _keep(key: tuple[Hashable, ...], make: Callable[[], str]) -> str:
    found = _made.get(key)
    if found is None:
        found = make()
        while len(_made) >= KEPT:
            _made.pop(next(iter(_made)), None)
        _made[key] = found
    return found


def _page(visit: Visit, view: View) -> str:
    table = _keep(("table", *view.key(visit)), lambda: _table(visit, view))
    return render_text(
        visit,
        "leaderboard.html.jinja",
        phase=view.phase,
        phases=visible_phases(visit),
        standings=view.standings,
        scenario=view.scenario,
        sort=view.sort,
        table=Markup(table),  # noqa: S704 - of a template, which escapes
        profile=visit.server.profile,
    )


def _table(visit: Visit, view: View) -> str:
    return render_text(
        visit,
        "leaderboard_table.html.jinja",
        rows=list(_rows(visit, view.standings, view.scenario, view.sort)),
        columns=visit.server.profile.columns,
        phase=view.phase,
        scenario=view.scenario,
        sort=view.sort,
        chart=draw_history(view.standings.history, zone=visit.contest.challenge.timezone),
    )


def _rows(
    visit: Visit, standings: Standings, scenario: str, sort: str
) -> Iterator[tuple[Standing, dict[str, float | None]]]:
    shown = [
        (each, _values(each) if not scenario else dict(each.scenarios.get(scenario, {})))
        for each in standings.rows
    ]
    if sort or scenario:
        column = sort or "score"
        is_higher = visit.server.profile.is_higher_better(column)

        def place(pair: tuple[Standing, dict[str, float | None]]) -> tuple[bool, float]:
            value = pair[1].get(column)
            return value is None, 0.0 if value is None else -value if is_higher else value

        shown.sort(key=place)
    yield from shown


def _values(standing: Standing) -> dict[str, float | None]:
    return {**standing.row.entry.measures, "score": standing.row.entry.score}
