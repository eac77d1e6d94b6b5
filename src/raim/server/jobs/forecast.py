"""What pages say of the queue: who works, how much waits, when which submission is expected to be scored.

It is made of the whole queue at once, so that a web process makes it once a second for all who ask (`ForecastCache`).
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, true
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from raim.records.desk import Queue, Worker
from raim.records.submissions import QueuePlace
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Database, Submission, WorkerHeartbeat
from raim.server.jobs.context import live_workers, serves
from raim.server.jobs.waiting import Waiting, list_groups, read_waiting

LOG = logging.getLogger(__name__)
WAITS_AFTER = 4  # so many times as old as it may be
NOWHERE = QueuePlace(position=None, expected_at=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """The state of the queue at a moment.

    Attributes:
        made_at: The moment.
        workers: That live, by name.
        places: Of submissions that wait or are worked on; there is no time for what does not wait to be scored, or
            while no worker lives that serves its challenge and has measured its pace.
        n_waiting: Submissions.
        n_images: Of those and of what is under way.
        done_at: When all is expected to be scored; None while nobody serves something that waits.
    """

    made_at: datetime
    workers: tuple[Worker, ...]
    places: Mapping[int, QueuePlace]
    n_waiting: int
    n_images: int
    done_at: datetime | None

    def place(self, submission_id: int) -> QueuePlace:
        """Return the place of a submission in the queue."""
        return self.places.get(submission_id, NOWHERE)


@dataclass(kw_only=True, slots=True)
class ForecastCache:
    """The forecast as it was last made, for a while.

    While people ask all the time nobody waits for it: a thread makes the next one, and they are given the last.
    """

    lasts: timedelta = timedelta(seconds=1)
    made: Forecast | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, session: Session, now: datetime, database: Database | None = None) -> Forecast:
        """Return a forecast that is young enough; a little too old, where a database is named to make the next."""
        found = self.made
        if found is not None:
            age = abs(now - found.made_at)
            if age < self.lasts or self.lock.locked():
                return found
            if database is not None and age < WAITS_AFTER * self.lasts:
                threading.Thread(
                    target=self._renew, args=(database, now), name="forecast", daemon=True
                ).start()
                return found
        with self.lock:
            if self.made is found or self.made is None:
                self.made = make_forecast(session, now)
            return self.made

    def _renew(self, database: Database, now: datetime) -> None:
        if not self.lock.acquire(blocking=False):
            return  # another makes it
        try:
            with database.reading() as session:
                self.made = make_forecast(session, now)
        except SQLAlchemyError:
            LOG.warning("the state of the queue could not be computed; it is tried again", exc_info=True)
        finally:
            self.lock.release()


def make_forecast(session: Session, now: datetime) -> Forecast:
    """Return the state of the queue, by few queries however much waits.

    Counted are the images under way, those of every group before its own, and its own group's, whose members
    are done together; all at the pace that the live workers of its challenge measured, and but for groups that none
    of them serves.
    """
    waiting, live, under_way = read_waiting(session), live_workers(session, now), _images_under_way(session)
    times = _expect(now, waiting, live, sum(under_way.values()))
    times |= _expect_leased(session, now, live, under_way)
    positions = {each.submission_id: place for place, each in enumerate(waiting, start=1)}
    n_images = sum(under_way.values()) + sum(each.n_images for each in waiting)
    is_served = all(any(serves(row.challenges, each.challenge) for row in live) for each in waiting)
    pace = _images_per_second(live) if is_served else None
    return Forecast(
        made_at=now,
        workers=tuple(Worker.of_row(row) for row in live),
        places={
            each: QueuePlace(position=positions.get(each), expected_at=times.get(each))
            for each in {**positions, **times}
        },
        n_waiting=len(waiting),
        n_images=n_images,
        done_at=None if pace is None else now + timedelta(seconds=n_images / pace),
    )


def read_queue(session: Session, forecast: Forecast, challenge: CurrentChallenge | None = None) -> Queue:
    """Return the queue's state, for one challenge (its states and workers; what waits is everybody's) or for all."""
    own = true() if challenge is None else Submission.phase_id.in_(challenge.phase_ids.values())
    counts = session.execute(select(Submission.state, func.count()).where(own).group_by(Submission.state))
    return Queue(
        states={state: count for state, count in counts},  # noqa: C416 - rows are no pairs to mypy
        workers=_known_to(challenge, forecast.workers),
        n_waiting=forecast.n_waiting,
        images_waiting=forecast.n_images,
        done_at=forecast.done_at,
    )


def _known_to(challenge: CurrentChallenge | None, workers: Sequence[Worker]) -> list[Worker]:
    """Return workers as organisers of a challenge may see them: without other challenges that they serve."""
    if challenge is None:
        return list(workers)
    own = challenge.definition.id
    return [
        each.model_copy(update={"challenges": [own]}) if each.challenges else each
        for each in workers
        if serves(each.challenges, own)
    ]


def _expect(
    now: datetime, waiting: Sequence[Waiting], live: Sequence[WorkerHeartbeat], n_under_way: int
) -> dict[int, datetime]:
    times = {}
    workers = {
        each.challenge: [row for row in live if serves(row.challenges, each.challenge)] for each in waiting
    }
    paces = {challenge: _images_per_second(rows) for challenge, rows in workers.items()}
    ahead = dict.fromkeys(workers, n_under_way)
    for group in list_groups(waiting):
        own = group[0].challenge
        for challenge, rows in workers.items():
            if any(serves(row.challenges, own) for row in rows):
                ahead[challenge] += sum(each.n_images for each in group)
        if pace := paces[own]:
            times.update({each.submission_id: now + timedelta(seconds=ahead[own] / pace) for each in group})
    return times


def _expect_leased(
    session: Session, now: datetime, live: Sequence[WorkerHeartbeat], under_way: Mapping[str | None, int]
) -> dict[int, datetime]:
    leased = select(Submission.id, Submission.lease_owner).where(
        Submission.lease_owner.is_not(None),
        or_(Submission.where("is_in_scoring"), Submission.where("has_score")),
    )
    times, common = {}, _images_per_second(live)
    for submission_id, owner in session.execute(leased):
        pace = _images_per_second([row for row in live if row.name == owner]) or common
        if pace:
            times[submission_id] = now + timedelta(seconds=under_way.get(owner, 0) / pace)
    return times


def _images_under_way(session: Session) -> Mapping[str | None, int]:
    """Count the images that each worker still has to score of what it has begun."""
    left = session.execute(
        select(Submission.lease_owner, func.sum(Submission.images_total - Submission.images_done))
        .where(
            Submission.lease_owner.is_not(None),
            or_(Submission.where("is_in_scoring"), Submission.rescore_asked_at.is_not(None)),
        )
        .group_by(Submission.lease_owner)
    )
    return {owner: int(count) for owner, count in left}


def _images_per_second(workers: Sequence[WorkerHeartbeat]) -> float | None:
    """Add the paces of workers; one that has not measured its own is taken to be as fast as the others."""
    paces = [1 / row.seconds_per_image for row in workers if row.seconds_per_image]
    if not paces:
        return None
    return sum(paces) / len(paces) * len(workers)
