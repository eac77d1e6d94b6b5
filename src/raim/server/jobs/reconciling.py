"""The reconciling tick: it compares the rows of submissions and studies with the jobs, and makes good what is missing.

Whatever was lost (a job that was never made, since the web process died; a worker that was killed; the engine's
tables), the next ticks bring every submission on its way again.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.actions.challenge_upload import conclude_check
from raim.server.database import Challenge, ChallengeUpload, DataSet, StudyImage, Submission
from raim.server.database.engine import take_turn
from raim.server.jobs.challenge_check import read_due_challenges
from raim.server.jobs.context import (
    WorkerContext,
    end_lease,
    gone_workers,
    is_submission_due,
    live_workers,
    spread,
)
from raim.server.jobs.faults import OURS, Throttle
from raim.server.jobs.tiling import read_due_tiles
from raim.server.jobs.versions import known_versions
from raim.server.jobs.waiting import read_waiting
from raim.server.jobs.workflows import JobEngine, QueuedJob, name_scope
from raim.server.submissions.states import change_state, lock_submission

MOST_ATTEMPTS = 25
RESUMING_LOCK = 7_246_101  # of PostgreSQL; see raim.server.database.engine
LOOK_AGAIN_S = 5.0


def read_due(
    session: Session, challenges: Collection[str] = (), *, with_tiles: bool = True
) -> list[QueuedJob]:
    """Return the jobs of all that waits: checks in order of arrival, tiles, uploaded challenges, scores in fair order.

    Those of some challenges are jobs of their own, beside the same ones for workers that serve all: whichever
    comes first does it. `with_tiles`: also what has no lease, tiles and uploaded challenges.
    """
    own = [Challenge.slug.in_(sorted(challenges))] if challenges else []
    scope = name_scope(challenges)
    checks = session.execute(
        select(Submission.id, Submission.attempt)
        .join(DataSet, DataSet.id == Submission.data_set_id)
        .join(Challenge, Challenge.id == DataSet.challenge_id)
        .where(Submission.where("is_in_check"), Submission.lease_owner.is_(None), *own)
        .order_by(Submission.received_at, Submission.id)
    )
    tiles = read_due_tiles(session, *own) if with_tiles else []
    jobs = [
        QueuedJob(kind="check", submission_id=row, attempt=attempt, scope=scope) for row, attempt in checks
    ]
    jobs += [
        QueuedJob(kind="tiles", submission_id=row, attempt=attempt, scope=scope) for row, attempt in tiles
    ]
    uploads = read_due_challenges(session) if with_tiles else []
    jobs += [
        QueuedJob(kind="challenge", submission_id=row, attempt=attempt, scope=scope)
        for row, attempt in uploads
    ]
    return jobs + [
        QueuedJob(
            kind="score",
            submission_id=each.submission_id,
            attempt=each.attempt,
            scorer_version=each.scorer_version,
            reference_version=each.reference_version,
            scope=scope,
        )
        for each in read_waiting(session, challenges)
        if each.scorer_version in known_versions()
    ]


def find_lost(session: Session, before: datetime) -> list[int]:
    """Find submissions whose lease was over before a time: no job goes on with them.

    A job that was resumed on another worker takes its leases over well before.
    """
    lost = select(Submission.id).where(Submission.lease_until < before)
    return list(session.scalars(lost.order_by(Submission.received_at, Submission.id)))


def begin_again(session: Session, now: datetime, jobs: Iterable[QueuedJob]) -> None:
    """Let jobs that have ended be made again, under another id, since their submissions still wait.

    A submission that comes back again and again fails in the end, its try given back.
    """
    for job in jobs:
        if job.kind == "tiles":
            _begin_tiles_again(session, job)
            continue
        if job.kind == "challenge":
            _begin_challenge_again(session, now, job)
            continue
        row = lock_submission(session, job.submission_id)
        if row.attempt != job.attempt or row.lease_owner is not None or not is_submission_due(row):
            continue
        row.attempt += 1
        if row.attempt > MOST_ATTEMPTS and not row.facts.has_score:
            what = "checked" if job.kind == "check" else "scored"
            reason = f"it was begun {MOST_ATTEMPTS} times and never came to an end"
            change_state(session, now, row.id, "failed", error=OURS.format(what=what, reason=reason))


def _begin_tiles_again(session: Session, job: QueuedJob) -> None:
    row = session.get_one(StudyImage, job.submission_id, with_for_update=True)
    if row.attempt != job.attempt or row.pack_sha256 is not None or row.error is not None:
        return
    row.attempt += 1
    if row.attempt > MOST_ATTEMPTS:
        row.error = f"its tiles were begun {MOST_ATTEMPTS} times and never came to an end"


def _begin_challenge_again(session: Session, now: datetime, job: QueuedJob) -> None:
    row = session.get_one(ChallengeUpload, job.submission_id, with_for_update=True)
    if row.attempt != job.attempt or row.state != "inspecting":
        return
    row.attempt += 1
    if row.attempt > MOST_ATTEMPTS:
        reason = f"its check was begun {MOST_ATTEMPTS} times and never came to an end; send it again"
        conclude_check(session, now, row.id, [reason])


@dataclass(slots=True)
class Reconciler:
    """One worker's ticks.

    Attributes:
        made: Jobs that it has made or seen, which are due for as long as they wait.
        spread: How many times less often than a worker alone it should tick.
    """

    context: WorkerContext
    engine: JobEngine
    made: set[str] = field(default_factory=set)
    spread: float = 1.0
    _look_again: Throttle = field(default_factory=lambda: Throttle(LOOK_AGAIN_S))

    def tick(self) -> None:
        """Compare once."""
        now, silence = self.context.clock(), self.context.silence
        with self.context.database.reading() as session:
            own = self.context.challenges
            # Tiles have no lease: they are left to workers that serve all challenges, while one lives.
            live = live_workers(session, now, silence)
            is_helped = own and any(not each.challenges for each in live)
            due = {job.id: job for job in read_due(session, own, with_tiles=not is_helped)}
            gone = set(gone_workers(session, now, silence)) - {self.context.name}
        self.spread = spread(len(live))
        self.made &= due.keys()
        for key, job in due.items():
            if key not in self.made:
                self.engine.enqueue(job)
                self.made.add(key)
        if self._look_again.is_open():
            self._resume(gone)
            self._look_after(due)

    def _resume(self, gone: set[str]) -> None:
        """Take over from workers that are gone; one survivor at a time, or two would do the same work."""
        if not self.engine.find_left(gone):
            return
        with self.context.database.writing() as session:
            take_turn(session, RESUMING_LOCK)
            self.engine.resume(gone)

    def _look_after(self, due: dict[str, QueuedJob]) -> None:
        now = self.context.clock()
        before = now - self.context.silence
        ended = self.engine.find_ended(due)
        with self.context.database.reading() as session:
            if not ended and not find_lost(session, before):
                return
        with self.context.database.writing() as session:
            for submission_id in find_lost(session, before):
                row = lock_submission(session, submission_id)
                if row.lease_until is not None and row.lease_until < before:
                    end_lease(session, now, row)
            begin_again(session, now, [due[key] for key in sorted(ended)])
