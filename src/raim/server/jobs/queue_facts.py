"""What pages say of the queue: a submission's place, when its score is expected, and how things stand."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from raim.records.desk import Queue, Worker
from raim.server.database import Submission
from raim.server.jobs.context import live_workers
from raim.server.jobs.waiting import list_groups, read_waiting


def queue_position(session: Session, submission_id: int) -> int | None:
    """Give a submission's place in the queue, from 1; None if it does not wait to be scored."""
    for place, each in enumerate(read_waiting(session), start=1):
        if each.submission_id == submission_id:
            return place
    return None


def expected_at(session: Session, now: datetime, submission_id: int) -> datetime | None:
    """Estimate when a submission's score is there.

    Counted are the images under way, those of every group before its own, and its own group's, whose members
    are done together; all at the pace that the live workers measured.

    Args:
        session: Any session.
        now: The time.
        submission_id: Which.

    Returns:
        The time; None if it does not wait, or if no worker lives, or none has measured its pace yet.
    """
    row = session.get(Submission, submission_id)
    pace = _images_per_second(session, now)
    if row is None or pace is None:
        return None
    if row.lease_owner is not None and (row.facts.is_in_scoring or row.facts.has_score):
        together = _images_under_way(session, owner=row.lease_owner)
        own = _images_per_second(session, now, name=row.lease_owner)
        return now + timedelta(seconds=together / (own or pace))
    ahead = _images_under_way(session)
    for group in list_groups(read_waiting(session)):
        ahead += sum(each.n_images for each in group)
        if any(each.submission_id == submission_id for each in group):
            return now + timedelta(seconds=ahead / pace)
    return None


def queue_overview(session: Session, now: datetime) -> Queue:
    """Say how the queue stands."""
    counts = session.execute(select(Submission.state, func.count()).group_by(Submission.state))
    states = {state: count for state, count in counts}  # noqa: C416 - rows are no pairs to mypy
    waiting = read_waiting(session)
    images = _images_under_way(session) + sum(each.n_images for each in waiting)
    pace = _images_per_second(session, now)
    return Queue(
        states=states,
        workers=[Worker.model_validate(row, from_attributes=True) for row in live_workers(session, now)],
        n_waiting=len(waiting),
        images_waiting=images,
        done_at=None if pace is None else now + timedelta(seconds=images / pace),
    )


def _images_under_way(session: Session, *, owner: str | None = None) -> int:
    left = select(func.sum(Submission.images_total - Submission.images_done)).where(
        Submission.lease_owner.is_not(None) if owner is None else Submission.lease_owner == owner,
        or_(Submission.where("is_in_scoring"), Submission.rescore_asked_at.is_not(None)),
    )
    return int(session.scalar(left) or 0)


def _images_per_second(session: Session, now: datetime, *, name: str | None = None) -> float | None:
    """Add the paces of the live workers; one that has not measured its own is taken to be as fast as the others."""
    live = [row for row in live_workers(session, now) if name is None or row.name == name]
    paces = [1 / row.seconds_per_image for row in live if row.seconds_per_image]
    if not paces:
        return None
    return sum(paces) / len(paces) * len(live)
