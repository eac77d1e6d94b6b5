"""The gallery of results, once an organiser has published it: the finalists' images beside the inputs, with names."""

from sqlalchemy.orm import Session
from starlette.responses import Response

from raim.errors import AccessError
from raim.records.gallery import Gallery
from raim.server.queries import gallery as queries
from raim.server.study.secrecy import studies_under_way
from raim.server.web.context import Admitted, Context
from raim.server.web.fields import Search
from raim.server.web.restored import read_restored
from raim.server.web.routes.data import give_stored
from raim.server.web.routing import Area

area = Area("gallery")


@area.get("/gallery", who="anyone", template="gallery")
def show_gallery(context: Context, image: Search = "") -> Gallery:
    """Give one image, as every team has restored it."""
    check_published(context, context.session)
    server = context.server
    return queries.read_gallery(
        context.session, context.contest, image, standings=server.standings, profile=server.profile
    )


@area.special("GET", "/gallery/{source}/{name}", who="anyone")
def give_image(context: Admitted, source: str, name: str) -> Response:
    """Give an input (source "input"), or the restored image of a submission that the gallery shows."""
    server = context.server
    with server.database.reading() as session:
        check_published(context, session)
        image, submission = queries.find_pictured(
            session, context.contest, source, name, standings=server.standings, profile=server.profile
        )
        sha256 = None if submission is None else submission.committed_sha256
        stem, stored = image.name, (image.input_sha256, image.input_name, image.input_bytes)
    if sha256 is not None:
        return read_restored(server.storage, sha256, stem)
    return give_stored(context, stored[0], name=stored[1], n_bytes=stored[2])


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
