"""Free room: files of refused submissions, some time after the refusal. Their rows stay, and say when that was."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.server.auditing import record_event
from raim.server.database import Database, Submission
from raim.server.database.engine import STORAGE_LOCK, take_turn
from raim.server.database.entries import is_kept
from raim.server.storage import Storage, delete_file
from raim.server.submissions.kept import KEPT_KINDS, list_files


@dataclass(frozen=True, kw_only=True, slots=True)
class FreedFile:
    """A file that was freed, or can be, with the refused submissions that had it."""

    sha256: str
    n_bytes: int
    submission_ids: tuple[int, ...]


def find_freeable(session: Session, before: datetime, sha256: str | None = None) -> list[FreedFile]:
    """Return the files whose only reason to be kept is that submissions sent them that were all refused before a time.

    Whatever else names a file keeps it: a submission that is not refused, or is under way; an image of a data set.

    Args:
        session: Any session.
        before: When the last of them was refused at the latest.
        sha256: To ask for one file only.
    """
    files = list_files().subquery()
    sole = (
        select(files.c.sha256)
        .group_by(files.c.sha256)
        .having(func.min(files.c.why) == KEPT_KINDS.index("refused"))
    )
    refused = Submission.where("is_refused"), is_kept()
    late = select(Submission.committed_sha256).where(*refused, Submission.state_at >= before)
    found = select(Submission.committed_sha256, Submission.committed_bytes, Submission.id).where(
        *refused, Submission.committed_sha256.in_(sole), Submission.committed_sha256.not_in(late)
    )
    if sha256 is not None:
        found = found.where(Submission.committed_sha256 == sha256)
    numbers: dict[tuple[str, int], list[int]] = {}
    for name, n_bytes, number in session.execute(found.order_by(Submission.id)):
        numbers.setdefault((name, n_bytes), []).append(number)
    return [
        FreedFile(sha256=name, n_bytes=n_bytes, submission_ids=tuple(each))
        for (name, n_bytes), each in numbers.items()
    ]


def free_refused(
    database: Database, storage: Storage, now: datetime, *, before: datetime, actor_id: int | None = None
) -> list[FreedFile]:
    """Delete what `find_freeable` finds, a transaction for each file, and write it into rows and log; return it.

    No upload begins meanwhile, so none relies on a file that goes. Who is killed in between leaves a row that says
    that its file is kept; the next time makes that good.

    Raises:
        StorageError: A file cannot be deleted; those before it are freed.
    """
    with database.reading() as session:
        due = find_freeable(session, before)
    freed = []
    for each in due:
        with database.writing() as session:
            take_turn(session, STORAGE_LOCK)
            for found in find_freeable(session, before, each.sha256):
                for number in found.submission_ids:
                    row = session.get_one(Submission, number)
                    row.freed_at = now
                    record_event(session, now, "free file", row, actor_id=actor_id, n_bytes=found.n_bytes)
                session.flush()
                delete_file(storage, found.sha256)
                freed.append(found)
    return freed
