"""A team's page: members, invitations, its place among the finalists, the fact sheet of its method."""

from typing import Annotated

from fastapi import APIRouter, Form
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from raim.errors import RaimError, UnknownNameError
from raim.server.accounts import (
    FIELDS,
    accept_invitation,
    invite,
    leave_team,
    make_team,
    missing_fields,
    read_fact_sheet,
    remove_member,
    revoke_invitation,
    save_fact_sheet,
)
from raim.server.contest import answer_invitation, find_finalist
from raim.server.database import Invitation, Member, Team, User
from raim.server.web.answers import go_to, refuse_form
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]


@router.get("/team/new", name="team.new")
def show_new_team(context: Admitted) -> Response:
    """Show the form of a new team."""
    if context.viewer.team_id is not None:
        return go_to(f"{context.here}/team")
    return render(context, "team_new.html.jinja", error="", name="")


@router.post("/team/new", name="team.new.post")
def make_new_team(context: Admitted, name: Text = "") -> Response:
    """Make a team."""
    approved = not context.contest.challenge.registration.approval_required
    try:
        with context.server.database.writing() as session:
            user = session.get_one(User, context.user_id)
            make_team(
                session,
                context.now,
                challenge_id=context.contest.id,
                name=name,
                user=user,
                is_approved=approved,
            )
    except RaimError as error:
        return render(context, "team_new.html.jinja", status=status_of(error)[0], error=str(error), name=name)
    return go_to(f"{context.here}/team", note="team")


@router.get("/team", name="team")
def show_team(context: Admitted) -> Response:
    """Show one's own team."""
    return _show(context)


@router.post("/team/invitations", name="team.invite")
def make_invitation(context: Admitted) -> Response:
    """Make an invitation's link; this page is the only place that ever shows it."""
    try:
        with context.server.database.writing() as session:
            token = invite(session, context.now, context.member(session))
    except RaimError as error:
        return _show(context, error=str(error), status=status_of(error)[0])
    return _show(context, link=f"{context.server.settings.public_url}{context.here}/join/{token}")


@router.post("/team/invitations/{invitation_id}/revoke", name="team.invite.revoke")
def end_invitation(context: Admitted, invitation_id: int) -> Response:
    """End an invitation of one's own team."""
    with context.server.database.writing() as session:
        found = session.scalar(
            select(Invitation).where(
                Invitation.id == invitation_id, Invitation.team_id == context.viewer.team_id
            )
        )
        if found is None:
            raise UnknownNameError("your team has no such invitation")
        revoke_invitation(session, context.now, found, actor_id=context.user_id)
    return go_to(f"{context.here}/team", note="revoked")


@router.post("/team/leave", name="team.leave")
def leave_own_team(context: Admitted) -> Response:
    """Leave one's own team."""
    try:
        with context.server.database.writing() as session:
            leave_team(session, context.now, context.member(session), actor_id=context.user_id)
    except RaimError as error:
        return _show(context, error=str(error), status=status_of(error)[0])
    return go_to(f"{context.here}/", note="left")


@router.post("/team/members/{member_id}/remove", name="team.member.remove")
def remove_team_member(context: Admitted, member_id: int) -> Response:
    """Take a member out of one's own team."""
    try:
        with context.server.database.writing() as session:
            remove_member(session, context.now, context.member(session), member_id)
    except RaimError as error:
        return _show(context, error=str(error), status=status_of(error)[0])
    return go_to(f"{context.here}/team", note="removed")


@router.post("/team/invitation-to-final", name="team.invitation.answer")
def answer_final(context: Admitted, answer: Text = "") -> Response:
    """Accept or decline the place in the final."""
    with context.server.database.writing() as session:
        finalist = find_finalist(session, context.contest, context.viewer.team_id)
        if finalist is None or answer not in {"accept", "decline"}:
            raise UnknownNameError("your team is not invited to the final")
        answer_invitation(
            session, context.now, finalist, accepts=answer == "accept", actor_id=context.user_id
        )
    return go_to(f"{context.here}/team", note="answered")


@router.get("/join/{token}", name="join")
def show_invitation(context: Admitted, token: str) -> Response:
    """Show what an invitation is for; it is accepted by a button, never by opening the page."""
    return render(context, "join.html.jinja", token=token, error="")


@router.post("/join/{token}", name="join.post")
def join_team(context: Admitted, token: str) -> Response:
    """Join the team of an invitation."""
    try:
        with context.server.database.writing() as session:
            user = session.get_one(User, context.user_id)
            limit = context.contest.challenge.registration.team_size
            accept_invitation(session, context.now, token, user, team_size=limit)
    except RaimError as error:
        return refuse_form(context, "join.html.jinja", error, token=token)
    return go_to(f"{context.here}/team", note="joined")


@router.get("/team/fact-sheet", name="team.fact_sheet")
def show_fact_sheet(context: Admitted) -> Response:
    """Show the form of the team's fact sheet."""
    return _show_fact_sheet(context)


@router.post("/team/fact-sheet", name="team.fact_sheet.post")
async def keep_fact_sheet(context: Admitted, request: Request) -> Response:
    """Keep what the team states; half a sheet may be kept too."""
    form = await request.form()
    stated = {each.key: value for each in FIELDS if isinstance(value := form.get(each.key), str)}
    return await run_in_threadpool(_save_fact_sheet, context, stated)


def _save_fact_sheet(context: Context, stated: dict[str, str]) -> Response:
    try:
        with context.server.database.writing() as session:
            save_fact_sheet(session, context.now, context.member(session), stated)
    except RaimError as error:
        return _show_fact_sheet(context, typed=stated, error=str(error))
    return go_to(f"{context.here}/team/fact-sheet", note="saved")


def _show_fact_sheet(context: Context, *, typed: dict[str, str] | None = None, error: str = "") -> Response:
    with context.server.database.reading() as session:
        stated = read_fact_sheet(session, context.viewer.team_id or 0) | (typed or {})
    return render(
        context,
        "fact_sheet.html.jinja",
        status=400 if error else 200,
        fields=FIELDS,
        stated=stated,
        missing=missing_fields(stated),
        error=error,
    )


def _show(context: Context, *, error: str = "", link: str = "", status: int = 200) -> Response:
    team_id = context.viewer.team_id
    with context.server.database.reading() as session:
        members = session.execute(
            select(Member, User).join(User, User.id == Member.user_id).where(Member.team_id == team_id)
        ).all()
        invitations = session.scalars(
            select(Invitation).where(
                Invitation.team_id == team_id,
                Invitation.accepted_at.is_(None),
                Invitation.revoked_at.is_(None),
                Invitation.expires_at > context.now,
            )
        ).all()
        return render(
            context,
            "team.html.jinja",
            status=status,
            team=session.get_one(Team, team_id),
            members=members,
            invitations=invitations,
            finalist=find_finalist(session, context.contest, context.viewer.team_id),
            missing=missing_fields(read_fact_sheet(session, team_id or 0)),
            error=error,
            link=link,
        )
