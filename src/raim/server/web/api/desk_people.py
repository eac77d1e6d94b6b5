"""The organisers' API: teams and accounts."""

from fastapi import APIRouter

from raim.errors import InputError
from raim.server.accounts import merge_teams
from raim.server.accounts.governing import (
    change_role,
    decide_about_team,
    mark_team,
    reopen_account,
    shut_account,
)
from raim.server.contest.hints import find_hints
from raim.server.database import Team, User
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.desk_people_records import (
    HintRecord,
    Merge,
    NewUser,
    ResetLink,
    TeamChange,
    TeamDetails,
    TeamList,
    TeamPerson,
    TeamRecord,
    UserChange,
    UserList,
    UserRecord,
)
from raim.server.web.api.records import as_plain
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.desk.fields import Page, RowId, Search, find_row
from raim.server.web.pages.desk.paging import read_page
from raim.server.web.pages.desk.teams import read_team, select_teams
from raim.server.web.pages.desk.users import make_link_for, make_user_with_link, select_users

router = APIRouter(prefix=f"{PREFIX}/desk", tags=["desk"], responses=FAILURES, dependencies=LIMITED)


@router.get("/teams", name="api.desk.teams")
def list_teams(context: Admitted, q: Search = "", state: Search = "", page: Page = 1) -> TeamList:
    """Give teams by name; `q` looks for a part of it."""
    with context.server.database.reading() as session:
        found = read_page(session, select_teams(context, q, state), page, filters={})
        teams = [
            TeamRecord(
                id=team.id,
                name=team.name,
                state=team.state,
                is_baseline=team.is_baseline,
                is_out_of_competition=team.is_out_of_competition,
                n_members=members,
                n_submissions=submissions,
                best_score=as_plain(best),
                created_at=team.created_at,
            )
            for team, members, submissions, best in found.rows
        ]
    return TeamList(teams=teams, n_rows=found.n_rows, page=found.page, n_pages=found.n_pages)


@router.get("/teams/{team_id}", name="api.desk.team")
def read_one_team(context: Admitted, team_id: RowId) -> TeamDetails:
    """Give all about one team."""
    return _details(context, team_id)


@router.patch("/teams/{team_id}", name="api.desk.team.change")
def change_team(context: Admitted, team_id: RowId, wanted: TeamChange) -> TeamDetails:
    """Approve or suspend a team, and say how it takes part."""
    with context.server.database.writing() as session:
        team = find_row(session, Team, team_id, "team")
        if wanted.state is not None:
            decide_about_team(session, context.now, team, wanted.state, actor_id=context.user_id)
        mark_team(
            session,
            context.now,
            team,
            is_baseline=_or(wanted.is_baseline, team.is_baseline),
            is_out_of_competition=_or(wanted.is_out_of_competition, team.is_out_of_competition),
            actor_id=context.user_id,
        )
    return _details(context, team_id)


@router.post("/teams/{team_id}/merge", name="api.desk.team.merge")
def merge_team(context: Admitted, team_id: RowId, wanted: Merge) -> TeamDetails:
    """Bring a team's members into another, which is given."""
    with context.server.database.writing() as session:
        team, into = find_row(session, Team, team_id, "team"), find_row(session, Team, wanted.into, "team")
        merge_teams(session, context.now, team, into, actor_id=context.user_id)
    return _details(context, wanted.into)


@router.get("/hints", name="api.desk.hints")
def list_hints(context: Admitted) -> list[HintRecord]:
    """Give what several teams share: files, e-mail addresses, network addresses."""
    with context.server.database.reading() as session:
        found = find_hints(session, context.contest.id)
    return [
        HintRecord(shared=each.shared, value=each.value, teams=dict(each.teams), people=list(each.people))
        for each in found
    ]


@router.get("/users", name="api.desk.users")
def list_users(context: Admitted, q: Search = "", role: Search = "", page: Page = 1) -> UserList:
    """Give accounts by login; `q` looks at login, name, e-mail and team."""
    with context.server.database.reading() as session:
        found = read_page(session, select_users(context, q, role), page, filters={})
        users = [
            UserRecord(
                id=user.id,
                login=user.login,
                name=user.name,
                email=user.email,
                role=user.role,
                team=team,
                created_at=user.created_at,
                disabled_at=user.disabled_at,
            )
            for user, _, team in found.rows
        ]
    return UserList(users=users, n_rows=found.n_rows, page=found.page, n_pages=found.n_pages)


@router.post("/users", name="api.desk.users.create", status_code=201)
def create_user(context: Admitted, wanted: NewUser) -> ResetLink:
    """Make an account for a judge, an organiser or a participant; hand the link over."""
    login, url = make_user_with_link(
        context, login=wanted.login, name=wanted.name, email=wanted.email, role=wanted.role
    )
    return ResetLink(login=login, url=url)


@router.patch("/users/{user_id}", name="api.desk.user.change", status_code=204)
def change_user(context: Admitted, user_id: RowId, wanted: UserChange) -> None:
    """Change a role; shut or open an account."""
    if wanted.role is None and wanted.is_disabled is None:
        raise InputError("nothing is to be changed; send role or is_disabled")
    with context.server.database.writing() as session:
        user = find_row(session, User, user_id, "account")
        if wanted.role is not None:
            change_role(session, context.now, user, wanted.role, actor_id=context.user_id)
        if wanted.is_disabled is not None:
            change = shut_account if wanted.is_disabled else reopen_account
            change(session, context.now, user, actor_id=context.user_id)


@router.post("/users/{user_id}/reset-link", name="api.desk.reset_link", status_code=201)
def create_reset_link(context: Admitted, user_id: RowId) -> ResetLink:
    """Make a link for a new password, to be handed over."""
    login, url = make_link_for(context, user_id)
    return ResetLink(login=login, url=url)


def _details(context: Context, team_id: int) -> TeamDetails:
    with context.server.database.reading() as session:
        found = read_team(context, session, team_id)
        team: Team = found["team"]
        return TeamDetails(
            id=team.id,
            name=team.name,
            state=team.state,
            is_baseline=team.is_baseline,
            is_out_of_competition=team.is_out_of_competition,
            merged_into=team.merged_into,
            members=[
                TeamPerson(
                    login=user.login,
                    name=user.name,
                    email=user.email,
                    role=member.role,
                    joined_at=member.joined_at,
                )
                for member, user in found["members"]
            ],
            submissions=[submission.id for submission, _, _ in found["submissions"]],
            fact_sheet={field.key: text for field, text in found["stated"]},
            missing=list(found["missing"]),
        )


def _or(wanted: bool | None, present: bool) -> bool:  # noqa: FBT001 - both are values, not switches
    return present if wanted is None else wanted
