"""Uploads of submissions: begun with a promise, sent into the storage, then kept, and the check begins."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import counts_as_in_time
from raim.errors import StateError, UnknownNameError
from raim.records.submissions import NewSubmission
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import ChallengeUpload, Database, Member, Submission, Upload
from raim.server.gathering import (
    UPLOAD_SILENCE,
    clean_file_name,
    drop_gathered,
    keep_gathered,
    list_gathered,
    make_key,
)
from raim.server.storage import Storage, put_file
from raim.server.submissions.states import change_state, lock_submission
from raim.server.submissions.tries import find_wanted_phase, lock_team, take_try


def begin_upload(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    member: Member,
    wanted: NewSubmission,
) -> Upload:
    """Begin a submission, or go on with the one that the team has begun with the same file.

    Raises:
        As `take_try`.
    """
    lock_team(session, member.team_id)  # before the look: of two that begin the same file at once one goes on
    begun = session.scalar(
        select(Upload)
        .join(Submission, Submission.id == Upload.submission_id)
        .where(
            Submission.team_id == member.team_id,
            Submission.phase_id == challenge.phase_ids[find_wanted_phase(challenge, now, wanted).id],
            Submission.kind == wanted.kind,
            Submission.where("is_arriving"),
            Submission.committed_sha256 == wanted.sha256,
            Submission.committed_bytes == wanted.n_bytes,
        )
    )
    if begun is not None:
        return begun
    submission = take_try(session, now, challenge, member, wanted)
    upload = Upload(
        submission_id=submission.id,
        key=make_key(),
        file_name=clean_file_name(wanted.file_name),
        updated_at=now,
    )
    session.add(upload)
    session.flush()
    return upload


def find_upload(session: Session, key: str) -> tuple[Upload, Submission]:
    """Return an upload that can go on.

    Raises:
        UnknownNameError: There is none, or it has ended.
    """
    found = session.execute(
        select(Upload, Submission)
        .join(Submission, Submission.id == Upload.submission_id)
        .where(Upload.key == key)
    ).one_or_none()
    if found is None or found[0].aborted_at is not None:
        raise UnknownNameError(
            "there is no such upload; it may have been given up: begin the submission again"
        )
    return found[0], found[1]


def finish_upload(
    database: Database,
    storage: Storage,
    now: datetime,
    *,
    challenge: CurrentChallenge,
    key: str,
) -> Submission:
    """Bring a whole file, whose last byte had come at `now`, into the storage and let its check begin.

    Raises:
        ContentMismatchError: Its SHA-256 is not the promised one; what was sent is dropped, the upload begins again.
        StateError: It ended after the deadline and its grace.
        StorageError: It cannot be kept now; nothing is lost, the same request can be made again.
    """
    with database.reading() as session:
        _, submission = find_upload(session, key)
        if not submission.facts.is_arriving:
            return submission
        submission_id = submission.id
        n_bytes, sha256 = submission.committed_bytes, submission.committed_sha256
        phase = challenge.phase_of_row(submission.phase_id)
        started_at = submission.received_at
    grace = challenge.definition.uploads.grace_seconds
    if not counts_as_in_time(started_at, now, phase, grace=grace):
        with database.writing() as session:
            late = (
                f"the upload ended at {now:%Y-%m-%d %H:%M} UTC, after the deadline and its grace of {grace} s"
            )
            change_state(session, now, submission_id, "abandoned", error=late)
            _end(session, now, submission_id, is_whole=False)
        drop_gathered(storage, key)
        raise StateError(f"{late}; it takes no try")
    keep_gathered(storage, key, n_bytes=n_bytes, sha256=sha256)
    return _begin_check(database, now, submission_id)


def keep_file(
    database: Database, storage: Storage, now: datetime, *, key: str, chunks: Iterable[bytes]
) -> Submission:
    """Bring a file that the server has whole already into the storage and let its check begin.

    Raises:
        As `put_file`.
    """
    with database.reading() as session:
        _, submission = find_upload(session, key)
        if not submission.facts.is_arriving:
            return submission
    put_file(storage, chunks, n_bytes=submission.committed_bytes, sha256=submission.committed_sha256)
    return _begin_check(database, now, submission.id)


def _begin_check(database: Database, now: datetime, submission_id: int) -> Submission:
    with database.writing() as session:
        submission = lock_submission(session, submission_id)
        if submission.facts.is_arriving:  # or another request was faster, or it was withdrawn
            change_state(session, now, submission_id, "checking")
            _end(session, now, submission_id, is_whole=True, received_bytes=submission.committed_bytes)
        session.flush()
        session.expunge(submission)
    return submission


def abandon_silent_uploads(session: Session, now: datetime, *, silence: timedelta = UPLOAD_SILENCE) -> int:
    """Give up uploads that have stood still; their tries are given back. Give how many there were.

    What has come of them is deleted apart (`drop_ended`).
    """
    silent = session.scalars(
        select(Upload)
        .join(Submission, Submission.id == Upload.submission_id)
        .where(Submission.where("is_arriving"), Upload.updated_at < now - silence)
    ).all()
    for upload in silent:
        reason = f"nothing came for {silence.total_seconds() / 3600:g} hours; it takes no try"
        change_state(session, now, upload.submission_id, "abandoned", error=reason)
        _end(session, now, upload.submission_id, is_whole=False)
    return len(silent)


def drop_ended(database: Database, storage: Storage) -> int:
    """Delete what has come of uploads that have ended, whoever ended them; give how many there were."""
    there = list_gathered(storage)  # looked at first: what comes later is not ended
    with database.reading() as session:
        coming = select(Upload.key).join(Submission, Submission.id == Upload.submission_id)
        under_way = {
            *session.scalars(coming.where(Submission.where("is_arriving"))),
            *session.scalars(select(ChallengeUpload.key).where(ChallengeUpload.state == "arriving")),
        }
    for key in there - under_way:
        drop_gathered(storage, key)
    return len(there - under_way)


def end_upload(session: Session, now: datetime, submission_id: int) -> None:
    """End the upload of a submission that was withdrawn while it was sent; what has come is deleted later."""
    upload = session.scalar(select(Upload).where(Upload.submission_id == submission_id))
    if upload is not None and upload.finished_at is None:
        _end(session, now, submission_id, is_whole=False)


def _end(
    session: Session, now: datetime, submission_id: int, *, is_whole: bool, received_bytes: int = 0
) -> None:
    upload = session.scalars(select(Upload).where(Upload.submission_id == submission_id)).one()
    upload.updated_at = now
    if is_whole:
        upload.finished_at, upload.received_bytes = now, received_bytes
    else:
        upload.aborted_at = now
