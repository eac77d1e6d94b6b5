"""One study: its tiles being made, its judges' progress, and its course from draft to the results.

Before it is revealed nothing here says what was voted for: votes are counted, never read.
"""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import InputError, RaimError, unknown_name
from raim.server.database import Image, Judge, Study, StudyImage
from raim.server.study.ballots import name_entries
from raim.server.study.closing import (
    close_study,
    count_unmade,
    discard_study,
    open_study,
    reopen_study,
    reveal_study,
    try_tiles_again,
)
from raim.server.study.progress import JudgeProgress, judge_progress, last_seen
from raim.server.study.secrecy import check_may_open
from raim.server.study.ties import ties_of
from raim.server.web.answers import go_to
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import RowId, Text, Ticked, find_row
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)
PATH = "/desk/studies/{study_id}"
STEPS = ("open", "close", "reopen", "reveal", "discard")
MOST_FAULTS = 20  # listed; all are counted


@router.get(PATH, name="desk.study")
def show_study(context: Admitted, study_id: RowId) -> Response:
    """Show a study as it stands."""
    return show_one(context, study_id)


@router.get(f"{PATH}/live", name="desk.study.live")
def show_live(context: Admitted, study_id: RowId) -> Response:
    """Give the part of the page that changes by itself."""
    with context.server.database.reading() as session:
        study = find_row(session, Study, study_id, "study")
        return render(context, "desk_study_live.html.jinja", **read_study(session, study))


@router.post(f"{PATH}/state", name="desk.study.state")
def set_state(
    context: Admitted, study_id: RowId, step: Text = "", reason: Text = "", *, sure: Ticked = False
) -> Response:
    """Open, close, open again, reveal or put aside a study."""
    try:
        change_state(context, study_id, step, reason=reason, is_sure=sure)
    except RaimError as error:
        return show_one(context, study_id, error=error, typed=reason)
    return go_to(f"{context.here}/desk/studies/{study_id}", note=f"study_{step}")


@router.post(f"{PATH}/tiles", name="desk.study.tiles")
def make_tiles_again(context: Admitted, study_id: RowId) -> Response:
    """Have the tiles made again that could not be made."""
    retry_tiles(context, study_id)
    return go_to(f"{context.here}/desk/studies/{study_id}", note="tiles")


def change_state(
    context: Context, study_id: int, step: str, *, reason: str = "", is_sure: bool = False
) -> None:
    """Take a study to its next state.

    Args:
        context: The request.
        study_id: The study.
        step: Of `STEPS`.
        reason: Why it is opened again or put aside.
        is_sure: Whether it is to be closed though judges have not finished.

    Raises:
        InputError: A reason is missing, or judges have not finished and nobody is sure.
        StateError: The step is not possible now.
        UnknownNameError: There is no such step or study.
    """
    if step not in STEPS:
        raise unknown_name("step of a study", step, STEPS)
    now, actor = context.now, context.user_id
    with context.server.database.writing() as session:
        study = find_row(session, Study, study_id, "study")
        if step == "open":
            check_may_open(context.server.contest(session))
            open_study(session, now, study, actor_id=actor)
        elif step == "close":
            if study.state == "open" and not is_sure:
                _check_finished(session, study)
            close_study(session, now, study, actor_id=actor)
        elif step == "reopen":
            check_may_open(context.server.contest(session))
            reopen_study(session, now, study, reason=reason, actor_id=actor)
        elif step == "reveal":
            reveal_study(session, now, study, actor_id=actor)
        else:
            discard_study(session, now, study, reason=reason, actor_id=actor)


def retry_tiles(context: Context, study_id: int) -> int:
    """Have tiles made again that could not be made; give of how many images."""
    with context.server.database.writing() as session:
        study = find_row(session, Study, study_id, "study")
        return try_tiles_again(session, context.now, study, actor_id=context.user_id)


def read_study(session: Session, study: Study) -> dict[str, Any]:
    """Give what the page of a study shows; never what was voted for."""
    n_images, n_unmade, n_faults, faults = _tiles(session, study)
    progress = judge_progress(session, study)
    return {
        "study": study,
        "entries": name_entries(session, study),
        "n_images": n_images,
        "n_unmade": n_unmade,
        "n_faults": n_faults,
        "faults": faults,
        "progress": progress,
        "unfinished": unfinished(progress),
        "previews": _previews(session, study),
        "seen_at": last_seen(progress),
        "ties": ties_of(session, study),
    }


def unfinished(progress: list[JudgeProgress]) -> list[JudgeProgress]:
    """Give the judges who may vote and have not said that they are done."""
    return [each for each in progress if each.judge.finished_at is None and each.judge.revoked_at is None]


def show_one(
    context: Context,
    study_id: int,
    *,
    error: RaimError | None = None,
    typed: str = "",
    guests: str = "",
    links: list[Any] | None = None,
) -> Response:
    """Show a study.

    Args:
        context: The request.
        study_id: Which one.
        error: What was wrong with the last request.
        typed: The reason that came with it.
        guests: The lines that came with it.
        links: Links of judges that were made just now; shown this once.
    """
    with context.server.database.reading() as session:
        study = find_row(session, Study, study_id, "study")
        return render(
            context,
            "desk_study.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error="" if error is None else str(error),
            typed=typed,
            guests=guests,
            links=links or [],
            phase=context.contest.phase_of_row(study.phase_id),
            **read_study(session, study),
        )


def _check_finished(session: Session, study: Study) -> None:
    left = unfinished(judge_progress(session, study))
    if left:
        names = ", ".join(each.judge.name for each in left[:10]) + (" and others" if len(left) > 10 else "")
        verb = "has" if len(left) == 1 else "have"
        raise InputError(
            f"{names} {verb} not finished; remind them, or tick that it is closed all the same: what they have voted "
            "so far counts"
        )


def _tiles(session: Session, study: Study) -> tuple[int, int, int, list[tuple[str, str]]]:
    rows = session.execute(
        select(Image.name, StudyImage.error, StudyImage.pack_sha256)
        .join(Image, Image.id == StudyImage.image_id)
        .where(StudyImage.study_id == study.id)
        .order_by(Image.name)
    ).all()
    n_unmade, n_faults = count_unmade(session, study)
    faults = [(name, error) for name, error, _ in rows if error is not None]
    return len(rows), n_unmade, n_faults, faults[:MOST_FAULTS]


def _previews(session: Session, study: Study) -> int:
    return len(session.scalars(select(Judge.id).where(Judge.study_id == study.id, Judge.is_preview)).all())
