"""Finalists: who would be invited now, who is, what they answered, and who takes the place of whom."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.challenge import Finalists
from raim.errors import InputError, RaimError
from raim.server.contest import (
    Standing,
    Standings,
    answer_invitation,
    invite_finalists,
    list_finalists,
    propose_finalists,
    replace_finalist,
)
from raim.server.database import Finalist, Team
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import Number, RowId, Text, find_row
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PATH = "/desk/finalists/{finalist_id}"
MOST_NEXT = 20  # teams that could take a place, as listed


@router.get("/desk/finalists", name="desk.finalists")
def show_finalists(context: Admitted) -> Response:
    """Show the proposal and the finalists."""
    return _show(context)


@router.post("/desk/finalists", name="desk.finalists.invite")
def invite(context: Admitted, team: Annotated[list[Number] | None, Form()] = None) -> Response:
    """Invite the teams that are ticked."""
    try:
        invite_teams(context, team or [])
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/finalists", note="invited")


@router.post(f"{PATH}/answer", name="desk.finalist.answer")
def answer(context: Admitted, finalist_id: RowId, answer: Text = "") -> Response:
    """Write down what a team has said by another way."""
    try:
        answer_for(context, finalist_id, answer)
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/finalists", note="answered")


@router.post(f"{PATH}/replace", name="desk.finalist.replace")
def replace(context: Admitted, finalist_id: RowId, team: Number) -> Response:
    """Give a place to another team."""
    try:
        give_place(context, finalist_id, team)
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/finalists", note="replaced")


def invite_teams(context: Context, teams: list[int]) -> None:
    """Invite teams, in the order of the leaderboard's places.

    Raises:
        InputError: None is named, or one cannot be invited.
        StateError: The challenge has no final.
    """
    if not teams:
        raise InputError("no team is ticked; tick those that are to be invited")
    with context.server.database.writing() as session:
        invite_finalists(session, context.now, context.contest, teams, actor_id=context.user_id)


def answer_for(context: Context, finalist_id: int, answer: str) -> None:
    """Write down a finalist's answer, "accept" or "decline".

    Raises:
        InputError: It is another word.
        StateError: They have declined before.
        UnknownNameError: There is no such finalist.
    """
    if answer not in {"accept", "decline"}:
        raise InputError(f"the answer is accept or decline, not {answer[:20]!r}")
    with context.server.database.writing() as session:
        row = find_row(session, Finalist, finalist_id, "finalist")
        answer_invitation(session, context.now, row, accepts=answer == "accept", actor_id=context.user_id)


def give_place(context: Context, finalist_id: int, team_id: int) -> None:
    """Give a place to another team.

    Raises:
        InputError: The other team cannot be invited.
        UnknownNameError: There is no such finalist.
    """
    with context.server.database.writing() as session:
        row = find_row(session, Finalist, finalist_id, "finalist")
        replace_finalist(session, context.now, context.contest, row, team_id, actor_id=context.user_id)


def read_finalists(context: Context, session: Session) -> dict[str, Any]:
    """Give the proposal with ties, the invited by place, and the teams that come next."""
    rule = context.contest.challenge.finalists
    if rule is None:
        return {"rule": None, "proposal": None, "invited": [], "next": [], "standings": {}, "phase": None}
    phase = context.contest.challenge.phase(rule.phase)
    standings = context.server.standings.get(session, context.contest, phase, context.server.profile)
    proposal = propose_finalists(session, context.contest, standings)
    rows = list_finalists(session, context.contest)
    by_team = {each.row.entry.team: each for each in standings.rows if each.row.rank is not None}
    return {
        "rule": rule,
        "phase": phase,
        "proposal": proposal,
        "invited": _with_teams(session, rows),
        "next": _next(proposal, {str(each.team_id) for each in rows}, by_team),
        "standings": by_team,
        "is_over": context.now >= phase.closes,
        "n_old": _count_old(standings),
    }


def _next(proposal: Finalists, there: set[str], by_team: dict[str, Standing]) -> list[Standing]:
    """Give the ranked teams without an invitation, best first."""
    order = [*(each.team for each in proposal.invited), *proposal.waiting]
    left = {team for team in order if team not in there}
    return [each for team, each in by_team.items() if team in left][:MOST_NEXT]


def _with_teams(session: Session, rows: list[Finalist]) -> list[tuple[Finalist, str]]:
    teams = session.scalars(select(Team).where(Team.id.in_([each.team_id for each in rows])))
    names = {team.id: team.name for team in teams}
    return [(each, names[each.team_id]) for each in rows]


def _count_old(standings: Standings) -> int:
    return sum(each.is_old_version for each in standings.rows)


def _show(context: Context, *, error: RaimError | None = None) -> Response:
    with context.server.database.reading() as session:
        return render(
            context,
            "desk_finalists.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error="" if error is None else str(error),
            **read_finalists(context, session),
        )
