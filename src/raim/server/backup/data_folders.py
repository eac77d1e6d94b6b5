"""The images of data sets back into the challenge's folder, from which a server reads them at its start."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import BackupError
from raim.server.backup.manifest import is_safe_part
from raim.server.backup.scope import CHALLENGE_TABLES, is_of
from raim.server.database import Challenge, DataSet, Image
from raim.server.storage import Storage, read_stored_file


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a data set's images go; `inputs` and `references` are paths within the server's folder."""

    inputs: PurePosixPath
    references: PurePosixPath
    manifest: PurePosixPath | None
    note: str


def lay_out_images(
    session: Session,
    storage: Storage,
    folder: Path,
    *,
    missing: frozenset[str],
    challenge_id: int | None = None,
) -> tuple[str, ...]:
    """Write the images of all data sets, or those of one challenge, into the folders that it names.

    Returns:
        Notes for the organiser: folders that lay elsewhere, images that are missing.

    Raises:
        BackupError: A name would leave its folder, or is there already.
        OSError: A file cannot be written.
    """
    notes = []
    found = select(DataSet, Challenge).join(Challenge).where(is_of(CHALLENGE_TABLES, challenge_id))
    for data_set, challenge in session.execute(found):
        if not _is_inside(challenge.folder):
            raise BackupError(
                f"the backup has a challenge in {challenge.folder!r}, outside of the server's folder"
            )
        place = _find_place(challenge.definition, data_set.slug, PurePosixPath(challenge.folder))
        notes += [place.note] if place.note else []
        if place.manifest is not None and not (folder / place.manifest).exists():
            _place(folder, place.manifest, iter([data_set.manifest.encode()]))
        for image in session.scalars(select(Image).where(Image.data_set_id == data_set.id)):
            for path, sha256 in _files(place, image):
                if sha256 in missing:
                    notes.append(f"{path} is missing: put it back before the server starts")
                else:
                    _place(folder, path, read_stored_file(storage, sha256))
    return tuple(notes)


def _find_place(definition: dict[str, Any], slug: str, of_challenge: PurePosixPath) -> _Place:
    """Find a data set's folder; one outside of the challenge's is laid into it."""
    try:
        stated: dict[str, Any] = {each["id"]: each for each in definition["data_sets"]}[slug]
    except (LookupError, TypeError) as error:
        raise BackupError(f"the backup's challenge says nothing of its data set {slug!r}") from error
    home = str(stated.get("folder") or ".")
    note = ""
    if not _is_inside(home):
        note = (
            f"the data set {slug!r} lay in {home}, outside of the challenge's folder; its images are in data/{slug} "
            "now: say so in challenge.toml, or copy them there"
        )
        home = f"data/{slug}"
    home = str(of_challenge / home)
    manifest = str(stated.get("manifest") or "")
    return _Place(
        inputs=_join(home, str(stated.get("input") or "input")),
        references=_join(home, str(stated.get("reference") or "reference")),
        manifest=_join(home, manifest) if manifest else None,
        note=note,
    )


def _files(place: _Place, image: Image) -> Iterator[tuple[PurePosixPath, str]]:
    yield _join(str(place.inputs), image.input_name), image.input_sha256
    if image.reference_name is not None and image.reference_sha256 is not None:
        yield _join(str(place.references), image.reference_name), image.reference_sha256


def _is_inside(path: str) -> bool:
    return path == "." or all(map(is_safe_part, PurePosixPath(path).parts))


def _join(home: str, name: str) -> PurePosixPath:
    path = PurePosixPath(home, name)
    if not _is_inside(str(path)):
        raise BackupError(f"the backup has a data set with a file {name!r}, which would leave its folder")
    return path


def _place(folder: Path, path: PurePosixPath, chunks: Iterator[bytes]) -> None:
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with place.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
    except FileExistsError as error:
        raise BackupError(f"the backup has two files for {path}") from error
