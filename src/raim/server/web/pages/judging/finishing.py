"""The end of judging: what is still open, and the lock."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from raim.server.study.trials import count_trials
from raim.server.study.voting import finish_judging, open_positions
from raim.server.web.context import Admitted
from raim.server.web.pages.judging.desk import open_judge_session
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/judging/done", name="judge.done")
def show_end(context: Admitted) -> Response:
    """Show what is open, and the way to finish."""
    with context.server.database.reading() as session:
        judging = open_judge_session(context, session)
        return render(
            context,
            "judge_done.html.jinja",
            judging=judging,
            total=count_trials(session, judging.judge, "voting"),
            unvoted=open_positions(session, judging.judge),
        )


@router.post("/judging/finish", name="judge.finish")
def finish(context: Admitted) -> Response:
    """Lock the judge's votes."""
    with context.server.database.writing() as session:
        judging = open_judge_session(context, session)
        finish_judging(session, context.now, judging.study, judging.judge)
    return RedirectResponse(f"{context.here}/judging/done", status_code=303)
