"""Images that submissions hold, noted without a zip."""

from sqlalchemy import delete

from raim.server.database import SubmittedImage
from raim.server.storage import local_path
from raim.server.submissions.restored import Place, list_restored, note_restored


def places_of_names(names, sha256="3" * 64):
    """Give places of images in a zip that is not there."""
    return [
        Place(name=name, sha256=sha256, n_bytes=1, packed_start=0, packed_bytes=1, crc=0, is_deflated=False)
        for name in names
    ]


def note_zip(session, storage, submission):
    """Note the images of a submission's zip, as its check does, in place of what was noted."""
    session.execute(delete(SubmittedImage).where(SubmittedImage.submission_id == submission.id))
    path = local_path(storage, submission.committed_sha256)
    note_restored(session, submission.id, list_restored(path))
