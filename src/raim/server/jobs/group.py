"""A group of submissions that are scored in one pass over their references, as a job records it."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.database import Challenge, DataSet
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.versions import known_versions
from raim.server.jobs.waiting import next_group, read_waiting
from raim.server.jobs.work_folder import SetFiles, read_set_files

BATCH_S = 10.0  # a batch is a step of a job: what a killed worker has to do again
MOST_IN_BATCH = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A submission in a group: which, and the number of the lease that is taken for it."""

    id: int
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """What is scored together.

    Attributes:
        data_set_id: What all of them restore.
        scorer_version: Under which they are scored.
        reference_version: Of the data set.
        entries: The submissions.
        batches: Names of the images, one list for each step.
    """

    data_set_id: int
    scorer_version: str
    reference_version: str
    entries: tuple[Entry, ...]
    batches: tuple[tuple[str, ...], ...]

    @property
    def profile(self) -> str:
        """Name of the profile."""
        return known_versions()[self.scorer_version]

    @property
    def n_images(self) -> int:
        """Images of the data set."""
        return sum(len(batch) for batch in self.batches)

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Group":
        """Read the JSON form."""
        return cls(
            data_set_id=plain["data_set_id"],
            scorer_version=plain["scorer_version"],
            reference_version=plain["reference_version"],
            entries=tuple(Entry(**each) for each in plain["entries"]),
            batches=tuple(tuple(names) for names in plain["batches"]),
        )


def is_newest(session: Session, group: Group) -> bool:
    """Say whether references and scorer version are still the newest, which the group was chosen for."""
    versions = session.execute(
        select(DataSet.version, Challenge.scorer_version)
        .join(Challenge, Challenge.id == DataSet.challenge_id)
        .where(DataSet.id == group.data_set_id)
    ).one()
    return tuple(versions) == (group.reference_version, group.scorer_version)


def choose_group(
    context: WorkerContext, submission_id: int, attempt: int, scorer_version: str
) -> Group | None:
    """Choose what is scored next, as long as one submission waits; nothing is changed.

    The group is the next in the fair order, which need not be that submission's: then its turn comes later.

    Args:
        context: Who will score.
        submission_id: Whose job asks.
        attempt: How many leases that submission had when its job was made.
        scorer_version: Under which the job was made to score.

    Returns:
        The group; None if that submission does not wait any more, or waits for another job.
    """
    with context.database.reading() as session:
        waiting = [each for each in read_waiting(session) if each.scorer_version in known_versions()]
        asking = {each.submission_id: each for each in waiting}.get(submission_id)
        if asking is None or asking.attempt != attempt or asking.scorer_version != scorer_version:
            return None
        chosen = next_group(waiting)
        files = read_set_files(session, chosen[0].data_set_id)
    entries = tuple(Entry(id=each.submission_id, attempt=each.attempt + 1) for each in chosen)
    return Group(
        data_set_id=chosen[0].data_set_id,
        scorer_version=chosen[0].scorer_version,
        reference_version=files.version,
        entries=entries,
        batches=_cut(files, _batch_size(context, len(entries))),
    )


def _cut(files: SetFiles, size: int) -> tuple[tuple[str, ...], ...]:
    names = list(files.scenarios)
    return tuple(tuple(names[start : start + size]) for start in range(0, len(names), size))


def _batch_size(context: WorkerContext, n_entries: int) -> int:
    """Give how many photographs make a batch; all processes have work in it."""
    if context.seconds_per_image is None:
        return 2 * context.processes
    images = BATCH_S / max(context.seconds_per_image, 1e-3)
    return min(MOST_IN_BATCH, max(context.processes, math.ceil(images / n_entries)))
