"""One batch of a group: its photographs are scored in child processes, every candidate of a photograph together.

A candidate over which a process dies takes nobody with it: the photograph is tried again with each candidate alone,
and the one over which it dies again is bad input. It fails with its reason; the others go on.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from raim.scoring.cache import ValueCache
from raim.server.database import Submission
from raim.server.jobs.archive_work import ScoredTask, ScoreTask, score_task
from raim.server.jobs.context import WorkerContext, has_lease, release, take_lease
from raim.server.jobs.faults import (
    Throttle,
    describe_fault,
    describe_traceback,
    fail_submission,
    with_patience,
)
from raim.server.jobs.group import Entry, Group, is_newest
from raim.server.jobs.process_pool import Outcome
from raim.server.jobs.work_folder import bring_data_set, open_submission, read_set_files
from raim.server.submissions.states import lock_submission

PROGRESS_EVERY_S = 0.5
PACE_KEPT = 0.5  # share of the old pace in the new one
FAULT = "the scoring of images has a fault"

Records = dict[str, dict[int, dict[str, Any]]]


@dataclass(slots=True)
class _Batch:
    """A batch under way.

    Attributes:
        entries: Those that are still scored, by submission.
        bad_input: Why others are not, with what organisers read.
        records: By image and submission.
        n_measured: Of these, those that were not known already: only they tell the pace.
    """

    group: Group
    names: tuple[str, ...]
    done_before: int
    entries: dict[int, Entry]
    bad_input: dict[int, tuple[str, str]] = field(default_factory=dict)
    records: Records = field(default_factory=dict)
    n_measured: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchResult:
    """What a batch gave.

    Attributes:
        records: By image and submission, in JSON form.
        lost: Submissions that are not scored any more: withdrawn, failed, or another worker's.
    """

    records: Records
    lost: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form, whose keys are text."""
        return {
            "records": {
                name: {str(key): record for key, record in by_id.items()}
                for name, by_id in self.records.items()
            },
            "lost": list(self.lost),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "BatchResult":
        """Read the JSON form."""
        return cls(
            records={
                name: {int(key): record for key, record in by_id.items()}
                for name, by_id in plain["records"].items()
            },
            lost=tuple(plain["lost"]),
        )


def score_batch(context: WorkerContext, group: Group, number: int, lost: tuple[int, ...] = ()) -> BatchResult:
    """Score one batch of a group, under the leases of its submissions, which are taken if they are free.

    Args:
        context: Who does it.
        group: What is scored together.
        number: Of the batch, from 0.
        lost: Submissions that earlier batches have lost.

    Raises:
        WorkerStopped: The worker is to end.
    """
    asked = [entry for entry in group.entries if entry.id not in lost]
    ids = [entry.id for entry in asked]
    text = f"scoring {_name(ids)}, batch {number + 1} of {len(group.batches)}"
    with context.busy("score", text, ids):
        batch = with_patience(context, lambda: _begin(context, group, number, asked))
        try:
            with_patience(context, lambda: _score(context, batch))
        except Exception as error:  # noqa: BLE001 - whatever it is, the teams are told and have their tries back
            told = (describe_fault(error), describe_traceback(error))
            batch.bad_input |= dict.fromkeys(batch.entries, told)
            batch.entries.clear()
        with_patience(context, lambda: _fail_bad_input(context, group, batch))
    kept = {
        name: {key: record for key, record in by_id.items() if key in batch.entries}
        for name, by_id in batch.records.items()
    }
    return BatchResult(records=kept, lost=tuple(key for key in ids if key not in batch.entries))


def _name(ids: list[int]) -> str:
    return ("submission " if len(ids) == 1 else "submissions ") + ", ".join(map(str, ids))


def _begin(context: WorkerContext, group: Group, number: int, asked: list[Entry]) -> _Batch:
    done_before = sum(len(names) for names in group.batches[:number])
    held: dict[int, Entry] = {}
    with context.database.writing() as session:
        if not is_newest(session, group):
            release(session, context.clock(), context, [entry.id for entry in asked])
            asked = []
        for entry in asked:
            if take_lease(session, context.clock(), context, entry.id, entry.attempt):
                row = lock_submission(session, entry.id)
                row.images_done, row.images_total = done_before, group.n_images
                held[entry.id] = entry
    return _Batch(group=group, names=group.batches[number], done_before=done_before, entries=held)


def _score(context: WorkerContext, batch: _Batch) -> None:
    if not batch.entries:
        return
    with context.database.reading() as session:
        files = read_set_files(session, batch.group.data_set_id)
        hashes = {key: session.get_one(Submission, key).committed_sha256 for key in batch.entries}
    folder = bring_data_set(context, files)
    begun = time.monotonic()
    n_measured = batch.n_measured
    with ExitStack() as stack:
        archives = {
            key: stack.enter_context(open_submission(context, sha256)) for key, sha256 in hashes.items()
        }
        tasks = _make_tasks(context, batch, files.scenarios, folder / "reference", archives)
        _run(context, batch, tasks)
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


def _tell(name: str, outcome: Outcome) -> tuple[str, str]:
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


def _fail_bad_input(context: WorkerContext, group: Group, batch: _Batch) -> None:
    for entry in group.entries:
        if entry.id in batch.bad_input:
            reason, log = batch.bad_input[entry.id]
            fail_submission(context, entry.id, entry.attempt, what="scored", reason=reason, log=log)


def _keep_pace(context: WorkerContext, seconds: float, n_measured: int) -> None:
    if not n_measured:
        return
    new = seconds / n_measured
    old = context.seconds_per_image
    context.seconds_per_image = new if old is None else PACE_KEPT * old + (1 - PACE_KEPT) * new
