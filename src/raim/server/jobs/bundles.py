"""Data sets as zips for download: made beside the server, as soon as a set is in the database, never by a request.

They lie in the server's folder, where their downloads can be fetched in ranges, under a name made from all that files
and manifest say: a set whose manifest changes has another zip, and no two sets share one.
"""

import contextlib
import logging
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge.data_set import DataSetPart
from raim.data import ManifestRow, format_manifest
from raim.errors import NotReadyError, UnknownNameError
from raim.files import write_whole
from raim.server.database import Challenge, Database, DataSet, Image, open_database
from raim.server.database.engine import BUNDLES_LOCK, try_turn
from raim.server.settings import Settings
from raim.server.storage import Storage, open_storage, read_stored_file

LOG = logging.getLogger(__name__)
FOLDER = Path("work", "bundles")
TIME = (2024, 1, 1, 0, 0, 0)  # a fixed one makes the same images the same bytes
EVERY_S = 2.0
RETRY_S = 15  # a browser or client asks again after this time


def find_bundle(session: Session, folder: Path, data_set_id: int, part: DataSetPart) -> Path:
    """Return the zip of a data set's inputs or references, with a manifest that tells nothing of hidden references.

    Args:
        session: Any session.
        folder: The server's folder.
        data_set_id: Row of the data set.
        part: "input" or "reference".

    Raises:
        UnknownNameError: It has no such part.
        NotReadyError: It is still being made.
    """
    asked = select(DataSet.kind, DataSet.contents, DataSet.title).where(DataSet.id == data_set_id)
    kind, contents, title = session.execute(asked).one()
    if part not in _parts(kind):
        raise UnknownNameError("this data set has no references")
    path = _path(folder, contents, part)
    if not path.is_file():
        raise NotReadyError(f"the zip of {title} is being made; try again in a few minutes", retry_s=RETRY_S)
    return path


def count_bundle_bytes(session: Session, folder: Path, only: str | None = None) -> dict[str, int]:
    """Return how many bytes the zips of each challenge take that has any, by its id, or of only one."""
    found: dict[str, dict[Path, int]] = {}
    asked = select(Challenge.slug, DataSet.kind, DataSet.contents).join(
        DataSet, DataSet.challenge_id == Challenge.id
    )
    for slug, kind, contents in session.execute(
        asked if only is None else asked.where(Challenge.slug == only)
    ):
        for part in _parts(kind):
            path = _path(folder, contents, part)
            with contextlib.suppress(FileNotFoundError):
                found.setdefault(slug, {})[path] = path.stat().st_size
    return {slug: sum(sizes.values()) for slug, sizes in found.items()}


def make_bundles(database: Database, storage: Storage, folder: Path) -> None:
    """Make every zip that is missing, and delete those of what data sets were before.

    Args:
        database: Of the server.
        storage: Where the images are.
        folder: The server's folder.

    Raises:
        StorageError: An image is not in the storage.
    """
    wanted = set()
    with database.reading() as session:
        data_sets = session.scalars(select(DataSet).order_by(DataSet.id)).all()
        session.expunge_all()
    for data_set in data_sets:
        for part in _parts(data_set.kind):
            path = _path(folder, data_set.contents, part)
            wanted.add(path)
            if path.is_file():
                continue
            with database.reading() as session:
                found = select(Image).where(Image.data_set_id == data_set.id).order_by(Image.name)
                images = list(session.scalars(found))
                session.expunge_all()
            _write(path, storage, images, part)
    for old in set((folder / FOLDER).glob("*.zip")) - wanted:
        old.unlink(missing_ok=True)


def keep_bundles(settings: Settings, stop: threading.Event) -> None:
    """Make what is missing in the server's folder, in a thread, until `stop` is set."""

    def keep() -> None:
        database, storage = open_database(settings.database_url), open_storage(settings.storage_url)
        while not stop.is_set():
            try:
                with try_turn(database, BUNDLES_LOCK) as is_ours:
                    if is_ours:
                        make_bundles(database, storage, settings.folder)
            except Exception:
                LOG.exception("the zip of a data set could not be made; it is tried again")
                stop.wait(RETRY_S)
            stop.wait(EVERY_S)
        database.engine.dispose()

    threading.Thread(target=keep, name="bundles", daemon=True).start()


def _parts(kind: str) -> Iterator[DataSetPart]:
    yield "input"
    if kind == "paired":
        yield "reference"


def _path(folder: Path, contents: str, part: DataSetPart) -> Path:
    return folder / FOLDER / f"{contents[:32]}-{part}.zip"


def _write(path: Path, storage: Storage, images: list[Image], part: DataSetPart) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_whole(path) as making, zipfile.ZipFile(making, "w") as archive:
        archive.writestr(zipfile.ZipInfo("manifest.csv", TIME), _manifest(images, part))
        for image in images:
            name, sha256, n_bytes = _file(image, part)
            info = zipfile.ZipInfo(name, TIME)
            info.file_size = n_bytes
            with archive.open(info, "w") as entry:
                for chunk in read_stored_file(storage, sha256):
                    entry.write(chunk)


def _file(image: Image, part: DataSetPart) -> tuple[str, str, int]:
    if part == "input":
        return image.input_name, image.input_sha256, image.input_bytes
    if image.reference_name is None or image.reference_sha256 is None or image.reference_bytes is None:
        raise UnknownNameError("this data set has no references")
    return image.reference_name, image.reference_sha256, image.reference_bytes


def _manifest(images: list[Image], part: DataSetPart) -> str:
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
