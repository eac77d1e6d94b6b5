"""The worker process: it keeps its heartbeat, ticks, and lets the engine run jobs, until it is told to stop.

Stopping is no other case than dying: what is under way stays in the rows and in the engine's tables, and is taken up
again by the next process of the same name, or by any other worker.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import make_url, select
from sqlalchemy.exc import DBAPIError

from raim.errors import SettingsError, StateError
from raim.processes import THREAD_VARIABLES, count_cores
from raim.server.database import Database, Image, open_database
from raim.server.jobs.context import (
    EVERY_S,
    SILENCE,
    DatabaseClock,
    WorkerContext,
    renew_heartbeat,
    renew_leases,
    start_heartbeat,
    stop_heartbeat,
)
from raim.server.jobs.faults import Throttle
from raim.server.jobs.housekeeping import do_housekeeping
from raim.server.jobs.limits import Limits, lower_priority
from raim.server.jobs.reconciling import Reconciler
from raim.server.jobs.workflows import Engine, launch
from raim.server.settings import Settings
from raim.server.storage import Storage, has_file, open_storage

LOG = logging.getLogger(__name__)
FAR_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph"})
STOPPING_S = 15.0
REACH_TRIES, REACH_PAUSE_S = 30, 2.0
POOL_IDLE_S = 300.0
AWAY_EVERY_S = 60.0  # how often it is said that the database cannot be reached


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often a worker does what.

    Attributes:
        tick_s: Compares rows with jobs.
        heartbeat_s: Says that it lives.
        housekeeping_s: Tidies up.
        silence: After which others take it for dead.
    """

    tick_s: float = 1.0
    heartbeat_s: float = EVERY_S
    housekeeping_s: float = 300.0
    silence: timedelta = SILENCE


def run_worker(
    settings: Settings,
    *,
    name: str,
    processes: int | None = None,
    stop: threading.Event | None = None,
    pace: Pace | None = None,
    limits: Limits | None = None,
) -> None:
    """Check and score submissions until `stop` is set. A process can have one worker.

    Args:
        settings: The server's; its folder may be one for this worker alone.
        name: Of the worker; a worker that was killed goes on where it was when it is started under its name again.
        processes: Child processes that score at once; None for what the settings say.
        stop: Ends the worker; what is under way is taken up later, by it or another.
        pace: How often it does what.
        limits: On child processes; None for what the settings say.

    Raises:
        StateError: A worker of this name runs already.
        SettingsError: The database is not there or not for this machine.
        StorageError: The storage is not the server's.
    """
    pace = pace or Pace()
    _compute_on_one_thread()
    lower_priority()
    check_place(settings.database_url)
    database = open_database(settings.database_url)
    try:
        _reach(database, stop or threading.Event())
        storage = open_storage(settings.storage_url)
        check_storage(database, storage, settings.storage_url)
        context = WorkerContext(
            name=name,
            database=database,
            storage=storage,
            folder=settings.folder,
            clock=DatabaseClock(database),
            limits=limits or Limits.of(settings),
            processes=processes or settings.worker_processes or count_cores(),
            silence=pace.silence,
            stop=stop or threading.Event(),
        )
        with _alone(context):
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
    """Refuse a SQLite file that is not there, or on another machine's disk, where its locks do not hold.

    Raises:
        SettingsError: It is so.
    """
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


def check_storage(database: Database, storage: Storage, url: str) -> None:
    """Refuse a storage that does not hold the challenge's files, such as another machine's folder.

    Raises:
        SettingsError: It is so.
    """
    with database.reading() as session:
        sha256 = session.scalar(select(Image.input_sha256).order_by(Image.id).limit(1))
    if sha256 is not None and not has_file(storage, sha256):
        raise SettingsError(
            f"the storage {url} does not hold the challenge's files; name the server's with --storage, "
            "one that all machines reach"
        )


def _run(context: WorkerContext, database_url: str, pace: Pace) -> None:
    started_at = context.clock()
    with context.database.writing() as session:
        start_heartbeat(session, started_at, context.name)
    heartbeat = threading.Thread(
        target=_send_heartbeats, args=(context, started_at, pace.heartbeat_s), name="heartbeat", daemon=True
    )
    heartbeat.start()
    engine = launch(context, database_url)
    try:
        _tick_on(context, engine, pace)
    finally:
        _stop(context, engine, heartbeat)


def _tick_on(context: WorkerContext, engine: Engine, pace: Pace) -> None:
    reconciler = Reconciler(context, engine)
    housekeeping, away = Throttle(pace.housekeeping_s), Throttle(AWAY_EVERY_S)
    while not context.stop.is_set():
        # A fault of one tick must not end the worker: the next may come through.
        try:
            reconciler.tick()
            if housekeeping.is_open():
                do_housekeeping(context, engine)
            context.rest_pool(POOL_IDLE_S)
        except DBAPIError as error:
            if away.is_open():
                LOG.warning("the worker %s does not reach the database: %s", context.name, error.orig)
        except Exception:
            LOG.exception("a tick of the worker %s failed; it goes on", context.name)
        context.stop.wait(pace.tick_s)


def _send_heartbeats(context: WorkerContext, started_at: datetime, every_s: float) -> None:
    while not context.stop.wait(every_s):
        try:
            _send_heartbeat(context, started_at)
        except StateError as error:
            LOG.error("%s", error)  # noqa: TRY400 - expected, without traceback
            context.stop.set()
        except DBAPIError:
            continue  # the ticks tell; the next heartbeat may come through


def _send_heartbeat(context: WorkerContext, started_at: datetime) -> None:
    if isinstance(context.clock, DatabaseClock):
        context.clock.look()
    now = context.clock()
    with context.database.writing() as session:
        renew_heartbeat(
            session,
            now,
            context.name,
            started_at=started_at,
            doing="; ".join(context.doing.values()),
            seconds_per_image=context.seconds_per_image,
        )
        renew_leases(session, now, context)


def _stop(context: WorkerContext, engine: Engine, heartbeat: threading.Thread) -> None:
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


def _compute_on_one_thread() -> None:
    """Let each child compute on one thread: its siblings have the other cores."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))


def _file_system(path: Path) -> str:
    """Name the file system of a path on Linux; "" elsewhere."""
    mounts = Path("/proc/self/mounts")
    found = ("", "")
    for line in mounts.read_text(encoding="utf-8").splitlines() if mounts.exists() else []:
        _, place, system, *_ = line.split(" ")
        if path.absolute().is_relative_to(place) and len(place) >= len(found[0]):
            found = (place, system)
    return found[1]
