"""The end of judging: what is still open, and the lock."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from raim.server.study.trials import count_trials
from raim.server.study.voting import finish_judging, open_positions
from raim.server.web.pages.judging.desk import sit_down
from raim.server.web.rendering import render
from raim.server.web.visit import Admitted

router = APIRouter(include_in_schema=False)


@router.get("/judging/done", name="judge.done")
def show_end(visit: Admitted) -> Response:
    """Show what is open, and the way to finish."""
    with visit.server.database.reading() as session:
        bench = sit_down(visit, session)
        return render(
            visit,
            "judge_done.html.jinja",
            bench=bench,
            total=count_trials(session, bench.judge, "voting"),
            unvoted=open_positions(session, bench.judge),
        )


@router.post("/judging/finish", name="judge.finish")
def finish(visit: Admitted) -> Response:
    """Lock the judge's votes."""
    with visit.server.database.writing() as session:
        bench = sit_down(visit, session)
        finish_judging(session, visit.now, bench.study, bench.judge)
    return RedirectResponse("/judging/done", status_code=303)
