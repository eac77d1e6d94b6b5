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
from raim.server.web.context import Admitted, Context
from raim.server.web.history_chart import draw_history
from raim.server.web.rendering import render, render_text
from raim.tables import format_table

router = APIRouter(include_in_schema=False)
KEPT = 64  # tables and pages as last made
_made: dict[tuple[Hashable, ...], str] = {}


@router.get("/leaderboard", name="leaderboard")
def show_leaderboard(context: Admitted) -> Response:
    """Show the leaderboard of the newest phase that has one to see."""
    phases = visible_phases(context)
    if not phases:
        return render(context, "leaderboard_none.html.jinja")
    return _show(context, phases[-1], scenario="", sort="")


@router.get("/leaderboard/{phase_id}", name="leaderboard.phase")
def show_leaderboard_of(context: Admitted, phase_id: str, scenario: str = "", sort: str = "") -> Response:
    """Show the leaderboard of one phase."""
    return _show(context, find_phase(context, phase_id), scenario=scenario, sort=sort)


@router.get("/leaderboard/{phase_id}/scores.csv", name="leaderboard.csv")
def give_csv(context: Admitted, phase_id: str) -> Response:
    """Give the leaderboard as CSV."""
    phase = find_phase(context, phase_id)
    standings = read_standings(context, phase)
    measures = context.server.profile.columns
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
def give_json(context: Admitted, phase_id: str) -> Response:
    """Give the leaderboard as JSON."""
    phase = find_phase(context, phase_id)
    return JSONResponse(standings_as_dict(context, phase, read_standings(context, phase)))


def visible_phases(context: Context) -> list[Phase]:
    """Give the phases whose leaderboards the viewer sees, in the order of time."""
    return [
        phase
        for phase in context.contest.challenge.phases
        if phase.scored is not None and is_leaderboard_visible(phase, context.viewer.role, context.now)
    ]


def find_phase(context: Context, phase_id: str) -> Phase:
    """Give a phase whose leaderboard the viewer sees.

    Raises:
        UnknownNameError: There is none of that id, or it scores nothing.
        AccessError: They do not see it now.
    """
    phase = context.contest.challenge.phase(phase_id)
    if phase.scored is None:
        raise UnknownNameError(f"{phase.name} has no leaderboard; nothing is scored in it")
    if not is_leaderboard_visible(phase, context.viewer.role, context.now):
        raise AccessError(f"the leaderboard of {phase.name} is not public now")
    return phase


def read_standings(context: Context, phase: Phase) -> Standings:
    """Give the leaderboard of a phase as it is now."""
    with context.server.database.reading() as session:
        return context.server.standings.get(session, context.contest, phase, context.server.profile)


def standings_as_dict(context: Context, phase: Phase, standings: Standings) -> dict[str, Any]:
    """Give the JSON form of a leaderboard."""
    return {
        "phase": phase.id,
        "scorer_version": standings.scorer_version,
        "profile": context.contest.challenge.profile,
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


def _show(context: Context, phase: Phase, *, scenario: str, sort: str) -> Response:
    standings = read_standings(context, phase)
    columns = context.server.profile.columns
    view = View(
        phase=phase,
        standings=standings,
        scenario=scenario if scenario in standings.scenarios else "",
        sort=sort if sort in columns else "",
    )
    if context.viewer.is_user or context.request.query_params.get("note"):
        return HTMLResponse(_page(context, view))
    # What is public is the same for every reader: it is made once, until something has changed.
    seen = tuple(each.id for each in visible_phases(context))
    key = ("page", *view.key(context), seen, context.contest.results_published_at)
    return HTMLResponse(_keep(key, lambda: _page(context, view)))


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

    def key(self, context: Context) -> tuple[Hashable, ...]:
        """Give what the view depends on."""
        return (id(context.server), self.phase.id, self.standings.version, self.scenario, self.sort)


def _keep(key: tuple[Hashable, ...], make: Callable[[], str]) -> str:
    found = _made.get(key)
    if found is None:
        found = make()
        while len(_made) >= KEPT:
            _made.pop(next(iter(_made)), None)
        _made[key] = found
    return found


def _page(context: Context, view: View) -> str:
    table = _keep(("table", *view.key(context)), lambda: _table(context, view))
    return render_text(
        context,
        "leaderboard.html.jinja",
        phase=view.phase,
        phases=visible_phases(context),
        standings=view.standings,
        scenario=view.scenario,
        sort=view.sort,
        table=Markup(table),  # noqa: S704 - of a template, which escapes
        profile=context.server.profile,
    )


def _table(context: Context, view: View) -> str:
    return render_text(
        context,
        "leaderboard_table.html.jinja",
        rows=list(_rows(context, view.standings, view.scenario, view.sort)),
        columns=context.server.profile.columns,
        phase=view.phase,
        scenario=view.scenario,
        sort=view.sort,
        chart=draw_history(view.standings.history, zone=context.contest.challenge.timezone),
    )


def _rows(
    context: Context, standings: Standings, scenario: str, sort: str
) -> Iterator[tuple[Standing, dict[str, float | None]]]:
    shown = [
        (each, _values(each) if not scenario else dict(each.scenarios.get(scenario, {})))
        for each in standings.rows
    ]
    if sort or scenario:
        column = sort or "score"
        is_higher = context.server.profile.is_higher_better(column)

        def place(pair: tuple[Standing, dict[str, float | None]]) -> tuple[bool, float]:
            value = pair[1].get(column)
            return value is None, 0.0 if value is None else -value if is_higher else value

        shown.sort(key=place)
    yield from shown


def _values(standing: Standing) -> dict[str, float | None]:
    return {**standing.row.entry.measures, "score": standing.row.entry.score}
