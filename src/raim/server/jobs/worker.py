"""The worker process: it keeps its heartbeat, ticks, and lets the engine run jobs, until it is asked to stop.

Stopping is no other case than dying: what is under way stays in the rows and in the engine's tables, and is resumed
by the next process of the same name, or by any other worker.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import delete, make_url, select
from sqlalchemy.exc import DBAPIError

from raim.errors import SettingsError, StateError, unknown_name
from raim.processes import THREAD_VARIABLES, count_cores
from raim.sandbox import describe, probe
from raim.server.actions import challenge_upload
from raim.server.actions.logins import forget_logins
from raim.server.actions.retention import forget_addresses
from raim.server.database import (
    Challenge,
    Database,
    DataSet,
    Image,
    RequestRate,
    WorkerHeartbeat,
    open_database,
)
from raim.server.database.clock import DatabaseClock
from raim.server.database.migration import check_schema
from raim.server.jobs.context import (
    EVERY_S,
    WORKER_SILENCE,
    WorkerContext,
    renew_heartbeat,
    start_heartbeat,
    stop_heartbeat,
)
from raim.server.jobs.faults import Throttle
from raim.server.jobs.mail import sending_mail
from raim.server.jobs.process_pool import TaskLimits, lower_priority
from raim.server.jobs.reconciling import Reconciler
from raim.server.jobs.tiling import forget_lost_packs
from raim.server.jobs.work_folder import prune_work
from raim.server.jobs.workflows import JobEngine, launch
from raim.server.settings import Settings
from raim.server.storage import Storage, has_file, open_storage, sweep_incoming
from raim.server.submissions.uploads import abandon_silent_uploads, drop_ended

LOG = logging.getLogger(__name__)
FAR_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph"})
STOPPING_S = 15.0
REACH_TRIES, REACH_PAUSE_S = 30, 2.0
POOL_IDLE_S = 300.0
REPORT_EVERY_S = 60.0  # how often it is said that the database cannot be reached
HALF_WRITTEN = timedelta(hours=24)
ENDED_JOBS = timedelta(days=2)
OLD_HEARTBEATS = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often a worker compares rows with jobs, writes its heartbeat, cleans up; when others take it for dead."""

    tick_s: float = 1.0
    heartbeat_s: float = EVERY_S
    housekeeping_s: float = 300.0
    silence: timedelta = WORKER_SILENCE


def run_worker(
    settings: Settings,
    *,
    name: str,
    challenges: Collection[str] = (),
    processes: int | None = None,
    stop: threading.Event | None = None,
    pace: Pace | None = None,
    limits: TaskLimits | None = None,
) -> None:
    """Check and score submissions of some challenges, or of all, until `stop` is set. A process can have one worker.

    What is under way then is resumed later, by it (started under its name again) or another. The settings are the
    server's, but its folder may be one for this worker alone; `processes` are children that score at once.

    Raises:
        StateError: A worker of this name runs already, or the database is of another version of raim.
        SettingsError: The database is not there or not for this machine, or the folder is not.
        StorageError: The storage is not the server's.
        UnknownNameError: The server has no such challenge.
    """
    pace = pace or Pace()
    os.environ.update(
        dict.fromkeys(THREAD_VARIABLES, "1")
    )  # of each child: its siblings have the other cores
    lower_priority()
    check_place(settings.database_url)
    check_worker_folder(settings.folder)
    database = open_database(settings.database_url)
    try:
        _reach(database, stop or threading.Event())
        check_schema(database.engine)
        storage = open_storage(settings.storage_url)
        check_storage(database, storage, settings.storage_url)
        _check_challenges(database, challenges)
        context = WorkerContext(
            name=name,
            database=database,
            storage=storage,
            folder=settings.folder,
            clock=DatabaseClock(database),
            challenges=frozenset(challenges),
            limits=limits or TaskLimits.of(settings),
            keep_addresses=timedelta(days=settings.keep_addresses_days),
            processes=processes or settings.worker_processes or count_cores(),
            silence=pace.silence,
            stop=stop or threading.Event(),
        )
        with _alone(context), sending_mail(context, settings):
            _run(context, settings.database_url, pace)
    finally:
        database.engine.dispose()


def _reach(database: Database, stop: threading.Event) -> None:
    """Wait until the database answers: after a restart of a machine it may come up later than its workers."""
    for _ in range(REACH_TRIES):
        try:
            with database.reading() as session:
                session.execute(select(1))
        except DBAPIError as error:
            reason = error.orig
        else:
            return
        if stop.wait(REACH_PAUSE_S):
            break
    raise SettingsError(f"the database cannot be reached: {reason}; check that it runs, and --database")


def check_place(database_url: str) -> None:
    """Refuse (SettingsError) a SQLite file that is not there, or on another machine's disk, where locks do not hold."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "")
    if not path.is_file():
        raise SettingsError(
            f"there is no database {path}; start the server first (raim serve), or name its database with --database"
        )
    system = _file_system(path)
    if system in FAR_FILE_SYSTEMS:
        raise SettingsError(
            f"the database {path} lies on another machine's disk ({system}), where SQLite's locks do not hold; "
            "use PostgreSQL for workers on several machines"
        )


def check_worker_folder(folder: Path) -> None:
    """Refuse (SettingsError) a worker's folder on another machine's disk: it keeps known values there, in SQLite."""
    system = _file_system(folder)
    if system in FAR_FILE_SYSTEMS:
        raise SettingsError(
            f"the folder {folder} lies on another machine's disk ({system}), where a worker's own files may not: start "
            "`raim serve --no-worker`, and `raim worker` in a folder of this machine"
        )


def check_storage(database: Database, storage: Storage, url: str) -> None:
    """Refuse (SettingsError) a storage that does not hold the challenge's files, such as another machine's folder."""
    with database.reading() as session:
        sha256 = session.scalar(select(Image.input_sha256).order_by(Image.id).limit(1))
    if sha256 is not None and not has_file(storage, sha256):
        raise SettingsError(
            f"the storage {url} does not hold the challenge's files; name the server's with --storage, "
            "one that all machines reach"
        )


def _check_challenges(database: Database, challenges: Collection[str]) -> None:
    with database.reading() as session:
        known = set(session.scalars(select(Challenge.slug)))
    for each in sorted(set(challenges) - known):
        raise unknown_name("challenge", each, known)


def _run(context: WorkerContext, database_url: str, pace: Pace) -> None:
    sandbox = describe(probe())
    started_at = context.clock()
    with context.database.writing() as session:
        start_heartbeat(session, started_at, context.name, context.challenges, sandbox)
    heartbeat = threading.Thread(
        target=_send_heartbeats, args=(context, started_at, pace.heartbeat_s), name="heartbeat", daemon=True
    )
    heartbeat.start()
    engine = launch(context, database_url)
    try:
        _tick_on(context, engine, pace)
    finally:
        _stop(context, engine, heartbeat)


def _tick_on(context: WorkerContext, engine: JobEngine, pace: Pace) -> None:
    reconciler = Reconciler(context, engine)
    housekeeping, reports = Throttle(pace.housekeeping_s), Throttle(REPORT_EVERY_S)
    while not context.stop.is_set():
        # A fault of one tick must not end the worker: the next may succeed.
        try:
            reconciler.tick()
            if housekeeping.is_open():
                do_housekeeping(context, engine)
            context.rest_pool(POOL_IDLE_S)
        except DBAPIError as error:
            if reports.is_open():
                LOG.warning("the worker %s does not reach the database: %s", context.name, error.orig)
        except Exception:
            LOG.exception("a tick of the worker %s failed; it goes on", context.name)
        context.stop.wait(pace.tick_s * reconciler.spread)


def do_housekeeping(context: WorkerContext, engine: JobEngine | None = None) -> None:
    """Tidy up once everything that time makes useless."""
    now = context.clock()
    sweep_incoming(context.storage, before=now - HALF_WRITTEN)
    with context.database.writing() as session:
        forget_logins(session, now)
        forget_addresses(session, now, context.keep_addresses)
        abandon_silent_uploads(session, now)
        challenge_upload.abandon_silent_challenge_uploads(session, now)
        session.execute(delete(RequestRate).where(RequestRate.full_at < now.timestamp()))
        session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < now - OLD_HEARTBEATS))
        versions = set(session.scalars(select(DataSet.version)))
    drop_ended(context.database, context.storage)
    prune_work(context, versions)
    forget_lost_packs(context)
    if engine is not None:
        engine.forget(now - ENDED_JOBS)


def _send_heartbeats(context: WorkerContext, started_at: datetime, every_s: float) -> None:
    while not context.stop.wait(every_s):
        try:
            if isinstance(context.clock, DatabaseClock):
                context.clock.look()
            with context.database.writing() as session:
                renew_heartbeat(session, context, started_at)
        except StateError as error:
            LOG.error("%s", error)  # noqa: TRY400 - expected, without traceback
            context.stop.set()
        except DBAPIError:
            continue  # the ticks tell; the next heartbeat may come through


def _stop(context: WorkerContext, engine: JobEngine, heartbeat: threading.Thread) -> None:
    context.stop.set()
    end = time.monotonic() + STOPPING_S
    while context.holding and time.monotonic() < end:
        time.sleep(0.05)
    heartbeat.join()
    engine.stop()
    context.close()
    with contextlib.suppress(DBAPIError), context.database.writing() as session:
        stop_heartbeat(session, context.clock(), context.name)


@contextmanager
def _alone(context: WorkerContext) -> Iterator[None]:
    """Keep a second worker of the same name on this machine out; the lock goes with the process."""
    context.work.mkdir(parents=True, exist_ok=True)
    safe = "".join(sign if sign.isalnum() else "-" for sign in context.name)
    try:
        lock = FileLock(context.work / f"{safe}.lock", timeout=0).acquire()
    except Timeout as error:
        raise StateError(
            f"a worker named {context.name!r} runs already; start this one with another --name"
        ) from error
    with lock:
        yield


def _file_system(path: Path) -> str:
    """Name the file system of a path on Linux; "" elsewhere."""
    mounts = Path("/proc/self/mounts")
    found = ("", "")
    for line in mounts.read_text(encoding="utf-8").splitlines() if mounts.exists() else []:
        _, place, system, *_ = line.split(" ")
        if path.absolute().is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, system)
    return found[1]
