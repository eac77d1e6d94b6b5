"""The gallery of results, once an organiser has published it: the finalists' images beside the inputs, with names."""

from starlette.responses import Response

from raim.errors import AccessError
from raim.records.gallery import Gallery
from raim.server.queries import gallery as queries
from raim.server.study.closing import studies_under_way
from raim.server.submissions.restored import find_restored
from raim.server.web import restored
from raim.server.web.context import RequestContext
from raim.server.web.fields import Search
from raim.server.web.routes.data import give_stored
from raim.server.web.routing import Area

area = Area("gallery")


@area.get("/gallery", who="anyone", template="gallery")
def show_gallery(context: RequestContext, image: Search = "") -> Gallery:
    """Return one image, as every team has restored it."""
    check_published(context)
    server = context.server
    return queries.read_gallery(
        context.session,
        context.challenge,
        image,
        standings=server.standings,
        profile=context.challenge.profile,
    )


@area.get("/gallery/{source}/{name}", who="anyone", is_page=True, is_api=False)
def give_image(context: RequestContext, source: str, name: str) -> Response:
    """Return an input (source "input"), or the restored image of a submission that the gallery shows."""
    check_published(context)
    server = context.server
    image, submission = queries.find_pictured(
        context.session,
        context.challenge,
        source,
        name,
        standings=server.standings,
        profile=context.challenge.profile,
    )
    if submission is None:
        return give_stored(context, image.input_sha256, name=image.input_name, n_bytes=image.input_bytes)
    place = find_restored(context.session, submission.id, image.name)
    return context.aside(restored.answer_with_restored, server.storage, submission.committed_sha256, place)


def check_published(context: RequestContext) -> None:
    """Let only organisers see results that are not published, or that would connect names with what judges see.

    Raises:
        AccessError: With the reason.
    """
    if context.viewer.is_organiser:
        return
    if context.challenge.results_published_at is None:
        raise AccessError("the results are not published yet")
    if studies_under_way(context.session, context.challenge):
        raise AccessError("judges vote on these images; the results are shown when they have finished")
