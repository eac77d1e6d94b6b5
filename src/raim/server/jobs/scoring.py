"""Scoring: a group of submissions in one pass over their references, batch by batch, in child processes.

A candidate over which a process dies takes nobody with it: the photograph is tried again with each candidate alone,
and the one over which it dies again is bad input. It fails with its reason; the others go on.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.scoring.cache import ValueCache
from raim.server.database import Challenge, DataSet, Submission
from raim.server.jobs.archive_work import ScoredTask, ScoreTask, score_task
from raim.server.jobs.context import WorkerContext, end_lease, has_lease, take_lease
from raim.server.jobs.faults import Throttle, describe_fault, fail_submission, with_patience
from raim.server.jobs.process_pool import TaskOutcome
from raim.server.jobs.versions import known_versions
from raim.server.jobs.waiting import next_group, read_waiting
from raim.server.jobs.work_folder import bring_data_set, bring_submission, read_set_files
from raim.server.submissions.states import lock_submission

BATCH_S = 10.0  # a batch is a step of a job: what a killed worker has to do again
MOST_IN_BATCH = 256
PROGRESS_EVERY_S = 0.5
PACE_KEPT = 0.5  # share of the old pace in the new one
FAULT = "the scoring of images has a fault"

# By image and submission, in JSON form.
Records = dict[str, dict[int, dict[str, Any]]]


class LeasedEntry(BaseModel, frozen=True):
    """A submission in a group: which, and the number of the lease that is taken for it."""

    id: int
    attempt: int


class ScoringGroup(BaseModel, frozen=True):
    """What is scored together, under which versions; `batches` are names of images, a list for each step of the job."""

    data_set_id: int
    scorer_version: str
    reference_version: str
    entries: tuple[LeasedEntry, ...]
    batches: tuple[tuple[str, ...], ...]

    @property
    def versions(self) -> dict[str, str]:
        """Both versions, as rows of results have them."""
        return {"scorer_version": self.scorer_version, "reference_version": self.reference_version}

    @property
    def profile(self) -> str:
        """Name of the profile."""
        return known_versions()[self.scorer_version]

    @property
    def n_images(self) -> int:
        """Images of the data set."""
        return sum(len(batch) for batch in self.batches)


class BatchResult(BaseModel, frozen=True):
    """What a batch gave, and who is not scored any more: withdrawn, failed, or another worker's."""

    records: Records
    lost: tuple[int, ...]


@dataclass(slots=True)
class _Batch:
    """A batch under way.

    Attributes:
        entries: Those that are still scored, by submission.
        bad_input: Why others are not, with what organisers read.
        n_measured: Of the records, those that were not known already: only they tell the pace.
    """

    group: ScoringGroup
    names: tuple[str, ...]
    done_before: int
    entries: dict[int, LeasedEntry]
    bad_input: dict[int, tuple[str, str]] = field(default_factory=dict)
    records: Records = field(default_factory=dict)
    n_measured: int = 0


def choose_group(
    context: WorkerContext, submission_id: int, attempt: int, scorer_version: str
) -> ScoringGroup | None:
    """Choose what is scored next, as long as the submission of a job waits for just that job; nothing is changed.

    The group is the next in the fair order, which need not be that submission's: then its turn comes later.
    """
    with context.database.reading() as session:
        every = read_waiting(session, context.challenges)
        waiting = [each for each in every if each.scorer_version in known_versions()]
        asking = {each.submission_id: each for each in waiting}.get(submission_id)
        if asking is None or asking.attempt != attempt or asking.scorer_version != scorer_version:
            return None
        chosen = next_group(waiting)
        files = read_set_files(session, chosen[0].data_set_id)
    names, size = tuple(files.scenarios), _batch_size(context, len(chosen))
    return ScoringGroup(
        data_set_id=chosen[0].data_set_id,
        scorer_version=chosen[0].scorer_version,
        reference_version=files.version,
        entries=tuple(LeasedEntry(id=each.submission_id, attempt=each.attempt + 1) for each in chosen),
        batches=tuple(names[start : start + size] for start in range(0, len(names), size)),
    )


def _batch_size(context: WorkerContext, n_entries: int) -> int:
    """Return how many photographs make a batch; all processes have work in it."""
    if context.seconds_per_image is None:
        return 2 * context.processes
    images = BATCH_S / max(context.seconds_per_image, 1e-3)
    return min(MOST_IN_BATCH, max(context.processes, math.ceil(images / n_entries)))


def score_batch(
    context: WorkerContext, group: ScoringGroup, number: int, lost: tuple[int, ...] = ()
) -> BatchResult:
    """Score one batch of a group but for who was lost, under leases that are taken if they are free."""
    asked = [entry for entry in group.entries if entry.id not in lost]
    ids = [entry.id for entry in asked]
    which = ("submission " if len(ids) == 1 else "submissions ") + ", ".join(map(str, ids))
    text = f"scoring {which}, batch {number + 1} of {len(group.batches)}"
    with context.busy("score", text, ids):
        batch = with_patience(context, lambda: _begin(context, group, number, asked))
        try:
            with_patience(context, lambda: _score(context, batch))
        except Exception as error:  # noqa: BLE001 - whatever it is, teams get the reason and their tries back
            batch.bad_input |= dict.fromkeys(batch.entries, describe_fault(error))
            batch.entries.clear()
        with_patience(context, lambda: _fail_bad_input(context, batch))
    kept = {
        name: {key: record for key, record in by_id.items() if key in batch.entries}
        for name, by_id in batch.records.items()
    }
    return BatchResult(records=kept, lost=tuple(key for key in ids if key not in batch.entries))


def _begin(context: WorkerContext, group: ScoringGroup, number: int, asked: list[LeasedEntry]) -> _Batch:
    done_before = sum(len(names) for names in group.batches[:number])
    held: dict[int, LeasedEntry] = {}
    with context.database.writing() as session:
        is_newest = _is_newest(session, group)
        for entry in asked:
            if not is_newest:
                row = lock_submission(session, entry.id)
                if row.lease_owner == context.name:  # so that it is done again at once
                    end_lease(session, context.clock(), row)
            elif (taken := take_lease(session, context, entry.id, entry.attempt)) is not None:
                taken.images_done, taken.images_total = done_before, group.n_images
                held[entry.id] = entry
    return _Batch(group=group, names=group.batches[number], done_before=done_before, entries=held)


def _is_newest(session: Session, group: ScoringGroup) -> bool:
    """Return whether references and scorer version are still the newest, which the group was chosen for."""
    newest = session.execute(
        select(Challenge.scorer_version, DataSet.version.label("reference_version"))
        .join(DataSet, Challenge.id == DataSet.challenge_id)
        .where(DataSet.id == group.data_set_id)
    )
    return newest.one()._asdict() == group.versions


def _score(context: WorkerContext, batch: _Batch) -> None:
    if not batch.entries:
        return
    with context.database.reading() as session:
        files = read_set_files(session, batch.group.data_set_id)
        hashes = {key: session.get_one(Submission, key).committed_sha256 for key in batch.entries}
    folder = bring_data_set(context, files)
    begun, n_measured = time.monotonic(), batch.n_measured
    archives = {key: bring_submission(context, sha256) for key, sha256 in hashes.items()}
    _run(context, batch, _make_tasks(context, batch, files.scenarios, folder / "reference", archives))
    _keep_pace(context, time.monotonic() - begun, batch.n_measured - n_measured)


def _make_tasks(
    context: WorkerContext,
    batch: _Batch,
    scenarios: dict[str, str | None],
    reference: Path,
    archives: dict[int, Path],
) -> Iterator[ScoreTask]:
    """Make tasks one by one: a submission that is lost meanwhile is in none of the later ones."""
    for name in batch.names:
        there = batch.records.get(name, {})
        left = {key: path for key, path in archives.items() if key in batch.entries and key not in there}
        if left:
            yield ScoreTask(
                name=name,
                scenario=scenarios.get(name),
                reference=reference,
                archives=left,
                profile=batch.group.profile,
                cache=context.cache,
            )


def _run(context: WorkerContext, batch: _Batch, tasks: Iterator[ScoreTask]) -> None:
    throttle = Throttle(PROGRESS_EVERY_S)
    wall_s = context.limits.score.wall_s * len(batch.entries)
    broken = []
    with ValueCache(context.cache) as cache:
        for task, outcome in context.pool.run(score_task, tasks, wall_s=wall_s):
            if outcome.is_fine:
                _keep(cache, batch, task, outcome.value)
            else:
                broken.append(task)
            if throttle.is_open():
                _show_progress(context, batch)
        for task in broken:
            _try_each_alone(context, batch, task, cache)
    _show_progress(context, batch)


def _try_each_alone(context: WorkerContext, batch: _Batch, task: ScoreTask, cache: ValueCache) -> None:
    for key, path in task.archives.items():
        if key not in batch.entries:
            continue
        alone = replace(task, archives={key: path})
        ((_, outcome),) = context.pool.run(score_task, [alone])
        if outcome.is_fine:
            _keep(cache, batch, alone, outcome.value)
        else:
            batch.bad_input[key] = _tell(task.name, outcome)
            del batch.entries[key]


def _tell(name: str, outcome: TaskOutcome) -> tuple[str, str]:
    if outcome.died is not None:
        reason = f"image {name} could not be scored, twice in a row: {outcome.died}"
        return reason, reason
    return f"image {name}: {FAULT}", outcome.fault or FAULT


def _keep(cache: ValueCache, batch: _Batch, task: ScoreTask, scored: ScoredTask) -> None:
    cache.put(scored.new_values)
    batch.records.setdefault(task.name, {}).update(scored.records)
    if scored.new_values:
        batch.n_measured += len(scored.records)


def _show_progress(context: WorkerContext, batch: _Batch) -> None:
    """Show how far it is, and find what was withdrawn or taken over."""
    with context.database.writing() as session:
        for key, entry in list(batch.entries.items()):
            row = lock_submission(session, key)
            if not has_lease(row, context, entry.attempt):
                del batch.entries[key]
                continue
            done = sum(1 for by_id in batch.records.values() if key in by_id)
            row.images_done = min(batch.done_before + done, row.images_total)


def _fail_bad_input(context: WorkerContext, batch: _Batch) -> None:
    for entry in batch.group.entries:
        if entry.id in batch.bad_input:
            fail_submission(context, entry.id, entry.attempt, "scored", batch.bad_input[entry.id])


def _keep_pace(context: WorkerContext, seconds: float, n_measured: int) -> None:
    if not n_measured:
        return
    new = seconds / n_measured
    old = context.seconds_per_image
    context.seconds_per_image = new if old is None else PACE_KEPT * old + (1 - PACE_KEPT) * new
