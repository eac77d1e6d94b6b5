"""Leaderboards as people see them: who sees which, and in what order."""

from datetime import datetime

from sqlalchemy.orm import Session

from raim.challenge import Phase, is_leaderboard_visible
from raim.challenge.rules import Role
from raim.errors import AccessError, UnknownNameError
from raim.records.leaderboard import Leaderboard, Line
from raim.scoring.profiles import Profile
from raim.server.current_challenge import CurrentChallenge
from raim.server.standings import Standing, StandingsCache

MOST_HISTORIES = 10


def visible_phases(challenge: CurrentChallenge, role: Role, now: datetime) -> list[Phase]:
    """Return the phases whose leaderboards are seen by people of a role, in the order of time."""
    return [
        phase
        for phase in challenge.definition.phases
        if phase.scored is not None and is_leaderboard_visible(phase, role, now)
    ]


def find_board_phase(challenge: CurrentChallenge, phase_id: str, role: Role, now: datetime) -> Phase:
    """Return a phase whose leaderboard is seen by people of a role.

    Raises:
        UnknownNameError: There is none of that id, or it scores nothing.
        AccessError: They do not see it now.
    """
    phase = challenge.definition.phase(phase_id)
    if phase.scored is None:
        raise UnknownNameError(f"{phase.name} has no leaderboard; nothing is scored in it")
    if not is_leaderboard_visible(phase, role, now):
        raise AccessError(f"the leaderboard of {phase.name} is not public now")
    return phase


def newest_phase(
    session: Session,
    challenge: CurrentChallenge,
    phases: list[Phase],
    standings: StandingsCache,
    profile: Profile,
) -> Phase | None:
    """Return the newest of some phases that has entries, else the newest; None of none."""
    newest_first = phases[::-1]
    filled = (phase for phase in newest_first if standings.get(session, challenge, phase, profile).rows)
    return next(filled, newest_first[0] if phases else None)


def read_leaderboard(
    session: Session,
    challenge: CurrentChallenge,
    phase: Phase | None,
    *,
    phases: list[Phase],
    standings: StandingsCache,
    profile: Profile,
    scenario: str = "",
    sort: str = "",
) -> Leaderboard:
    """Return the leaderboard of a phase, one of those that are to be seen; None where there is none.

    Its means are those of a scenario, or of all images for "" or one that there is not; its rows are sorted by a
    column, or by rank for "".
    """
    found = None if phase is None else standings.get(session, challenge, phase, profile)
    names = () if found is None else found.scenarios
    scenario = scenario if scenario in names else ""
    sort = sort if sort in profile.columns else ""
    rows = [] if found is None else [_of_scenario(each, scenario) for each in found.rows]
    if sort or scenario:
        _sort(rows, sort or "score", profile)
    histories = {} if found is None else found.history
    best = sorted(histories.items(), key=lambda item: -item[1][-1][1])[:MOST_HISTORIES]
    return Leaderboard(
        phase="" if phase is None else phase.id,
        phases={each.id: each.name for each in phases},
        counts=challenge.definition.leaderboard.counts
        if phase is None
        else challenge.definition.counting(phase),
        profile=profile.name,
        scorer_version=challenge.scorer_version if found is None else found.scorer_version,
        measures=[each for each in profile.columns if each != "score"],
        scenario_names=list(names),
        scenario=scenario,
        sort=sort,
        rows=rows,
        history={team: list(points) for team, points in best},
    )


def _of_scenario(standing: Standing, scenario: str) -> Line:
    if not scenario:
        return standing
    values = dict(standing.scenarios.get(scenario, {}))
    return standing.model_copy(update={"score": values.pop("score", None), "measures": values})


def _sort(rows: list[Line], column: str, profile: Profile) -> None:
    sign = -1 if profile.is_higher_better(column) else 1
    rows.sort(key=lambda row: (row.value(column) is None, sign * (row.value(column) or 0.0)))
