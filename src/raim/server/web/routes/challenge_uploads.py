"""Challenges that are uploaded: begun, sent by the tus protocol, followed until they are drafts of this server."""

from raim.errors import StorageFullError, UnknownNameError
from raim.records.administration import ChallengeUpload, ChallengeUploads, NewChallengeUpload
from raim.server import database as tables
from raim.server.actions.challenge_upload import (
    begin_challenge_upload,
    find_by_key,
    finish_challenge_upload,
    give_up,
)
from raim.server.gathering import drop_gathered
from raim.server.queries import challenge_uploads as queries
from raim.server.storage import check_space
from raim.server.web.context import RequestContext
from raim.server.web.fields import RowId
from raim.server.web.routes.uploads import Promise, Uploaded, add_routes
from raim.server.web.routing import Area

area = Area("administration", prefix="")
PATH = "/admin/uploads/{upload_id}"
GIVEN_UP = "it was given up by who sent it"


@area.get("/admin/uploads", who="maker", template="challenge_uploads")
def show_uploads(context: RequestContext) -> ChallengeUploads:
    """Return the newest uploads of challenges: one's own; administrators are given all."""
    settings = context.server.settings
    return queries.list_uploads(
        context.session, settings.folder, sender_id=_sender(context), max_bytes=settings.upload_limit_bytes
    )


@area.post("/admin/uploads", who="maker", status=201)
def begin(context: RequestContext, wanted: NewChallengeUpload) -> ChallengeUpload:
    """Begin to upload a zip of a challenge's folder: the answer says where it goes; the same file goes on."""
    settings = context.server.settings
    if wanted.n_bytes > settings.upload_limit_bytes:
        raise StorageFullError(
            f"this server takes files of up to {settings.upload_limit_bytes} bytes; let an administrator raise "
            "RAIM_UPLOAD_LIMIT_BYTES, or put the folder beside the others on the server"
        )
    context.aside(check_space, context.server.storage, wanted.n_bytes)
    upload = begin_challenge_upload(
        context.session, context.now, context.user_id, wanted, folder=settings.folder
    )
    return show_upload(context, upload.id)


@area.get(PATH, who="maker", template="challenge_upload")
def show_upload(context: RequestContext, upload_id: RowId) -> ChallengeUpload:
    """Return an upload as it is now, with every problem that was found."""
    return queries.read_upload(context.session, upload_id, sender_id=_sender(context))


@area.get(f"{PATH}/status", who="maker", template="challenge_upload_status")
def show_upload_status(context: RequestContext, upload_id: RowId) -> ChallengeUpload:
    """Return the same while it is worked on."""
    found = show_upload(context, upload_id)
    if found.has_ended:
        context.headers["HX-Refresh"] = "true"
    return found


@area.post(f"{PATH}/give-up", who="maker", page=show_upload, note="saved")
def stop(context: RequestContext, upload_id: RowId) -> ChallengeUpload:
    """Give an upload up that has not come whole."""
    show_upload(context, upload_id)
    give_up(context.session, context.now, upload_id, GIVEN_UP, actor_id=context.user_id)
    return show_upload(context, upload_id)


def _sender(context: RequestContext) -> int | None:
    """Return whose uploads are shown; None for all."""
    return None if context.viewer.is_administrator else context.user_id


def _find(context: RequestContext, key: str) -> tables.ChallengeUpload:
    with context.server.database.reading() as session:
        upload = find_by_key(session, key)
    if _sender(context) not in {None, upload.user_id}:
        raise UnknownNameError("there is no such upload")
    return upload


def _promise(context: RequestContext, key: str) -> Promise:
    upload = _find(context, key)
    return Promise(n_bytes=upload.n_bytes, is_coming=upload.state == "arriving")


def _finish(context: RequestContext, key: str) -> None:
    server = context.server
    finish_challenge_upload(server.database, server.storage, server.clock(), key=key)


def _give_up(context: RequestContext, key: str) -> None:
    upload = _find(context, key)
    with context.server.database.writing() as session:
        give_up(session, context.now, upload.id, GIVEN_UP, actor_id=context.user_id)
    drop_gathered(context.server.storage, key)


add_routes(
    area,
    "/admin/uploads/file/{key}",
    "maker",
    Uploaded(
        most_bytes=lambda context: context.server.settings.upload_limit_bytes,
        table=tables.ChallengeUpload,
        find=_promise,
        finish=_finish,
        give_up=_give_up,
    ),
)
