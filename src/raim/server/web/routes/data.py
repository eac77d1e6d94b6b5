"""Downloads of data sets: what phases give out, to whom the dates allow."""

from urllib.parse import quote

from sqlalchemy import select
from starlette.responses import FileResponse, Response, StreamingResponse

from raim.challenge import Verdict, may_download
from raim.challenge.data_set import DataSetPart
from raim.errors import AccessError, UnknownNameError
from raim.server.actions.sights import is_hidden, is_noted, note_sight
from raim.server.database import Image
from raim.server.jobs.bundles import find_bundle
from raim.server.storage import local_path, read_stored_file
from raim.server.web.context import RequestContext
from raim.server.web.routing import Area

area = Area("data")
MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
}


class LargeFile(FileResponse):
    """A file, in pieces that are worth the thread that each is read in."""

    chunk_size = 2**18


@area.get("/data-sets/{data_set_id}/inputs.zip", who="participant", is_page=True)
def give_inputs(context: RequestContext, data_set_id: str) -> Response:
    """Return all inputs of a data set."""
    return give_bundle(context, data_set_id, "input")


@area.get("/data-sets/{data_set_id}/references.zip", who="participant", is_page=True)
def give_references(context: RequestContext, data_set_id: str) -> Response:
    """Return all references of a data set."""
    return give_bundle(context, data_set_id, "reference")


@area.get("/data-sets/{data_set_id}/input/{name}", who="participant", is_page=True, is_api=False)
def give_input(context: RequestContext, data_set_id: str, name: str) -> Response:
    """Return one input."""
    return _give_image(context, data_set_id, "input", name)


@area.get("/data-sets/{data_set_id}/reference/{name}", who="participant", is_page=True, is_api=False)
def give_reference(context: RequestContext, data_set_id: str, name: str) -> Response:
    """Return one reference."""
    return _give_image(context, data_set_id, "reference", name)


def verdict(context: RequestContext, data_set_id: str, part: DataSetPart) -> Verdict:
    """Return whether the viewer may download a part of a data set now."""
    return may_download(
        context.challenge.definition,
        data_set_id,
        part,
        role=context.viewer.role,
        now=context.now,
        is_approved=context.viewer.is_approved,
        is_finalist=context.viewer.is_finalist,
    )


def check_download(context: RequestContext, data_set_id: str, part: DataSetPart) -> None:
    """Refuse a download that the dates or the viewer's team do not allow.

    Raises:
        AccessError: With the reason.
        UnknownNameError: There is no such data set.
    """
    found = verdict(context, data_set_id, part)
    if not found.is_allowed or context.viewer.team_state == "suspended":
        raise AccessError(found.reason or "your team is suspended; ask the organisers")


def log_sight(context: RequestContext, data_set_id: str, part: DataSetPart) -> None:
    """Let the log say that an organiser sees what no team has, before it is given; no connection is held meanwhile."""
    challenge, now = context.challenge, context.now
    if not context.viewer.is_organiser or context.request.method == "HEAD":
        return
    if not is_hidden(challenge, data_set_id, part, now):
        return
    user_id = context.user_id
    if not is_noted(context.session, challenge, now, data_set_id, part, user_id=user_id):
        context.aside(note_sight, context.server.database, challenge, now, data_set_id, part, user_id=user_id)


def give_bundle(context: RequestContext, data_set_id: str, part: DataSetPart) -> Response:
    """Return a part of a data set as one zip, which can be fetched in ranges."""
    check_download(context, data_set_id, part)
    row_id = context.challenge.data_set_ids[data_set_id]
    path = find_bundle(context.session, context.server.settings.folder, row_id, part)
    log_sight(context, data_set_id, part)
    name = f"{data_set_id}-{part}s.zip"
    return LargeFile(path, media_type="application/zip", filename=name)


def give_stored(context: RequestContext, sha256: str, *, name: str, n_bytes: int) -> Response:
    """Return an image of the storage, to be looked at or saved; never as a page of our site."""
    kind = MEDIA_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name)}",
    }
    path = local_path(context.server.storage, sha256)
    if path is not None:
        return LargeFile(path, media_type=kind, headers=headers)
    headers["Content-Length"] = str(n_bytes)
    return StreamingResponse(
        read_stored_file(context.server.storage, sha256), media_type=kind, headers=headers
    )


def _give_image(context: RequestContext, data_set_id: str, part: DataSetPart, name: str) -> Response:
    check_download(context, data_set_id, part)
    row_id = context.challenge.data_set_ids[data_set_id]
    image = context.session.scalar(select(Image).where(Image.data_set_id == row_id, Image.name == name))
    if image is None:
        raise UnknownNameError(f"the data set {data_set_id!r} has no image {name!r}")
    if part == "input" or image.reference_sha256 is not None:
        log_sight(context, data_set_id, part)
    if part == "input":
        return give_stored(context, image.input_sha256, name=image.input_name, n_bytes=image.input_bytes)
    if image.reference_sha256 is None or image.reference_name is None or image.reference_bytes is None:
        raise UnknownNameError(f"the data set {data_set_id!r} has no references")
    return give_stored(
        context, image.reference_sha256, name=image.reference_name, n_bytes=image.reference_bytes
    )
