"""Data sets as zips for download: made once for each version, kept in the server's folder, fetched in ranges."""

import threading
import zipfile
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge.data_set import Part
from raim.data import ManifestRow, format_manifest
from raim.errors import UnknownNameError
from raim.files import write_whole
from raim.server.database import DataSet, Image
from raim.server.storage import Storage, read_file

FOLDER = Path("work", "bundles")
TIME = (2024, 1, 1, 0, 0, 0)  # a fixed one makes the same images the same bytes
_making = threading.Lock()


def make_bundle(session: Session, storage: Storage, folder: Path, data_set_id: int, part: Part) -> Path:
    """Give the zip of a data set's inputs or references, with a manifest that tells nothing of hidden references.

    Args:
        session: Any session.
        storage: Where the images are.
        folder: The server's folder.
        data_set_id: Row of the data set.
        part: "input" or "reference".

    Raises:
        UnknownNameError: It has no such part.
        StorageError: An image is not in the storage.
    """
    data_set = session.get_one(DataSet, data_set_id)
    path = folder / FOLDER / f"{data_set.version[:32]}-{part}.zip"
    if path.is_file():
        return path
    images = session.scalars(select(Image).where(Image.data_set_id == data_set_id).order_by(Image.name)).all()
    with _making:
        if not path.is_file():
            _write(path, storage, list(images), part)
    return path


def _write(path: Path, storage: Storage, images: list[Image], part: Part) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as making, zipfile.ZipFile(making, "w") as archive:
        archive.writestr(zipfile.ZipInfo("manifest.csv", TIME), _manifest(images, part))
        for image in images:
            name, sha256, n_bytes = _file(image, part)
            info = zipfile.ZipInfo(name, TIME)
            info.file_size = n_bytes
            with archive.open(info, "w") as entry:
                for chunk in read_file(storage, sha256):
                    entry.write(chunk)


def _file(image: Image, part: Part) -> tuple[str, str, int]:
    if part == "input":
        return image.input_name, image.input_sha256, image.input_bytes
    if image.reference_name is None or image.reference_sha256 is None or image.reference_bytes is None:
        raise UnknownNameError("this data set has no references")
    return image.reference_name, image.reference_sha256, image.reference_bytes


def _manifest(images: list[Image], part: Part) -> str:
    rows = [
        ManifestRow(
            name=image.name,
            scenario=image.scenario,
            width=image.width,
            height=image.height,
            input_sha256=image.input_sha256 if part == "input" else None,
        )
        for image in images
    ]
    return format_manifest(rows)
