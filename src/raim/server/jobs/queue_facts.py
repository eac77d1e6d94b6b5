"""What pages say of the queue: a submission's place, when its score is expected, and how things stand."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from raim.records.desk import Queue, Worker
from raim.records.submissions import QueuePlace
from raim.server.database import Submission
from raim.server.jobs.context import live_workers
from raim.server.jobs.waiting import Waiting, list_groups, read_waiting


def queue_places(session: Session, now: datetime, submission_ids: Sequence[int]) -> dict[int, QueuePlace]:
    """Say where submissions stand in the queue, with few questions however many there are.

    Counted are the images under way, those of every group before its own, and its own group's, whose members
    are done together; all at the pace that the live workers measured.

    Args:
        session: Any session.
        now: The time.
        submission_ids: Which.

    Returns:
        The place of each; without a time if it does not wait, or if no worker lives, or none has measured its pace yet.
    """
    waiting = read_waiting(session)
    positions = {each.submission_id: place for place, each in enumerate(waiting, start=1)}
    times = _expect(session, now, waiting, submission_ids)
    return {
        each: QueuePlace(position=positions.get(each), expected_at=times.get(each)) for each in submission_ids
    }


def _expect(
    session: Session, now: datetime, waiting: list[Waiting], submission_ids: Sequence[int]
) -> dict[int, datetime]:
    pace = _images_per_second(session, now)
    if pace is None:
        return {}
    times, ahead = {}, _images_under_way(session)
    for group in list_groups(waiting):
        ahead += sum(each.n_images for each in group)
        times.update({each.submission_id: now + timedelta(seconds=ahead / pace) for each in group})
    leased = select(Submission.id, Submission.lease_owner).where(
        Submission.id.in_(submission_ids),
        Submission.lease_owner.is_not(None),
        or_(Submission.where("is_in_scoring"), Submission.where("has_score")),
    )
    owners = {row.id: row.lease_owner for row in session.execute(leased)}
    for owner in set(owners.values()):
        own = _images_per_second(session, now, name=owner) or pace
        end = now + timedelta(seconds=_images_under_way(session, owner=owner) / own)
        times.update({each: end for each, name in owners.items() if name == owner})
    return times


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
