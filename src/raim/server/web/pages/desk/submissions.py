"""Submissions of all teams: found by filters; one with everything that is known of it; scoring again, marks."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import RaimError
from raim.records import STATES
from raim.server.contest.versions import is_in_force
from raim.server.database import EntryResult, Image, LogLine, Phase, Result, Submission, Team
from raim.server.database.columns import LARGEST_ID
from raim.server.database.entries import KINDS
from raim.server.submissions import list_comments
from raim.server.submissions.rescoring import (
    ask_rescore,
    ask_rescore_all,
    look_at_flags,
    mark_submission,
    restart_failed,
    unseen_flags,
)
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import Page, RowId, Search, Slug, Ticked, find_row
from raim.server.web.pages.desk.paging import read_page
from raim.server.web.pages.submission import read_status
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PATH = "/desk/submissions/{submission_id}"
MOST_LINES = 500  # of the log, the newest


@router.get("/desk/submissions", name="desk.submissions")
def show_submissions(
    context: Admitted,
    team: Annotated[str, Query(max_length=10, pattern="^[0-9]*$")] = "",
    phase: Search = "",
    kind: Search = "",
    state: Search = "",
    flagged: Search = "",
    page: Page = 1,
) -> Response:
    """Show submissions of all teams, newest first."""
    filters = {"team": team, "phase": phase, "kind": kind, "state": state, "flagged": flagged}
    with context.server.database.reading() as session:
        found = select_submissions(context, session, **filters)
        return render(
            context,
            "desk_submissions.html.jinja",
            paged=read_page(session, found, page, filters=filters),
            filters=filters,
            kinds=KINDS,
            states=list(STATES),
            teams=session.execute(
                select(Team.id, Team.name)
                .where(Team.challenge_id == context.contest.id)
                .order_by(Team.name_key)
            ).all(),
            phases=session.execute(
                select(Phase.slug, Phase.title)
                .where(Phase.challenge_id == context.contest.id)
                .order_by(Phase.position)
            ).all(),
        )


@router.get(PATH, name="desk.submission")
def show_submission(
    context: Admitted, submission_id: RowId, result: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0
) -> Response:
    """Show all that is known of a submission; `result` chooses under which versions its images are shown."""
    return show_one(context, submission_id, result=result)


@router.post(f"{PATH}/rescore", name="desk.submission.rescore")
def rescore(context: Admitted, submission_id: RowId) -> Response:
    """Have it scored again."""
    try:
        with context.server.database.writing() as session:
            ask_rescore(session, context.now, submission_id, actor_id=context.user_id)
    except RaimError as error:
        return show_one(context, submission_id, error=error)
    return go_to(f"{context.here}/desk/submissions/{submission_id}", note="rescore")


@router.post(f"{PATH}/restart", name="desk.submission.restart")
def restart(context: Admitted, submission_id: RowId) -> Response:
    """Start a failed one again from its check."""
    try:
        with context.server.database.writing() as session:
            restart_failed(session, context.now, submission_id, actor_id=context.user_id)
    except RaimError as error:
        return show_one(context, submission_id, error=error)
    return go_to(f"{context.here}/desk/submissions/{submission_id}", note="restarted")


@router.post(f"{PATH}/flags", name="desk.submission.flags")
def set_marks(
    context: Admitted,
    submission_id: RowId,
    *,
    verified: Ticked = False,
    out_of_competition: Ticked = False,
    looked_at: Ticked = False,
) -> Response:
    """Say whether it is verified and can win, and that its flags were looked at."""
    with context.server.database.writing() as session:
        submission = find_row(session, Submission, submission_id, "submission")
        mark_submission(
            session,
            context.now,
            submission,
            is_verified=verified,
            is_out_of_competition=out_of_competition,
            actor_id=context.user_id,
        )
        if looked_at and submission_id in unseen_flags(session):
            look_at_flags(session, context.now, submission, actor_id=context.user_id)
    return go_to(f"{context.here}/desk/submissions/{submission_id}", note="saved")


@router.post("/desk/phases/{phase_id}/rescore", name="desk.rescore_all")
def rescore_all(context: Admitted, phase_id: Slug) -> Response:
    """Have all scored submissions of a phase scored again."""
    with context.server.database.writing() as session:
        row_id = context.contest.phase_ids[context.contest.challenge.phase(phase_id).id]
        ask_rescore_all(session, context.now, row_id, actor_id=context.user_id)
    return go_to(f"{context.here}/desk/submissions?phase={phase_id}", note="rescore_all")


def select_submissions(
    context: Context, session: Session, *, team: str, phase: str, kind: str, state: str, flagged: str
) -> Any:
    """Select (submission, team, title of the phase, score under the versions in force), newest first."""
    found = (
        select(Submission, Team.name, Phase.title, EntryResult.score)
        .join(Team, Team.id == Submission.team_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(EntryResult, is_in_force(context.contest))
        .order_by(Submission.id.desc())
    )
    if team:
        found = found.where(Submission.team_id == min(int(team), LARGEST_ID))
    if phase:
        found = found.where(Phase.slug == phase)
    if kind:
        found = found.where(Submission.kind == kind)
    if state:
        found = found.where(Submission.state == state)
    if flagged == "unseen":
        found = found.where(Submission.id.in_(unseen_flags(session)))
    return found


def show_one(
    context: Context,
    submission_id: int,
    *,
    result: int = 0,
    error: RaimError | None = None,
    typed: str = "",
) -> Response:
    """Show all that is known of a submission, with what was wrong about the form that was sent."""
    with context.server.database.reading() as session:
        find_row(session, Submission, submission_id, "submission")
        return render(
            context,
            "desk_submission.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error_text="" if error is None else str(error),
            typed=typed,
            measures=context.server.profile.columns,
            **read_submission(context, session, submission_id, result=result),
        )


def read_submission(
    context: Context, session: Session, submission_id: int, *, result: int = 0
) -> dict[str, Any]:
    """Give all that is known of a submission."""
    status = read_status(context, session, submission_id)
    entries = session.scalars(
        select(EntryResult).where(EntryResult.submission_id == submission_id).order_by(EntryResult.id.desc())
    ).all()
    shown = next((each for each in entries if each.id == result), status["entry"])
    lines = session.scalars(
        select(LogLine)
        .where(LogLine.submission_id == submission_id)
        .order_by(LogLine.id.desc())
        .limit(MOST_LINES)
    ).all()
    return {
        **status,
        "entries": entries,
        "shown": shown,
        "results": [] if shown is None else _results(session, shown),
        "lines": list(reversed(lines)),
        "comments": list_comments(session, submission_id, for_team=False),
        "images": _images(session, status["submission"]),
        "unseen": unseen_flags(session).get(submission_id, {}),
    }


def _images(session: Session, submission: Submission) -> list[tuple[int, str, str | None]]:
    found = session.execute(
        select(Image.id, Image.name, Image.scenario)
        .where(Image.data_set_id == submission.data_set_id)
        .order_by(Image.name)
    )
    return [(number, name, scenario) for number, name, scenario in found]


def _results(session: Session, entry: EntryResult) -> list[tuple[Result, Image]]:
    """Give the results of one pair of versions: those without a score first, then the worst."""
    rows = session.execute(
        select(Result, Image)
        .join(Image, Image.id == Result.image_id)
        .where(
            Result.submission_id == entry.submission_id,
            Result.scorer_version == entry.scorer_version,
            Result.reference_version == entry.reference_version,
        )
        .order_by(Result.score.is_not(None), Result.score, Image.name)
    )
    return [(result, image) for result, image in rows]
