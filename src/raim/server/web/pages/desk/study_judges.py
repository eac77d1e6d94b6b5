"""Judges of a study: invited one by one or many at once, by links shown once; reminded, revoked; their ties."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import RaimError, UnknownNameError
from raim.server.database import Judge, Study
from raim.server.study.guests import parse_guests
from raim.server.study.judges import (
    exclude_judge,
    include_judge,
    invite_judge,
    remind_judge,
    revoke_judge,
)
from raim.server.study.ties import STATED, change_ties, check_teams
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.fields import Number, RowId, Text, Ticked, find_row
from raim.server.web.pages.desk.study import PATH, show_one

router = APIRouter(include_in_schema=False)
JUDGE = f"{PATH}/judges/{{judge_id}}"
LETTER = """Dear {name},

you are invited to judge images in the blinded study “{title}”. This link is yours alone; please hand it to nobody:

{link}

Open it on a computer with a large screen, in a darkened room. You can stop at any time and go on later with the same
link; what you have voted is kept.
"""
REMINDER = """Dear {name},

the blinded study “{title}” still waits for your votes. This link leads to where you were:

{link}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeLink:
    """A link that is shown once.

    Attributes:
        judge_id: Whose.
        name: The judge's.
        email: "" without.
        link: The address.
        letter: Text of the mail.
        title: Of the study; the mail's subject.
    """

    judge_id: int
    name: str
    email: str
    link: str
    letter: str
    title: str

    @property
    def mailto(self) -> str:
        """Address that opens the organiser's own mail program with the letter."""
        return f"mailto:{quote(self.email, safe='@')}?subject={quote(self.title)}&body={quote(self.letter)}"


@router.post(f"{PATH}/judges", name="desk.study.judges")
def invite(
    context: Admitted,
    study_id: RowId,
    *,
    name: Text = "",
    email: Text = "",
    lines: Text = "",
    team: Annotated[list[Number] | None, Form()] = None,
) -> Response:
    """Invite one judge by name, or all of some lines; the page that follows shows the links, once."""
    try:
        links = invite_lines(context, study_id, lines or f"{name}, {email}", ties=team or [])
    except RaimError as error:
        return show_one(context, study_id, error=error, guests=lines or f"{name}, {email}".strip(", "))
    return show_one(context, study_id, links=links)


@router.post(f"{PATH}/preview", name="desk.study.preview")
def preview(context: Admitted, study_id: RowId) -> Response:
    """Look at the study as a judge does; what is voted so is no vote."""
    try:
        link = make_preview(context, study_id)
    except RaimError as error:
        return show_one(context, study_id, error=error)
    return go_to(link.removeprefix(context.server.settings.public_url))


@router.post(f"{JUDGE}/remind", name="desk.study.judge.remind")
def remind(context: Admitted, study_id: RowId, judge_id: RowId) -> Response:
    """Make a further link for a reminder; the page that follows shows it, once."""
    try:
        link = remind_one(context, study_id, judge_id)
    except RaimError as error:
        return show_one(context, study_id, error=error)
    return show_one(context, study_id, links=[link])


@router.post(f"{JUDGE}/revoke", name="desk.study.judge.revoke")
def revoke(context: Admitted, study_id: RowId, judge_id: RowId) -> Response:
    """Let a judge's links open nothing any more."""
    with context.server.database.writing() as session:
        revoke_judge(session, context.now, find_one(session, study_id, judge_id), actor_id=context.user_id)
    return go_to(f"{context.here}/desk/studies/{study_id}", note="judge_revoked")


@router.post(f"{JUDGE}/ties", name="desk.study.judge.ties")
def set_ties(
    context: Admitted,
    study_id: RowId,
    judge_id: RowId,
    *,
    team: Annotated[list[Number] | None, Form()] = None,
) -> Response:
    """Write down which teams a judge has a tie to."""
    try:
        with context.server.database.writing() as session:
            judge = find_one(session, study_id, judge_id)
            change_ties(session, context.now, judge, team or [], actor_id=context.user_id)
    except RaimError as error:
        return show_one(context, study_id, error=error)
    return go_to(f"{context.here}/desk/studies/{study_id}", note="saved")


@router.post(f"{JUDGE}/exclude", name="desk.study.judge.exclude")
def exclude(
    context: Admitted, study_id: RowId, judge_id: RowId, reason: Text = "", *, back: Ticked = False
) -> Response:
    """Leave a judge's votes out of the main result, or take that back."""
    try:
        count_votes(context, study_id, judge_id, reason=None if back else reason)
    except RaimError as error:
        from raim.server.web.pages.desk.study_results import show_results_of

        return show_results_of(context, study_id, error=error)
    return go_to(f"{context.here}/desk/studies/{study_id}/results", note="saved")


def invite_lines(context: Context, study_id: int, lines: str, *, ties: Sequence[int] = ()) -> list[JudgeLink]:
    """Invite judges, one a line, all or none; give their links.

    Args:
        context: The request.
        study_id: The study.
        lines: Names with or without e-mail addresses.
        ties: Teams that all of them have a tie to.

    Raises:
        InputError: A line, or a team with a tie, cannot be used, or an address has an invitation.
        StateError: The study takes no judges, or such a tie rules one out.
    """
    with context.server.database.writing() as session:
        study = find_row(session, Study, study_id, "study")
        check_teams(session, study, ties)
        guests = parse_guests(lines, invited=_invited(session, study_id))
        made = []
        for guest in guests:
            judge, token = invite_judge(
                session,
                context.now,
                study,
                name=guest.name,
                email=guest.email or None,
                ties=dict.fromkeys(ties, STATED),
                actor_id=context.user_id,
            )
            made.append(_link(context, study, judge, token, LETTER))
        return made


def remind_one(context: Context, study_id: int, judge_id: int) -> JudgeLink:
    """Make a further link of a judge.

    Raises:
        StateError: They have finished or are revoked.
    """
    with context.server.database.writing() as session:
        judge = find_one(session, study_id, judge_id)
        token = remind_judge(session, context.now, judge, actor_id=context.user_id)
        return _link(context, session.get_one(Study, study_id), judge, token, REMINDER)


def make_preview(context: Context, study_id: int) -> str:
    """Make a judge out of an organiser who only looks; give the link.

    Raises:
        StateError: The study is closed.
    """
    with context.server.database.writing() as session:
        study = find_row(session, Study, study_id, "study")
        judge, token = invite_judge(
            session,
            context.now,
            study,
            name=f"preview of {context.viewer.login}",
            is_preview=True,
            actor_id=context.user_id,
        )
        return _link(context, study, judge, token, LETTER).link


def count_votes(context: Context, study_id: int, judge_id: int, *, reason: str | None) -> None:
    """Leave a judge's votes out of the main result for a reason; with None, count them again.

    Raises:
        InputError: The reason is empty.
        StateError: The study is not revealed.
    """
    from raim.server.study.closing import check_revealed

    with context.server.database.writing() as session:
        judge = find_one(session, study_id, judge_id)
        check_revealed(session.get_one(Study, study_id), "a judge's votes are left out")
        if reason is None:
            include_judge(session, context.now, judge, actor_id=context.user_id)
        else:
            exclude_judge(session, context.now, judge, reason=reason, actor_id=context.user_id)


def find_one(session: Session, study_id: int, judge_id: int) -> Judge:
    """Give a judge of a study.

    Raises:
        UnknownNameError: There is none.
    """
    found = session.scalar(select(Judge).where(Judge.id == judge_id, Judge.study_id == study_id))
    if found is None:
        raise UnknownNameError(f"there is no judge {judge_id} in the study {study_id}")
    return found


def _invited(session: Session, study_id: int) -> list[str]:
    found = select(Judge.email).where(
        Judge.study_id == study_id, Judge.email.is_not(None), Judge.revoked_at.is_(None)
    )
    return [email for email in session.scalars(found) if email]


def _link(context: Context, study: Study, judge: Judge, token: str, letter: str) -> JudgeLink:
    link = f"{context.server.settings.public_url}{context.here}/judge/{token}"
    facts: Mapping[str, str] = {"name": judge.name, "title": study.title, "link": link}
    return JudgeLink(
        judge_id=judge.id,
        name=judge.name,
        email=judge.email or "",
        link=link,
        letter=letter.format_map(facts),
        title=study.title,
    )
