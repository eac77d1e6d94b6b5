"""Results of a revealed study: points with intervals, the final ranking, judges without names, exclusions, exports."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from raim.errors import RaimError, UnknownNameError
from raim.server.auditing import record_event
from raim.server.database import Study, StudyEntry
from raim.server.study.ballots import judge_names, real_judges
from raim.server.study.closing import check_revealed, leave_out, take_back_in
from raim.server.study.exports import StudyFile, find_study_file, shown_name, study_files
from raim.server.study.results import StudyResults
from raim.server.web.answers import go_to
from raim.server.web.charts import give_chart, list_charts
from raim.server.web.context import Admitted, Context
from raim.server.web.failures import status_of
from raim.server.web.fields import RowId, Search, Slug, Text, Ticked, find_row
from raim.server.web.pages.desk.study import PATH
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)


@router.get(f"{PATH}/results", name="desk.study.results")
def show_results(context: Admitted, study_id: RowId) -> Response:
    """Show the results of a revealed study."""
    return show_results_of(context, study_id)


@router.get(f"{PATH}/charts/{{name}}", name="desk.study.chart")
def show_chart(context: Admitted, study_id: RowId, name: Slug, theme: Search = "light") -> Response:
    """Give a chart of a revealed study as SVG."""
    with context.server.database.reading() as session:
        return give_chart(context, session, find_row(session, Study, study_id, "study"), name, theme)


@router.post(f"{PATH}/entries/{{entry_id}}", name="desk.study.entry")
def change_entry(
    context: Admitted, study_id: RowId, entry_id: RowId, reason: Text = "", *, back: Ticked = False
) -> Response:
    """Leave an entry out of the ranking, or take it back in."""
    try:
        rank_entry(context, study_id, entry_id, reason=None if back else reason)
    except RaimError as error:
        return show_results_of(context, study_id, error=error)
    return go_to(f"{context.here}/desk/studies/{study_id}/results", note="saved")


@router.get(f"{PATH}/exports/{{file}}", name="desk.study.export")
def give_export(context: Admitted, study_id: RowId, file: Slug) -> Response:
    """Give votes, changes or the archive of a revealed study."""
    return export_study(context, study_id, file)


def rank_entry(context: Context, study_id: int, entry_id: int, *, reason: str | None) -> None:
    """Leave an entry out of the ranking after the vote for a reason; with None, take it back in.

    Raises:
        InputError: The reason is empty.
        StateError: The study is not revealed.
        UnknownNameError: There is no such entry in the study.
    """
    with context.server.database.writing() as session:
        study = find_row(session, Study, study_id, "study")
        check_revealed(study, "an entry is left out")
        entry = session.scalar(
            select(StudyEntry).where(StudyEntry.id == entry_id, StudyEntry.study_id == study_id)
        )
        if entry is None:
            raise UnknownNameError(f"there is no entry {entry_id} in the study {study_id}")
        if reason is None:
            take_back_in(session, context.now, entry, actor_id=context.user_id)
        else:
            leave_out(session, context.now, entry, reason=reason, actor_id=context.user_id)


def export_study(context: Context, study_id: int, name: str) -> Response:
    """Give a file of a revealed study.

    Raises:
        StateError: The study is not revealed.
        UnknownNameError: There is no such study or file.
    """
    file = find_study_file(study_id, name)
    with context.server.database.writing() as session:
        study = find_row(session, Study, study_id, "study")
        check_revealed(study, "votes are handed on")
        record_event(
            session,
            context.now,
            "export study",
            actor_id=context.user_id,
            subject="study",
            subject_id=study_id,
            details={"file": name},
        )
        headers = {"Content-Disposition": f'attachment; filename="{shown_name(study, name)}"'}
    return StreamingResponse(_read(context, file), media_type=file.media_type, headers=headers)


def read_results(context: Context, session: Session, study: Study) -> StudyResults:
    """Give the results of a revealed study, as last made if nothing has changed.

    Raises:
        StateError: It is not revealed.
    """
    server = context.server
    return server.results.get(
        session, server.contest(session), study, standings=server.standings, profile=server.profile
    )


def show_results_of(context: Context, study_id: int, *, error: RaimError | None = None) -> Response:
    """Show the results of a study, with what was wrong with the last request."""
    with context.server.database.reading() as session:
        study = find_row(session, Study, study_id, "study")
        check_revealed(study, "results are shown")
        results = read_results(context, session, study)
        return render(
            context,
            "desk_study_results.html.jinja",
            status=200 if error is None else status_of(error)[0],
            error="" if error is None else str(error),
            study=study,
            results=results,
            analysis=results.analysis,
            people=_people(session, study),
            files=study_files(study_id).values(),
            charts=list_charts(context, session, study),
        )


def _people(session: Session, study: Study) -> dict[str, Any]:
    """Give the rows of judges by their names in results."""
    judges = real_judges(session, study)
    names = judge_names(judges)
    return {names[judge.id]: judge for judge in judges}


def _read(context: Context, file: StudyFile) -> Iterator[bytes]:
    with context.server.database.reading() as session:
        yield from file.write(session)
