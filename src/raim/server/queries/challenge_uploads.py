"""Uploads of challenges, as those who sent them and administrators see them."""

from pathlib import Path

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from raim.errors import UnknownNameError
from raim.records import administration as records
from raim.records.submissions import UploadPlace
from raim.server.actions.challenge_upload import why_not_here
from raim.server.database import Challenge, ChallengeUpload, User

MOST_LISTED = 50


def list_uploads(
    session: Session, folder: Path, *, sender_id: int | None, max_bytes: int
) -> records.ChallengeUploads:
    """Return the newest uploads, those of one person or all; `folder` is the server's."""
    rows = session.execute(_select(sender_id).order_by(ChallengeUpload.id.desc()).limit(MOST_LISTED))
    return records.ChallengeUploads(
        uploads=[_record(*row) for row in rows], why_not=why_not_here(folder), max_bytes=max_bytes
    )


def read_upload(session: Session, upload_id: int, *, sender_id: int | None) -> records.ChallengeUpload:
    """Return an upload as it is now.

    Raises:
        UnknownNameError: There is none of that number, or it is somebody else's.
    """
    row = session.execute(_select(sender_id).where(ChallengeUpload.id == upload_id)).one_or_none()
    if row is None:
        raise UnknownNameError(f"there is no upload {upload_id}")
    return _record(*row)


def _select(sender_id: int | None) -> Select[ChallengeUpload, str, str]:
    found = (
        select(ChallengeUpload, User.login, Challenge.slug)
        .join(User, User.id == ChallengeUpload.user_id)
        .outerjoin(Challenge, Challenge.id == ChallengeUpload.challenge_id)
    )
    return found if sender_id is None else found.where(ChallengeUpload.user_id == sender_id)


def _record(row: ChallengeUpload, login: str, slug: str | None) -> records.ChallengeUpload:
    is_coming = row.state == "arriving"
    received = row.received_bytes if is_coming else row.n_bytes * (row.state != "given up")
    place = UploadPlace(url=f"/admin/uploads/file/{row.key}", offset=received) if is_coming else None
    return records.ChallengeUpload.of_row(
        row,
        page=f"/admin/uploads/{row.id}",
        sent_by=login,
        received_bytes=received,
        challenge_id=slug or "",
        upload=place,
    )
