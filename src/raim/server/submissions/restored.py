"""Restored images in the zips that teams have sent: noted when a zip is checked, then read without opening it again."""

import io
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.server.database import SubmittedImage
from raim.server.storage import Storage, read_range


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the packed bytes of an image lie in its zip, and what must come out."""

    name: str
    sha256: str
    n_bytes: int
    packed_start: int
    packed_bytes: int
    crc: int
    is_deflated: bool


def list_restored(path: Path) -> list[Place]:
    """Return the places of the images of a zip that was checked, by the stems of their names.

    Raises:
        SubmissionError: The zip, or an image in it, is damaged.
    """
    from raim.scoring.submission import open_images

    return [
        Place(
            name=stem,
            sha256=member.sha256(),
            n_bytes=member.n_bytes,
            packed_start=member.entry.start,
            packed_bytes=member.entry.n_bytes,
            crc=member.entry.crc,
            is_deflated=member.entry.is_deflated,
        )
        for stem, member in open_images(path).items()
        if member.entry is not None
    ]


def note_restored(session: Session, submission_id: int, places: list[Place]) -> None:
    """Keep what `list_restored` found, where it is not kept yet."""
    known = places_of(session, [submission_id])[submission_id]
    session.add_all(
        SubmittedImage(submission_id=submission_id, **asdict(each))
        for each in places
        if each.name not in known
    )


def places_of(
    session: Session, submission_ids: Collection[int], *, name: str | None = None
) -> dict[int, dict[str, Place]]:
    """Return the images that some submissions hold, all or those of one name, by submission and name."""
    names = [each.name for each in fields(Place)]
    columns = [getattr(SubmittedImage, each) for each in names]
    held = select(SubmittedImage.submission_id, *columns)
    held = held.where(SubmittedImage.submission_id.in_(submission_ids))
    rows = session.execute(held if name is None else held.where(SubmittedImage.name == name))
    places: dict[int, dict[str, Place]] = {each: {} for each in submission_ids}
    for submission_id, *known in rows:
        place = Place(**dict(zip(names, known, strict=True)))
        places[submission_id][place.name] = place
    return places


def find_restored(session: Session, submission_id: int, name: str) -> Place:
    """Return where an image of a submission lies.

    Raises:
        UnknownNameError: It holds none of that name.
    """
    found = places_of(session, [submission_id], name=name)[submission_id].get(name)
    if found is None:
        raise UnknownNameError(f"there is no image {name!r} in this submission")
    return found


def read_restored(storage: Storage, zip_sha256: str, place: Place) -> bytes:
    """Return an image out of a submission's zip; nothing else of the zip is fetched.

    Raises:
        StorageError: The zip is not there, or cannot be read.
        SubmissionError: It is not what was checked.
    """
    from raim.scoring.submission.zip_members import PackedContent, unpack_content

    packed = read_range(storage, zip_sha256, start=place.packed_start, length=place.packed_bytes)
    whole = PackedContent(start=0, n_bytes=place.packed_bytes, crc=place.crc, is_deflated=place.is_deflated)
    return unpack_content(io.BytesIO(packed), whole, place.n_bytes, place.name)
