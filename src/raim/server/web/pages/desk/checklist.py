"""The closing checklist before awards, with prizes, sponsors and awards beside it; the gallery of results."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import InputError, RaimError
from raim.server.contest.checklist import computed_points, manual_points, tick
from raim.server.database import Study
from raim.server.study.publication import find_outcome, hide, publish
from raim.server.study.secrecy import check_may_publish
from raim.server.submissions.rescoring import unseen_flags
from raim.server.web.answers import go_to
from raim.server.web.charts import draw_all
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import Text, Ticked
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get("/desk/checklist", name="desk.checklist")
def show_checklist(context: Admitted) -> Response:
    """Show what is done and what is left before awards are given."""
    return _show(context)


@router.post("/desk/checklist", name="desk.checklist.tick")
def set_tick(context: Admitted, point: Text = "", *, done: Ticked = False) -> Response:
    """Tick a point, or take the tick back."""
    try:
        with context.server.database.writing() as session:
            tick(session, context.now, context.contest, point, is_done=done, actor_id=context.user_id)
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/checklist", note="saved")


@router.post("/desk/publish", name="desk.publish")
def set_publication(context: Admitted, show: Text = "") -> Response:
    """Show ranking and gallery to everybody, or to organisers only."""
    try:
        change_publication(context, show)
    except RaimError as error:
        return _show(context, error=error)
    return go_to(f"{context.here}/desk/checklist", note="published" if show == "everybody" else "hidden")


def change_publication(context: Context, show: str) -> None:
    """Show ranking and gallery to "everybody" or to "organisers".

    Raises:
        InputError: It is another word.
        StateError: Judges vote, or have voted in a study that is not revealed.
    """
    if show not in {"everybody", "organisers"}:
        raise InputError(f"results are shown to everybody or to organisers, not to {show[:20]!r}")
    server, contest, now = context.server, context.contest, context.now
    if show == "organisers":
        with server.database.writing() as session:
            hide(session, now, contest, actor_id=context.user_id)
        return
    with server.database.reading() as session:  # charts take seconds, so they are drawn before anybody waits
        check_may_publish(session, contest)
        outcome = find_outcome(
            session, contest, standings=server.standings, results=server.results, profile=server.profile
        )
        study = None if outcome is None or outcome.study_id is None else session.get(Study, outcome.study_id)
        charts = {} if study is None else draw_all(context, session, study)
    with server.database.writing() as session:
        check_may_publish(session, contest)
        publish(
            session,
            now,
            contest,
            outcome,
            charts,
            standings=server.standings,
            profile=server.profile,
            actor_id=context.user_id,
        )


def read_checklist(context: Context, session: Session) -> dict[str, Any]:
    """Give all points."""
    n_unseen = len(unseen_flags(session))
    return {
        "computed": computed_points(session, context.now, context.contest, n_unseen_flags=n_unseen),
        "manual": manual_points(session, context.contest),
    }


def _show(context: Context, *, error: RaimError | None = None) -> Response:
    with context.server.database.reading() as session:
        points = read_checklist(context, session)
    n_left = sum(not each.is_done for each in (*points["computed"], *points["manual"]))
    return render(
        context,
        "desk_checklist.html.jinja",
        status=200 if error is None else status_of(error)[0],
        error="" if error is None else str(error),
        n_left=n_left,
        **points,
    )
