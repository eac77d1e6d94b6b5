"""Restored images as browsers are given them."""

from starlette.responses import Response

from raim.errors import SubmissionError, UnknownNameError
from raim.server.storage import Storage
from raim.server.submissions.restored import Place, read_restored

KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


def answer_with_restored(storage: Storage, zip_sha256: str, place: Place) -> Response:
    """Return an image out of the zip of a checked submission, undecoded.

    Raises:
        UnknownNameError: It is not what was checked.
    """
    try:
        content = read_restored(storage, zip_sha256, place)
    except SubmissionError as error:
        raise UnknownNameError(f"there is no image {place.name!r} in this submission") from error
    kind = next((name for magic, name in KINDS if content.startswith(magic)), "application/octet-stream")
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
    }
    return Response(content, media_type=kind, headers=headers)
