"""The jobs as durable workflows: what a step has given is kept, so a killed worker's job goes on after its last step.

A workflow carries only ids; each step looks at the submission's row first. Steps give plain values, kept as JSON.
The engine is DBOS, on the server's own database (on SQLite in a file beside it): no server, no network of its own.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID
from pydantic_core import to_jsonable_python
from sqlalchemy import make_url

from raim.errors import RaimError
from raim.server.database.engine import connection_options
from raim.server.jobs.challenge_check import run_challenge_check
from raim.server.jobs.checking import run_check
from raim.server.jobs.context import WorkerContext, live_workers, spread
from raim.server.jobs.finishing import finish_group
from raim.server.jobs.scoring import BatchResult, Records, ScoringGroup, choose_group, score_batch
from raim.server.jobs.tiling import run_tiling
from raim.server.jobs.versions import known_versions

# Ours and not derived from the code, as DBOS would do: after an upgrade, what waits is still processed.
APPLICATION_VERSION = "raim-jobs-1"
ERROR = "raim error"
SCOPE = " for "
ENDED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
POLL_S = 0.5
STOPPING_S = 10  # for workflows whose last step is done to be recorded as such
MOST_FORGOTTEN = 1000  # at once
FRUITLESS = 3  # groups that all of a sudden others had, before a job leaves the rest to the reconciling tick


class JsonSerializer(Serializer):
    """Keeps ids and results as JSON, and errors as their text: nothing that is kept can run code when it is read."""

    def serialize(self, data: Any) -> str:
        """Write."""
        if isinstance(data, BaseException):
            return json.dumps({ERROR: f"{type(data).__name__}: {data}"})
        return json.dumps(to_jsonable_python(data))

    def deserialize(self, serialized_data: str) -> Any:
        """Read."""
        data = json.loads(serialized_data)
        return RaimError(data[ERROR]) if isinstance(data, dict) and ERROR in data else data

    def name(self) -> str:
        """Name the form in the database."""
        return "raim_json"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuedJob:
    """A job that is due; its id is made from the row that it is for, so it is made once.

    `submission_id`: the submission; of tiles a study's image, of a challenge its upload.

    `attempt`: how many leases or jobs there were for it. Versions are those under which to score. `scope`: of the
    workers that may do it (`name_scope`).
    """

    kind: Literal["check", "score", "tiles", "challenge"]
    submission_id: int
    attempt: int
    scorer_version: str = ""
    reference_version: str = ""
    scope: str = ""

    @property
    def id(self) -> str:
        """The job's id.

        Example:
            >>> QueuedJob(kind="check", submission_id=7, attempt=0).id
            'check-7-0'
        """
        versions = f"-{self.scorer_version}-{self.reference_version}" if self.kind == "score" else ""
        return f"{self.kind}-{self.submission_id}{versions}-{self.attempt}{self.scope}"


@dataclass(slots=True)
class JobEngine:
    """The launched engine of one worker process, with its workflows by kind of job and its scope."""

    workflows: Mapping[str, Callable[..., Any]]
    scope: str = ""

    def enqueue(self, job: QueuedJob) -> None:
        """Enqueue a job; one that is there already, waiting or done, stays as it is."""
        is_score = job.kind == "score"
        queue = (score_queue(job.scorer_version) if is_score else job.kind) + job.scope
        versions = [job.scorer_version] if is_score else []
        with SetWorkflowID(job.id):
            DBOS.enqueue_workflow(queue, self.workflows[job.kind], job.submission_id, job.attempt, *versions)

    def find_ended(self, ids: Iterable[str]) -> set[str]:
        """Return those of some jobs that have ended."""
        wanted = sorted(ids)
        if not wanted:
            return set()
        found = DBOS.list_workflows(workflow_ids=wanted, load_input=False, load_output=False)
        return {each.workflow_id for each in found if each.status in ENDED}

    def find_left(self, workers: Iterable[str]) -> list[tuple[str, str]]:
        """Return the jobs that workers have left in their middle and that this one may take over, each with its queue.

        A worker for some challenges takes over from those for the same: a job of another one may have a group of a
        challenge that it does not serve. What is left so comes back when its lease is over.
        """
        names = sorted(workers)
        if not names:
            return []
        left = DBOS.list_workflows(executor_id=names, status="PENDING", load_output=False, load_input=False)
        found = [(each.workflow_id, each.queue_name or "") for each in left]
        return [(job_id, queue) for job_id, queue in found if not self.scope or queue.endswith(self.scope)]

    def resume(self, workers: Iterable[str]) -> None:
        """Let the jobs that workers have left in their middle go on elsewhere."""
        for job_id, queue in self.find_left(workers):
            DBOS.resume_workflow(job_id, queue_name=queue.partition(SCOPE)[0] + self.scope)

    def forget(self, before: datetime) -> int:
        """Delete the records of jobs that ended before a time; give how many."""
        old = DBOS.list_workflows(
            status=sorted(ENDED),
            completed_before=before.isoformat(),
            load_input=False,
            load_output=False,
            limit=MOST_FORGOTTEN,
        )
        if old:
            DBOS.delete_workflows([each.workflow_id for each in old])
        return len(old)

    def stop(self) -> None:
        """End the engine; what runs stays as it is, to be resumed."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=STOPPING_S)


def name_scope(challenges: Collection[str]) -> str:
    """Return what jobs and queues of workers for some challenges have at the end of their names; "" for all.

    Example:
        >>> name_scope(["night", "moire"])
        ' for moire,night'
    """
    return SCOPE + ",".join(sorted(challenges)) if challenges else ""


def score_queue(scorer_version: str) -> str:
    """Name the queue of a scorer version: only workers that know the version listen to it."""
    return f"score {scorer_version}"


def launch(context: WorkerContext, database_url: str) -> JobEngine:
    """Start the engine in this process, once; jobs that this worker had left in their middle go on."""
    logging.getLogger("dbos").setLevel(logging.ERROR)
    DBOS(config=_configure(context, database_url))
    engine = _define(context)
    kinds = ("check", "tiles", "challenge", *map(score_queue, known_versions()))
    queues = [name + engine.scope for name in kinds]
    DBOS.listen_queues(queues)
    DBOS.launch()
    with context.database.reading() as session:
        every_s = POLL_S * spread(len(live_workers(session, context.clock(), context.silence)))
    for name in queues:  # the last worker to start says it for all
        DBOS.register_queue(
            name, worker_concurrency=1, polling_interval_sec=every_s, on_conflict="always_update"
        )
    return engine


def engine_url(database_url: str) -> str:
    """Return where the engine keeps its tables: the server's PostgreSQL database, or a file beside its SQLite file.

    They are not in the same SQLite file, since the engine's many small writes would hold up the pages'.

    Example:
        >>> engine_url("sqlite:////srv/raim/raim.db")
        'sqlite:////srv/raim/jobs.db'
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{Path(url.database or '').absolute().with_name('jobs.db')}"
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _configure(context: WorkerContext, database_url: str) -> DBOSConfig:
    return {
        "name": "raim",
        "system_database_url": engine_url(database_url),
        "application_version": APPLICATION_VERSION,
        "executor_id": context.name,
        "enable_otlp": False,
        "log_level": "ERROR",
        "serializer": JsonSerializer(),
        "sys_db_pool_size": 5,
        "db_engine_kwargs": {"connect_args": connection_options(database_url)},
    }


def _define(context: WorkerContext) -> JobEngine:
    """Make the workflows of this worker. They hold no state but what their steps gave."""

    @DBOS.step(name="check")
    def check_step(submission_id: int, attempt: int) -> str:
        return run_check(context, submission_id, attempt)

    @DBOS.step(name="tiles")
    def tiles_step(study_image_id: int) -> str:
        return run_tiling(context, study_image_id)

    @DBOS.workflow(name="check")
    def check(submission_id: int, attempt: int) -> str:
        return check_step(submission_id, attempt + 1)

    @DBOS.workflow(name="tiles")
    def tiles(study_image_id: int, _attempt: int) -> str:
        return tiles_step(study_image_id)

    @DBOS.step(name="challenge")
    def challenge_step(upload_id: int) -> str:
        return run_challenge_check(context, upload_id)

    @DBOS.workflow(name="challenge")
    def challenge(upload_id: int, _attempt: int) -> str:
        return challenge_step(upload_id)

    workflows: dict[str, Callable[..., Any]] = {
        "check": check,
        "score": _define_score(context),
        "tiles": tiles,
        "challenge": challenge,
    }
    return JobEngine(workflows, name_scope(context.challenges))


def _define_score(context: WorkerContext) -> Callable[..., int]:
    @DBOS.step(name="choose")
    def choose_step(submission_id: int, attempt: int, scorer_version: str) -> Any:
        return choose_group(context, submission_id, attempt, scorer_version)

    @DBOS.step(name="batch")
    def batch_step(group: ScoringGroup, number: int, lost: tuple[int, ...]) -> Any:
        return score_batch(context, group, number, lost)

    @DBOS.step(name="finish")
    def finish_step(group: ScoringGroup, records: Records) -> list[int]:
        return finish_group(context, group, records)

    @DBOS.workflow(name="score")
    def score(submission_id: int, attempt: int, scorer_version: str) -> int:
        fruitless = 0
        with context.turn:
            while fruitless < FRUITLESS:
                group = choose_step(submission_id, attempt, scorer_version)
                if group is None:
                    break
                scored = score_group(ScoringGroup.model_validate(group), batch_step, finish_step)
                fruitless = 0 if scored else fruitless + 1
        return fruitless

    return score


def score_group(
    group: ScoringGroup,
    batch: Callable[[ScoringGroup, int, tuple[int, ...]], Any],
    finish: Callable[[ScoringGroup, Records], list[int]],
) -> list[int]:
    """Score a group batch by batch, each a step that knows which submissions are lost; give which were finished.

    A step that was done before gives what it gave then, in its JSON form.
    """
    records: Records = {}
    lost: tuple[int, ...] = ()
    for number in range(len(group.batches)):
        result = BatchResult.model_validate(batch(group, number, lost))
        lost = tuple(sorted({*lost, *result.lost}))
        records |= result.records
        if len(lost) == len(group.entries):
            return []
    return finish(group, records)
