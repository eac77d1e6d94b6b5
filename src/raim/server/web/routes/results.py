"""The final ranking for everybody, once the results are published: with intervals, charts, and who was left out."""

from starlette.responses import Response

from raim.errors import UnknownNameError, unknown_name
from raim.records.ranking import Results
from raim.server.database import PublishedRanking, Study
from raim.server.export_table import csv_pieces
from raim.server.queries.ranking import ranking_record, ranking_table
from raim.server.study.publication import ChallengeOutcome, Published, find_outcome, read_published
from raim.server.web.charts import answer_with_chart, as_svg, describe_charts, list_charts
from raim.server.web.context import RequestContext
from raim.server.web.fields import Search, Slug
from raim.server.web.routes.gallery import check_published
from raim.server.web.routing import Area

area = Area("challenge")


@area.get("/results", who="anyone", template="results")
def show_results(context: RequestContext) -> Results:
    """Return the final ranking: as it was published; to organisers as it is now."""
    outcome, published = _read(context)
    if context.viewer.is_organiser:
        study = _study(context, outcome)
        charts = {} if study is None else list_charts(context, study)
    else:
        charts = {} if published is None else describe_charts(published.charts)
    return Results(
        ranking=None
        if outcome is None
        else ranking_record(outcome.ranking, outcome, title=outcome.title, is_simulated=outcome.is_simulated),
        published_at=None if published is None else published.published_at,
        outcome=outcome,
        published=published,
        charts=charts,
    )


@area.get("/results/charts/{name}", who="anyone", is_page=True, is_api=False)
def show_chart(context: RequestContext, name: Slug, theme: Search = "light") -> Response:
    """Return a chart as SVG."""
    outcome, published = _read(context)
    study = _study(context, outcome)
    if study is None:
        raise UnknownNameError("there is no chart: no study was made")
    if context.viewer.is_organiser or published is None:
        return answer_with_chart(context, study, name, theme)
    charts = context.session.get_one(PublishedRanking, published.id).charts
    if name not in charts:
        raise unknown_name("chart", name, charts)
    if theme not in charts[name]:
        raise unknown_name("theme", theme, charts[name])
    return as_svg(charts[name][theme])


@area.get("/results/ranking.csv", who="anyone", is_page=True, is_api=False)
def give_ranking_csv(context: RequestContext) -> Response:
    """Return the final ranking as CSV."""
    outcome, _ = _read(context)
    if outcome is None:
        raise UnknownNameError("there is no final ranking yet")
    name = "ranking-of-simulated-votes.csv" if outcome.is_simulated else "ranking.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    text = "".join(csv_pieces(ranking_table(outcome)))
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _read(context: RequestContext) -> tuple[ChallengeOutcome | None, Published | None]:
    """Return the final ranking that the viewer sees, and what was published: others see the latter only.

    Raises:
        AccessError: The results are not published, and no organiser asks.
    """
    check_published(context)
    server, challenge = context.server, context.challenge
    published = None if challenge.results_published_at is None else read_published(context.session, challenge)
    if not context.viewer.is_organiser:
        return None if published is None else published.outcome, published
    now = find_outcome(
        context.session,
        challenge,
        standings=server.standings,
        results=server.results,
        profile=context.challenge.profile,
    )
    return now, published


def _study(context: RequestContext, outcome: ChallengeOutcome | None) -> Study | None:
    return (
        None if outcome is None or outcome.study_id is None else context.session.get(Study, outcome.study_id)
    )
