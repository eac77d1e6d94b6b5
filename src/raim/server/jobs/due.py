"""Which jobs are due, by the rows of submissions and studies.

A job's id is made from what it is for, so that it is made once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.database import StudyImage, Submission
from raim.server.jobs.context import is_due, put_back
from raim.server.jobs.faults import OURS
from raim.server.jobs.tiling import read_due_tiles
from raim.server.jobs.versions import known_versions
from raim.server.jobs.waiting import read_waiting
from raim.server.submissions import change_state
from raim.server.submissions.states import lock_submission

MOST_ATTEMPTS = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A job that is due.

    Attributes:
        kind: "check" or "score" of a submission, or "tiles" of a study's image.
        submission_id: For which row.
        attempt: How many leases it had, or jobs.
        scorer_version: Under which to score; "" for others.
        reference_version: Of the data set; "" for others.
    """

    kind: Literal["check", "score", "tiles"]
    submission_id: int
    attempt: int
    scorer_version: str = ""
    reference_version: str = ""

    @property
    def id(self) -> str:
        """The job's id.

        Example:
            >>> Job(kind="check", submission_id=7, attempt=0).id
            'check-7-0'
        """
        versions = f"-{self.scorer_version}-{self.reference_version}" if self.kind == "score" else ""
        return f"{self.kind}-{self.submission_id}{versions}-{self.attempt}"


def read_due(session: Session) -> list[Job]:
    """Give the jobs of all submissions that wait for a check, in order of arrival; tiles; scores, in fair order."""
    checks = session.execute(
        select(Submission.id, Submission.attempt)
        .where(Submission.where("is_in_check"), Submission.lease_owner.is_(None))
        .order_by(Submission.received_at, Submission.id)
    )
    jobs = [Job(kind="check", submission_id=number, attempt=attempt) for number, attempt in checks]
    jobs += [
        Job(kind="tiles", submission_id=row_id, attempt=attempt)
        for row_id, attempt in read_due_tiles(session)
    ]
    return jobs + [
        Job(
            kind="score",
            submission_id=each.submission_id,
            attempt=each.attempt,
            scorer_version=each.scorer_version,
            reference_version=each.reference_version,
        )
        for each in read_waiting(session)
        if each.scorer_version in known_versions()
    ]


def put_back_lost(session: Session, now: datetime, *, silence: timedelta) -> list[int]:
    """Let submissions be done again whose lease has been over for a while: no job goes on with them.

    A job that was resumed on another worker takes its leases over well before.
    """
    lost = find_lost(session, now, silence=silence)
    put_back(session, now, lost)
    return lost


def find_lost(session: Session, now: datetime, *, silence: timedelta) -> list[int]:
    """Find submissions whose lease has been over for a while."""
    lost = session.scalars(
        select(Submission.id)
        .where(Submission.lease_until < now - silence)
        .order_by(Submission.received_at, Submission.id)
    )
    return list(lost)


def begin_anew(session: Session, now: datetime, jobs: Iterable[Job]) -> None:
    """Let jobs that have ended be made again, under another id, since their submissions still wait.

    A submission that comes back again and again fails in the end, its try given back.
    """
    for job in jobs:
        if job.kind == "tiles":
            _begin_tiles_anew(session, job)
            continue
        row = lock_submission(session, job.submission_id)
        if row.attempt != job.attempt or row.lease_owner is not None or not is_due(row):
            continue
        row.attempt += 1
        if row.attempt > MOST_ATTEMPTS and not row.facts.has_score:
            what = "checked" if job.kind == "check" else "scored"
            reason = f"it was begun {MOST_ATTEMPTS} times and never came to an end"
            change_state(session, now, row.id, "failed", error=OURS.format(what=what, reason=reason))


def _begin_tiles_anew(session: Session, job: Job) -> None:
    row = session.get_one(StudyImage, job.submission_id, with_for_update=True)
    if row.attempt != job.attempt or row.pack_sha256 is not None or row.error is not None:
        return
    row.attempt += 1
    if row.attempt > MOST_ATTEMPTS:
        row.error = f"its tiles were begun {MOST_ATTEMPTS} times and never came to an end"
