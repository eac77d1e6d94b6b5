"""The leaderboard of a phase: as a page, as JSON, as CSV."""

from starlette.responses import Response

from raim.records.leaderboard import Leaderboard, Line
from raim.server.queries import leaderboard as queries
from raim.server.web.context import RequestContext
from raim.server.web.fields import Search, Slug
from raim.server.web.routing import Area
from raim.tables import format_table

area = Area("leaderboard")


@area.get("/leaderboard", who="anyone", template="leaderboard")
def show_newest(context: RequestContext) -> Leaderboard:
    """Return the leaderboard of the newest phase that has entries to see."""
    server = context.server
    phases = queries.visible_phases(context.challenge, context.viewer.role, context.now)
    phase = queries.newest_phase(
        context.session, context.challenge, phases, server.standings, context.challenge.profile
    )
    return _read(context, "" if phase is None else phase.id)


@area.get("/leaderboard/{phase_id}", who="anyone", template="leaderboard")
def show_leaderboard(
    context: RequestContext, phase_id: Slug, scenario: Search = "", sort: Search = ""
) -> Leaderboard:
    """Return the leaderboard of a phase; `scenario` gives its means, `sort` orders by a measure."""
    return _read(context, phase_id, scenario=scenario, sort=sort)


@area.get("/leaderboard/{phase_id}/scores.csv", who="anyone", is_page=True, is_api=False)
def give_leaderboard_csv(context: RequestContext, phase_id: Slug) -> Response:
    """Return the leaderboard as CSV."""
    found = _read(context, phase_id)
    columns = [each.name for each in Line.columns(found.measures)]
    text = format_table(columns, [[row.value(name) for name in columns] for row in found.rows])
    name = f'attachment; filename="leaderboard-{found.phase}.csv"'
    return Response(text, media_type="text/csv", headers={"Content-Disposition": name})


def _read(context: RequestContext, phase_id: str, *, scenario: str = "", sort: str = "") -> Leaderboard:
    """Read a leaderboard, which is kept for all readers who see the same phases until something changes."""
    challenge, who = context.challenge, (context.viewer.role, context.now)
    phase = queries.find_board_phase(challenge, phase_id, *who) if phase_id else None
    phases = queries.visible_phases(challenge, *who)

    def read(scenario: str = "", sort: str = "") -> Leaderboard:
        seen = ",".join(each.id for each in phases)
        return context.server.keep(
            ("board", challenge.id, challenge.version, phase_id, seen, scenario, sort),
            lambda: queries.read_leaderboard(
                context.session,
                challenge,
                phase,
                phases=phases,
                standings=context.server.standings,
                profile=challenge.profile,
                scenario=scenario,
                sort=sort,
            ),
        )

    names, columns = read().scenario_names, challenge.profile.columns
    return read(scenario if scenario in names else "", sort if sort in columns else "")
