"""Teams: who waits for approval, what several of them share, and all about one of them."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import RaimError
from raim.server.accounts import FIELDS, merge_teams, missing_fields, read_fact_sheet
from raim.server.accounts.governing import decide_about_team, mark_team
from raim.server.accounts.users import name_key
from raim.server.contest.hints import Hint, find_hints
from raim.server.contest.versions import is_in_force
from raim.server.database import AuditEvent, EntryResult, FactSheet, Member, Phase, Submission, Team, User
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.pages.desk.fields import Number, Page, RowId, Search, Text, Ticked, find_row
from raim.server.web.pages.desk.paging import read_page
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PATH = "/desk/teams/{team_id}"
MOST_HINTS = 50
MOST_EVENTS = 50


@router.get("/desk/teams", name="desk.teams")
def show_teams(context: Admitted, q: Search = "", state: Search = "", page: Page = 1) -> Response:
    """Show all teams, and what several of them share."""
    with context.server.database.reading() as session:
        hints = find_hints(session, context.contest.id)
        return render(
            context,
            "desk_teams.html.jinja",
            paged=read_page(session, select_teams(context, q, state), page, filters={"q": q, "state": state}),
            q=q,
            state=state,
            hints=hints[:MOST_HINTS],
            n_more=max(0, len(hints) - MOST_HINTS),
        )


@router.get(PATH, name="desk.team")
def show_team(context: Admitted, team_id: RowId) -> Response:
    """Show one team."""
    return _show(context, team_id)


@router.post(f"{PATH}/state", name="desk.team.state")
def set_state(context: Admitted, team_id: RowId, state: Text = "") -> Response:
    """Approve or suspend a team."""
    try:
        with context.server.database.writing() as session:
            team = find_row(session, Team, team_id, "team")
            decide_about_team(session, context.now, team, state, actor_id=context.user_id)
    except RaimError as error:
        return _show(context, team_id, error=error)
    return go_to(f"{context.here}/desk/teams/{team_id}", note="saved")


@router.post(f"{PATH}/flags", name="desk.team.flags")
def set_marks(
    context: Admitted, team_id: RowId, *, baseline: Ticked = False, out_of_competition: Ticked = False
) -> Response:
    """Say whether its entries are a baseline or out of competition."""
    with context.server.database.writing() as session:
        team = find_row(session, Team, team_id, "team")
        mark_team(
            session,
            context.now,
            team,
            is_baseline=baseline,
            is_out_of_competition=out_of_competition,
            actor_id=context.user_id,
        )
    return go_to(f"{context.here}/desk/teams/{team_id}", note="saved")


@router.post(f"{PATH}/merge", name="desk.team.merge")
def merge(context: Admitted, team_id: RowId, into: Number) -> Response:
    """Bring its members into another team."""
    try:
        with context.server.database.writing() as session:
            team, other = find_row(session, Team, team_id, "team"), find_row(session, Team, into, "team")
            merge_teams(session, context.now, team, other, actor_id=context.user_id)
    except RaimError as error:
        return _show(context, team_id, error=error)
    return go_to(f"{context.here}/desk/teams/{into}", note="merged")


def select_teams(context: Context, q: str, state: str) -> Any:
    """Select (team, members, submissions, best score under the version in force) by name."""
    members = select(func.count()).where(Member.team_id == Team.id).correlate(Team).scalar_subquery()
    handed_in = select(func.count()).where(Submission.team_id == Team.id).correlate(Team).scalar_subquery()
    best = (
        select(func.max(EntryResult.score))
        .join(Submission, is_in_force(context.contest))
        .where(Submission.team_id == Team.id, Submission.where("has_score"))
        .correlate(Team)
        .scalar_subquery()
    )
    found = select(Team, members, handed_in, best).where(Team.challenge_id == context.contest.id)
    if q.strip():
        found = found.where(Team.name_key.contains(name_key(q), autoescape=True))
    if state:
        found = found.where(Team.state == state)
    return found.order_by(Team.name_key, Team.id)


def read_team(context: Context, session: Session, team_id: int) -> dict[str, Any]:
    """Give all about one team."""
    team = find_row(session, Team, team_id, "team")
    members = session.execute(
        select(Member, User)
        .join(User, User.id == Member.user_id)
        .where(Member.team_id == team_id)
        .order_by(Member.id)
    ).all()
    submissions = session.execute(
        select(Submission, Phase.title, EntryResult.score)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(EntryResult, is_in_force(context.contest))
        .where(Submission.team_id == team_id)
        .order_by(Submission.id.desc())
    ).all()
    stated = read_fact_sheet(session, team_id)
    return {
        "team": team,
        "members": members,
        "submissions": submissions,
        "stated": [(each, stated[each.key]) for each in FIELDS],
        "missing": missing_fields(stated),
        "events": _events(session, team_id, [user.id for _, user in members]),
        "into": None if team.merged_into is None else session.get_one(Team, team.merged_into),
    }


def _events(session: Session, team_id: int, user_ids: list[int]) -> Any:
    """Give the newest events about a team, its submissions and its fact sheet, and its members' own deeds."""
    submissions = select(Submission.id).where(Submission.team_id == team_id)
    sheets = select(FactSheet.id).where(FactSheet.team_id == team_id)
    about = (
        ((AuditEvent.subject == "team") & (AuditEvent.subject_id == team_id))
        | ((AuditEvent.subject == "submission") & AuditEvent.subject_id.in_(submissions))
        | ((AuditEvent.subject == "fact sheet") & AuditEvent.subject_id.in_(sheets))
        | AuditEvent.actor_id.in_(user_ids)
    )
    return session.execute(
        select(AuditEvent, User.login)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(about)
        .order_by(AuditEvent.id.desc())
        .limit(MOST_EVENTS)
    ).all()


def _show(context: Context, team_id: int, *, error: RaimError | None = None) -> Response:
    with context.server.database.reading() as session:
        shown = read_team(context, session, team_id)
        others = session.execute(
            select(Team.id, Team.name)
            .where(Team.challenge_id == context.contest.id, Team.id != team_id, Team.state != "merged")
            .order_by(Team.name_key)
        ).all()
        return render(
            context,
            "desk_team.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error="" if error is None else str(error),
            others=others,
            hints=[each for each in find_hints(session, context.contest.id) if _concerns(each, team_id)],
            **shown,
        )


def _concerns(hint: Hint, team_id: int) -> bool:
    return any(number == team_id for number, _ in hint.teams)
