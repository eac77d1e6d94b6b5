"""The final ranking for everybody, once the results are published: with intervals, charts, and who was left out."""

from collections.abc import Iterator

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import UnknownNameError, unknown_name
from raim.server.contest.export_formats import ExportTable, csv_pieces
from raim.server.database import PublishedRanking, Study
from raim.server.study.publication import Outcome, Published, find_outcome, read_published
from raim.server.study.results import all_rows
from raim.server.web.charts import as_svg, describe_charts, give_chart, list_charts
from raim.server.web.context import Admitted, Context
from raim.server.web.fields import Search, Slug
from raim.server.web.rendering import render
from raim.server.web.routes.gallery import check_published

router = APIRouter(include_in_schema=False)


@router.get("/results", name="results")
def show_results(context: Admitted) -> Response:
    """Show the final ranking: as it was published; to organisers as it is now."""
    with context.server.database.reading() as session:
        outcome, published = read_outcome(context, session)
        if context.viewer.is_organiser:
            study = _study(session, outcome)
            charts = {} if study is None else list_charts(context, session, study)
        else:
            charts = {} if published is None else describe_charts(published.charts)
        return render(context, "results.html.jinja", outcome=outcome, published=published, charts=charts)


@router.get("/results/charts/{name}", name="results.chart")
def show_chart(context: Admitted, name: Slug, theme: Search = "light") -> Response:
    """Give a chart as SVG."""
    with context.server.database.reading() as session:
        outcome, published = read_outcome(context, session)
        study = _study(session, outcome)
        if study is None:
            raise UnknownNameError("there is no chart: no study was made")
        if context.viewer.is_organiser or published is None:
            return give_chart(context, session, study, name, theme)
        charts = session.get_one(PublishedRanking, published.id).charts
    if name not in charts:
        raise unknown_name("chart", name, charts)
    if theme not in charts[name]:
        raise unknown_name("theme", theme, charts[name])
    return as_svg(charts[name][theme])


@router.get("/results/ranking.csv", name="results.csv")
def give_csv(context: Admitted) -> Response:
    """Give the final ranking as CSV."""
    with context.server.database.reading() as session:
        outcome, _ = read_outcome(context, session)
        if outcome is None:
            raise UnknownNameError("there is no final ranking yet")
        text = "".join(csv_pieces(ranking_table(outcome)))
    name = "ranking-of-simulated-votes.csv" if outcome.is_simulated else "ranking.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def read_outcome(context: Context, session: Session) -> tuple[Outcome | None, Published | None]:
    """Give the final ranking that the viewer sees, and what was published: others see the latter only.

    Raises:
        AccessError: The results are not published, and no organiser asks.
    """
    check_published(context, session)
    server, contest = context.server, context.contest
    published = None if contest.results_published_at is None else read_published(session, contest)
    if not context.viewer.is_organiser:
        return None if published is None else published.outcome, published
    now = find_outcome(
        session, contest, standings=server.standings, results=server.results, profile=server.profile
    )
    return now, published


def _study(session: Session, outcome: Outcome | None) -> Study | None:
    return None if outcome is None or outcome.study_id is None else session.get(Study, outcome.study_id)


def ranking_table(outcome: Outcome) -> ExportTable:
    """Give a ranking as a table, entries that were left out last."""
    intervals = ("points_low", "points_high", "final_low", "final_high", "rank_low", "rank_high")

    def read() -> Iterator[tuple[object, ...]]:
        for row in all_rows(outcome.ranking):
            found = outcome.found(row.team)
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
