"""Teams: one's own with its members, invitations, fact sheet and place in the final; all of them, for organisers."""

from sqlalchemy import select

from raim.errors import UnknownNameError
from raim.records.teams import (
    FactSheet,
    FinalAnswer,
    Hint,
    Joining,
    Link,
    Merge,
    NewInvitation,
    NewTeam,
    OpenInvitation,
    SheetChange,
    Team,
    TeamChange,
    TeamDetails,
    TeamList,
    Terms,
)
from raim.server import database as tables
from raim.server.actions import teams as actions
from raim.server.actions.fact_sheets import save_fact_sheet
from raim.server.actions.finalists import answer_invitation, find_finalist
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Invitation, Member, User
from raim.server.queries import teams as queries
from raim.server.queries.hints import find_hints
from raim.server.queries.rows import find_row
from raim.server.web.context import RequestContext
from raim.server.web.fields import Page, RowId, Search
from raim.server.web.routing import Area

area = Area("teams")
HANDED_OVER, JOINING = NewInvitation(), Joining()


@area.get("/team/new", who="user", template="team_new", is_api=False)
def show_new_team(context: RequestContext) -> Terms:
    """Show the form of a new team."""
    return actions.find_terms(context.challenge, context.session.get_one(User, context.user_id))


@area.post("/team/new", who="user", page=show_new_team, then="/team", note="team", status=201)
def make_team(context: RequestContext, wanted: NewTeam) -> Team:
    """Make a team."""
    member = begin_team(context, context.challenge, wanted.name, consents=wanted.consent)
    return queries.read_own_team(context.session, context.challenge, member.team_id, context.now)


def begin_team(context: RequestContext, challenge: CurrentChallenge, name: str, *, consents: bool) -> Member:
    """Make a team of who asks in a challenge.

    Raises:
        InputError: The name is not usable, or what the challenge asks for is not given.
        StateError: The name is taken, or they are in a team of the challenge.
    """
    user = context.session.get_one(User, context.user_id)
    return actions.make_team(
        context.session,
        context.now,
        challenge_id=challenge.id,
        name=name,
        user=user,
        is_approved=not challenge.definition.registration.approval_required,
        consented_at=actions.agree(challenge, user, context.now, consents=consents),
    )


@area.get("/team", who="member", template="team")
def show_team(context: RequestContext) -> Team:
    """Return one's own team."""
    return queries.read_own_team(context.session, context.challenge, context.member().team_id, context.now)


@area.post("/team/invitations", who="member", page=show_team, shows=True, status=201)
def make_invitation(context: RequestContext, wanted: NewInvitation = HANDED_OVER) -> Link:
    """Make a link with which one person joins within 14 days, and mail it to `email`; captains only."""
    token = actions.invite(context.session, context.now, context.member(), email=wanted.email.strip())
    return Link(url=f"{context.server.settings.public_url}{context.here}/join/{token}")


@area.post("/team/invitations/{invitation_id}/revoke", who="member", page=show_team, note="revoked")
def end_invitation(context: RequestContext, invitation_id: RowId) -> Team:
    """End an invitation of one's own team."""
    found = context.session.scalar(
        select(Invitation).where(Invitation.id == invitation_id, Invitation.team_id == context.viewer.team_id)
    )
    if found is None:
        raise UnknownNameError("your team has no such invitation")
    actions.revoke_invitation(context.session, context.now, found, actor_id=context.user_id)
    return show_team(context)


@area.post("/team/leave", who="member", page=show_team, then="/", note="left", status=204)
def leave_team(context: RequestContext) -> None:
    """Leave one's own team."""
    actions.leave_team(context.session, context.now, context.member(), actor_id=context.user_id)


@area.post("/team/members/{member_id}/remove", who="member", page=show_team, note="removed")
def remove_member(context: RequestContext, member_id: RowId) -> Team:
    """Take a member out of one's own team."""
    actions.remove_member(context.session, context.now, context.member(), member_id)
    return show_team(context)


@area.post("/team/invitation-to-final", who="member", page=show_team, note="answered")
def answer_final(context: RequestContext, wanted: FinalAnswer) -> Team:
    """Accept or decline the place in the final."""
    finalist = find_finalist(context.session, context.challenge, context.viewer.team_id)
    if finalist is None:
        raise UnknownNameError("your team is not invited to the final")
    answer_invitation(
        context.session, context.now, finalist, accepts=wanted.accepts, actor_id=context.user_id
    )
    return show_team(context)


@area.get("/team/fact-sheet", who="member", template="fact_sheet")
def show_fact_sheet(context: RequestContext) -> FactSheet:
    """Return what the team states about its method."""
    return queries.read_sheet(context.session, context.member().team_id)


@area.post("/team/fact-sheet", who="member", page=show_fact_sheet, note="saved")
def change_fact_sheet(context: RequestContext, wanted: SheetChange) -> FactSheet:
    """Change fields of the fact sheet; half a sheet may be kept too."""
    stated = wanted.model_dump(exclude_none=True)
    save_fact_sheet(context.session, context.now, context.member(), stated)
    return show_fact_sheet(context)


@area.get("/join/{token}", who="anyone", template="join", is_api=False)
def show_invitation(context: RequestContext, token: str) -> OpenInvitation:
    """Show what an invitation is for; it is accepted by a button, never by opening the page."""
    user = None if context.viewer.user_id is None else context.session.get_one(User, context.viewer.user_id)
    terms = actions.find_terms(context.challenge, user)
    return OpenInvitation.of_row(terms, url=f"{context.here}/join/{token}")


@area.post("/join/{token}", who="user", page=show_invitation, then="/team", note="joined", status=201)
def join_team(context: RequestContext, token: str, wanted: Joining = JOINING) -> Team:
    """Join the team of an invitation."""
    user = context.session.get_one(User, context.user_id)
    actions.accept_invitation(
        context.session,
        context.now,
        token,
        user,
        challenge_id=context.challenge.id,
        team_size=context.challenge.definition.registration.team_size,
        consented_at=actions.agree(context.challenge, user, context.now, consents=wanted.consent),
    )
    context.session.flush()
    team_id = context.own_team_id()
    return queries.read_own_team(context.session, context.challenge, team_id, context.now)


@area.get("/desk/teams", who="organiser", template="desk_teams")
def list_teams(context: RequestContext, q: Search = "", state: Search = "", page: Page = "") -> TeamList:
    """Return teams by name, and what several of them share; `q` looks for a part of the name."""
    return queries.list_teams(context.session, context.challenge, q=q, state=state, page=page)


@area.get("/desk/hints", who="organiser", template="desk_plain")
def list_hints(context: RequestContext) -> list[Hint]:
    """Return what several teams share: files, e-mail addresses, network addresses."""
    return find_hints(context.session, context.challenge.id)


@area.get("/desk/teams/{team_id}", who="organiser", template="desk_team")
def show_one_team(context: RequestContext, team_id: RowId) -> TeamDetails:
    """Return all about one team."""
    return queries.read_team(context.session, context.challenge, team_id)


@area.post("/desk/teams/{team_id}", who="organiser", page=show_one_team, note="saved")
def change_team(context: RequestContext, team_id: RowId, wanted: TeamChange) -> TeamDetails:
    """Approve or suspend a team, say how it takes part, appoint its captain."""
    team = _find(context, team_id)
    actions.change_team(context.session, context.now, team, wanted, actor_id=context.user_id)
    return show_one_team(context, team_id)


@area.post(
    "/desk/teams/{team_id}/merge", who="organiser", page=show_one_team, then="/desk/teams/{id}", note="merged"
)
def merge_teams(context: RequestContext, team_id: RowId, wanted: Merge) -> TeamDetails:
    """Bring a team's members into another, which is given."""
    actions.merge_teams(
        context.session,
        context.now,
        _find(context, team_id),
        _find(context, wanted.into),
        actor_id=context.user_id,
        team_size=context.challenge.definition.registration.team_size,
    )
    return show_one_team(context, wanted.into)


def _find(context: RequestContext, team_id: int) -> tables.Team:
    return find_row(context.session, tables.Team, team_id, "team", challenge_id=context.challenge.id)
