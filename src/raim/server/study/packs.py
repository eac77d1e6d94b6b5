"""Packs of tiles that are no more: a job makes them again, the same to the byte, from what teams have sent."""

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from raim.server.database import StudyImage


def forget_packs(session: Session, which: ColumnElement[bool]) -> int:
    """Forget that packs of some `StudyImage` were made; sizes are kept, since they are the images'. Give how many."""
    found = session.execute(
        update(StudyImage)
        .where(StudyImage.pack_sha256.is_not(None), which)
        .values(pack_sha256=None, pack_bytes=None, made_at=None, attempt=StudyImage.attempt + 1)
        .returning(StudyImage.id)
    )
    return len(found.all())
