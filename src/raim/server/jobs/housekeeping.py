"""What a worker tidies up every few minutes: everything that time makes useless."""

from datetime import timedelta

from sqlalchemy import delete, select

from raim.server.actions import forget_logins
from raim.server.database import DataSet, WorkerHeartbeat
from raim.server.jobs.context import WorkerContext
from raim.server.jobs.tiling import forget_lost_packs
from raim.server.jobs.work_folder import drop_downloads, prune_data_sets
from raim.server.jobs.workflows import Engine
from raim.server.storage import sweep_incoming
from raim.server.submissions import abandon_silent

HALF_WRITTEN = timedelta(hours=24)
ENDED_JOBS = timedelta(days=2)
OLD_HEARTBEATS = timedelta(days=7)


def do_housekeeping(context: WorkerContext, engine: Engine | None = None) -> None:
    """Tidy up once.

    Args:
        context: Who does it.
        engine: Whose old records are deleted; None without one.
    """
    now = context.clock()
    sweep_incoming(context.storage, before=now - HALF_WRITTEN)
    with context.database.writing() as session:
        forget_logins(session, now)
        abandon_silent(session, now)
        session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < now - OLD_HEARTBEATS))
        versions = set(session.scalars(select(DataSet.version)))
    prune_data_sets(context, versions)
    drop_downloads(context)
    forget_lost_packs(context)
    if engine is not None:
        engine.forget(now - ENDED_JOBS)
