"""Leases: a worker that works on a submission says so in its row, and goes on saying so.

A lease is known by the submission's attempt, which counts them. It may be taken over from a worker that has ended or
is silent, by the same job on another worker: the attempt stays, so what the job has recorded still holds.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from raim.server.database import Submission
from raim.server.jobs.heartbeats import gone_workers
from raim.server.jobs.station import Station
from raim.server.submissions import change_state
from raim.server.submissions.states import lock_submission


def take_lease(session: Session, now: datetime, station: Station, submission_id: int, attempt: int) -> bool:
    """Take or keep the lease of a submission that is to be checked or scored.

    Args:
        session: A writing session.
        now: The time.
        station: Who takes it.
        submission_id: Which.
        attempt: Number of the lease.

    Returns:
        Whether the worker has it; if not, the submission is another's to work on, or needs no work any more.
    """
    row = lock_submission(session, submission_id)
    is_new = row.attempt == attempt - 1 and row.lease_owner is None
    is_ours = row.attempt == attempt and _is_free(session, now, station, row)
    if not is_due(row) or not (is_new or is_ours):
        return False
    if row.facts.is_queued:
        row = change_state(session, now, submission_id, "scoring")
    row.attempt = attempt
    row.lease_owner, row.lease_until = station.name, now + station.silence
    return True


def is_due(row: Submission) -> bool:
    """Say whether a submission is to be checked or scored."""
    return row.facts.is_waiting or row.rescore_asked_at is not None


def has_lease(row: Submission, station: Station, attempt: int) -> bool:
    """Say whether a worker still has the lease that it took."""
    return is_due(row) and row.lease_owner == station.name and row.attempt == attempt


def renew_leases(session: Session, now: datetime, station: Station) -> None:
    """Keep the leases of everything that a worker works on."""
    if not station.holding:
        return
    session.execute(
        update(Submission)
        .where(Submission.id.in_(sorted(station.holding)), Submission.lease_owner == station.name)
        .values(lease_until=now + station.silence)
    )


def release(session: Session, now: datetime, station: Station, submission_ids: Iterable[int]) -> None:
    """Give up leases before they are over, so that the submissions are done again at once."""
    for submission_id in submission_ids:
        row = lock_submission(session, submission_id)
        if row.lease_owner == station.name:
            _free(session, now, row)


def put_back(session: Session, now: datetime, submission_ids: Iterable[int]) -> None:
    """Let submissions whose lease is over be done again."""
    for submission_id in submission_ids:
        row = lock_submission(session, submission_id)
        if row.lease_until is None or row.lease_until > now:
            continue
        _free(session, now, row)


def _free(session: Session, now: datetime, row: Submission) -> None:
    if row.facts.is_in_scoring:
        change_state(session, now, row.id, "queued")
    row.lease_owner = row.lease_until = None


def _is_free(session: Session, now: datetime, station: Station, row: Submission) -> bool:
    if row.lease_owner in {None, station.name} or row.lease_until is None or row.lease_until <= now:
        return True
    return row.lease_owner in gone_workers(session, now, silence=station.silence)
