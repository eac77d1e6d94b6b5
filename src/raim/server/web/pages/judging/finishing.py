"""The end of judging: what is still open, and the lock."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from raim.server.study.trials import count_trials
from raim.server.study.voting import finish_judging, open_positions
from raim.server.web.context import Admitted
from raim.server.web.pages.judging.desk import sit_down
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/judging/done", name="judge.done")
def show_end(context: Admitted) -> Response:
    """Show what is open, and the way to finish."""
    with context.server.database.reading() as session:
        bench = sit_down(context, session)
        return render(
            context,
            "judge_done.html.jinja",
            bench=bench,
            total=count_trials(session, bench.judge, "voting"),
            unvoted=open_positions(session, bench.judge),
        )


@router.post("/judging/finish", name="judge.finish")
def finish(context: Admitted) -> Response:
    """Lock the judge's votes."""
    with context.server.database.writing() as session:
        bench = sit_down(context, session)
        finish_judging(session, context.now, bench.study, bench.judge)
    return RedirectResponse(f"{context.here}/judging/done", status_code=303)
