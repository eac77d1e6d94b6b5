"""Restored images out of the zips that teams have sent: found by the safe reader of zips, handed on undecoded."""

import tempfile
from pathlib import Path

from starlette.responses import Response

from raim.errors import SubmissionError, UnknownNameError
from raim.server.storage import Storage, local_path, read_file

KINDS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


def read_restored(storage: Storage, sha256: str, stem: str) -> Response:
    """Give an image out of the zip of a checked submission.

    Raises:
        UnknownNameError: There is none of that name.
    """
    path = local_path(storage, sha256)
    if path is not None:
        content = _member(path, stem)
    else:
        with tempfile.NamedTemporaryFile() as copy:  # zips are read from their end
            for chunk in read_file(storage, sha256):
                copy.write(chunk)
            copy.flush()
            content = _member(Path(copy.name), stem)
    kind = next((name for magic, name in KINDS if content.startswith(magic)), "application/octet-stream")
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
    }
    return Response(content, media_type=kind, headers=headers)


def _member(path: Path, stem: str) -> bytes:
    from raim.scoring.submission import open_images

    try:
        return open_images(path)[stem].read_bytes()
    except (KeyError, SubmissionError) as error:
        raise UnknownNameError(f"there is no image {stem!r} in this submission") from error
