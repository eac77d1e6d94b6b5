"""One's own team: members, invitations, fact sheet, the place in the final."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import UnknownNameError
from raim.server.accounts import invite, missing_fields, read_fact_sheet, save_fact_sheet
from raim.server.contest import answer_invitation, find_finalist
from raim.server.database import Finalist, Member, Team, User
from raim.server.web.api.answers import FAILURES, LIMITED, PREFIX
from raim.server.web.api.records import Record
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.submission import give_file, give_restored

router = APIRouter(prefix=PREFIX, tags=["team"], responses=FAILURES, dependencies=LIMITED)


class MemberRecord(Record):
    """A member of a team."""

    login: str
    name: str
    role: str


class TeamRecord(Record):
    """A team; `final` says how its invitation to the final stands, if it has one."""

    id: int
    name: str
    state: str
    members: list[MemberRecord]
    final: Literal["invited", "accepted", "declined"] | None


class InvitationRecord(Record):
    """A link with which one person joins; shown only here and now."""

    url: str


class FactSheetRecord(Record):
    """What a team states about its method, and the labels of what an award still needs."""

    fields: dict[str, str]
    missing: list[str]


class AnswerRecord(Record):
    """The answer to an invitation."""

    accepts: bool


FactSheetFields = Annotated[dict[str, str], Field(max_length=40)]


class FactSheetChange(Record):
    """Fields to be changed; those that are left out stay."""

    fields: FactSheetFields


@router.get("/team", name="api.team")
def read_team(context: Admitted) -> TeamRecord:
    """Give one's own team."""
    with context.server.database.reading() as session:
        return _describe(context, session)


@router.post("/team/invitations", name="api.team.invite", status_code=201)
def make_invitation(context: Admitted) -> InvitationRecord:
    """Make a link with which one person joins within 14 days; captains only."""
    with context.server.database.writing() as session:
        token = invite(session, context.now, context.member(session))
    return InvitationRecord(url=f"{context.server.settings.public_url}{context.here}/join/{token}")


@router.get("/team/fact-sheet", name="api.team.fact_sheet")
def read_sheet(context: Admitted) -> FactSheetRecord:
    """Give the team's fact sheet."""
    with context.server.database.reading() as session:
        stated = read_fact_sheet(session, context.viewer.team_id or 0)
    return FactSheetRecord(fields=stated, missing=list(missing_fields(stated)))


@router.patch("/team/fact-sheet", name="api.team.fact_sheet.change")
def change_sheet(context: Admitted, change: FactSheetChange) -> FactSheetRecord:
    """Change fields of the team's fact sheet."""
    with context.server.database.writing() as session:
        save_fact_sheet(session, context.now, context.member(session), change.fields)
        stated = read_fact_sheet(session, context.viewer.team_id or 0)
    return FactSheetRecord(fields=stated, missing=list(missing_fields(stated)))


@router.post("/team/invitation-to-final", name="api.team.invitation.answer")
def answer_final(context: Admitted, answer: AnswerRecord) -> TeamRecord:
    """Accept or decline the place in the final."""
    with context.server.database.writing() as session:
        finalist = find_finalist(session, context.contest, context.viewer.team_id)
        if finalist is None:
            raise UnknownNameError("your team is not invited to the final")
        answer_invitation(session, context.now, finalist, accepts=answer.accepts, actor_id=context.user_id)
        return _describe(context, session)


@router.get("/submissions/{submission_id}/file", name="api.file", response_class=Response)
def download_file(context: Admitted, submission_id: int) -> Response:
    """Give back the zip that was handed in."""
    return give_file(context, submission_id)


@router.get("/submissions/{submission_id}/restored/{name}", name="api.restored", response_class=Response)
def download_restored(context: Admitted, submission_id: int, name: str) -> Response:
    """Give one restored image of a checked submission."""
    return give_restored(context, submission_id, name)


def _describe(context: Context, session: Session) -> TeamRecord:
    team = session.get_one(Team, context.viewer.team_id)
    members = session.execute(
        select(Member, User)
        .join(User, User.id == Member.user_id)
        .where(Member.team_id == team.id)
        .order_by(Member.id)
    )
    finalist = find_finalist(session, context.contest, context.viewer.team_id)
    return TeamRecord(
        id=team.id,
        name=team.name,
        state=team.state,
        members=[
            MemberRecord(login=user.login, name=user.name, role=member.role) for member, user in members
        ],
        final=None if finalist is None else _answer(finalist),
    )


def _answer(finalist: Finalist) -> Literal["invited", "accepted", "declined"]:
    if finalist.declined_at is not None:
        return "declined"
    return "invited" if finalist.accepted_at is None else "accepted"
