"""A judge arrives by their link, reads the instructions, and is led to what comes next."""

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from raim.errors import StateError
from raim.server.database import Judge, Study
from raim.server.study.judges import find_judge
from raim.server.study.trials import draw_trials
from raim.server.web.context import Admitted, Context, is_secure, judge_cookie
from raim.server.web.pages.judging.desk import next_step, open_judge_session
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
COOKIE_S = 90 * 24 * 3600


@router.get("/judge/{token}", name="judge.invitation")
def show_invitation(context: Admitted, token: str) -> Response:
    """Show what the link is for; opening it changes nothing, since mail programs open links by themselves."""
    with context.server.database.reading() as session:
        judge = find_judge(session, token)
        study = None if judge is None else session.get_one(Study, judge.study_id)
        return render(
            context,
            "judge_invitation.html.jinja",
            status=200 if judge is not None else 404,
            token=token if judge is not None else "",
            study=study,
            judge=judge,
        )


@router.post("/judge/{token}", name="judge.invitation.post")
def begin(context: Admitted, token: str) -> Response:
    """Let this browser be the judge's, and draw their trials."""
    with context.server.database.writing() as session:
        judge = find_judge(session, token)
        if judge is None:
            raise StateError("this link is unknown or was revoked; ask the organiser for a new one")
        study = session.get_one(Study, judge.study_id)
        _draw(session, context, study, judge)
    answer = RedirectResponse(f"{context.here}/judging", status_code=303)
    answer.set_cookie(
        judge_cookie(context.server),
        token,
        max_age=COOKIE_S,
        httponly=True,
        secure=is_secure(context.server),
        samesite="lax",
        path="/",
    )
    return answer


@router.get("/judging", name="judge")
def lead_on(context: Admitted) -> Response:
    """Lead to what is to be done next."""
    with context.server.database.reading() as session:
        return RedirectResponse(
            next_step(context, session, open_judge_session(context, session)), status_code=303
        )


@router.get("/judging/instructions", name="judge.instructions")
def show_instructions(context: Admitted) -> Response:
    """Show what judges are asked to do."""
    with context.server.database.reading() as session:
        return render(context, "judge_instructions.html.jinja", judging=open_judge_session(context, session))


@router.post("/judging/instructions", name="judge.instructions.post")
def have_read(context: Admitted) -> Response:
    """Note that the judge has read them."""
    with context.server.database.writing() as session:
        judging = open_judge_session(context, session)
        judging.judge.instructed_at = judging.judge.instructed_at or context.now
        judging.judge.seen_at = context.now
    return RedirectResponse(f"{context.here}/judging", status_code=303)


def _draw(session: Session, context: Context, study: Study, judge: Judge) -> None:
    if study.state == "open" or (judge.is_preview and study.state == "draft"):
        draw_trials(session, context.now, study, judge)
