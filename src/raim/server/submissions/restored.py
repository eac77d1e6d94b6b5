"""Restored images out of the zips that teams have sent: found by the safe reader of zips, not decoded."""

import tempfile
from pathlib import Path

from raim.errors import UnknownNameError
from raim.server.storage import Storage, local_path, read_file


def read_restored(storage: Storage, sha256: str, stem: str) -> bytes:
    """Give an image out of a submission's zip.

    Raises:
        SubmissionError: The zip, or the image in it, is damaged.
        UnknownNameError: There is none of that name.
    """
    path = local_path(storage, sha256)
    if path is not None:
        return _read_member(path, stem)
    with tempfile.NamedTemporaryFile() as copy:  # zips are read from their end
        for chunk in read_file(storage, sha256):
            copy.write(chunk)
        copy.flush()
        return _read_member(Path(copy.name), stem)


def _read_member(path: Path, stem: str) -> bytes:
    from raim.scoring.submission import open_images

    images = open_images(path)
    if stem not in images:
        raise UnknownNameError(f"there is no image {stem!r} in this submission")
    return images[stem].read_bytes()
