"""The final ranking for everybody, once the results are published: with intervals, charts, and who was left out."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.challenge import FinalRanking
from raim.errors import AccessError, UnknownNameError
from raim.server.contest.export_formats import ExportTable, csv_pieces
from raim.server.database import Study
from raim.server.study.results import StudyResults, all_rows, newest_revealed, rank_by_score
from raim.server.study.secrecy import studies_under_way
from raim.server.web.charts import give_chart, list_charts
from raim.server.web.context import Admitted, Context
from raim.server.web.pages.desk.fields import Search, Slug
from raim.server.web.rendering import render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a challenge has come to.

    Attributes:
        study: The study that decides; None where SCORE alone does.
        results: Of that study.
        ranking: The final ranking.
    """

    study: Study | None
    results: StudyResults | None
    ranking: FinalRanking

    @property
    def is_simulated(self) -> bool:
        """Whether a program made the votes."""
        return self.study is not None and self.study.is_simulated


@router.get("/results", name="results")
def show_results(context: Admitted) -> Response:
    """Show the final ranking."""
    with context.server.database.reading() as session:
        outcome = find_outcome(context, session)
        study = None if outcome is None else outcome.study
        charts = {} if study is None else list_charts(context, session, study)
        return render(context, "results.html.jinja", outcome=outcome, charts=charts)


@router.get("/results/charts/{name}", name="results.chart")
def show_chart(context: Admitted, name: Slug, theme: Search = "light") -> Response:
    """Give a chart as SVG."""
    with context.server.database.reading() as session:
        outcome = find_outcome(context, session)
        if outcome is None or outcome.study is None:
            raise UnknownNameError("there is no chart: no study was made")
        return give_chart(context, session, outcome.study, name, theme)


@router.get("/results/ranking.csv", name="results.csv")
def give_csv(context: Admitted) -> Response:
    """Give the final ranking as CSV."""
    with context.server.database.reading() as session:
        outcome = find_outcome(context, session)
        if outcome is None:
            raise UnknownNameError("there is no final ranking yet")
        text = "".join(csv_pieces(ranking_table(outcome)))
    name = "ranking-of-simulated-votes.csv" if outcome.is_simulated else "ranking.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def find_outcome(context: Context, session: Session) -> Outcome | None:
    """Give the final ranking; None while there is none: judges vote, or a study is to come.

    Raises:
        AccessError: The results are not published, and no organiser asks.
    """
    server, contest = context.server, context.contest
    check_published(context, session)
    study = newest_revealed(session, contest)
    if study is not None:
        results = server.results.get(
            session, contest, study, standings=server.standings, profile=server.profile
        )
        return Outcome(study=study, results=results, ranking=results.ranking)
    if contest.challenge.study is not None or studies_under_way(session, contest):
        return None
    ranking = rank_by_score(session, contest, server.standings, server.profile)
    return Outcome(study=None, results=None, ranking=ranking) if ranking.rows else None


def check_published(context: Context, session: Session) -> None:
    """Let only organisers see results that are not published, or that would connect names with what judges see.

    Raises:
        AccessError: With the reason.
    """
    if context.viewer.is_organiser:
        return
    if context.contest.results_published_at is None:
        raise AccessError("the results are not published yet")
    if studies_under_way(session, context.contest):
        raise AccessError("judges vote on these images; the results are shown when they have finished")


def ranking_table(outcome: Outcome) -> ExportTable:
    """Give a ranking as a table, entries that were left out last."""
    intervals = ("points_low", "points_high", "final_low", "final_high", "rank_low", "rank_high")

    def read() -> Iterator[tuple[object, ...]]:
        for row in all_rows(outcome.ranking):
            found = outcome.results.found(row.team) if outcome.results else None
            ends = (
                (None,) * len(intervals)
                if found is None
                else tuple(
                    end
                    for each in (found.points, found.final, found.final_rank)
                    for end in (each.low, each.high)
                )
            )
            yield (
                *(row.rank, row.team, row.score, row.points, row.normalised, row.final, *ends),
                *(row.award, row.why_unranked, outcome.is_simulated),
            )

    columns = ("rank", "team", "score", "points", "normalised", "final", *intervals)
    return ExportTable(
        name="ranking",
        title="Final ranking",
        columns=(*columns, "award", "note", "is_simulated"),
        read=read,
    )
