"""What a worker tidies up every few minutes: everything that time makes useless."""

from datetime import timedelta

from sqlalchemy import delete, select

from raim.server.accounts import forget_logins
from raim.server.database import DataSet, WorkerHeartbeat
from raim.server.jobs.scratch import drop_downloads, prune_data_sets
from raim.server.jobs.station import Station
from raim.server.jobs.tiling import forget_lost_packs
from raim.server.jobs.workflows import Engine
from raim.server.storage import sweep_incoming
from raim.server.submissions import abandon_silent

HALF_WRITTEN = timedelta(hours=24)
ENDED_JOBS = timedelta(days=2)
OLD_HEARTS = timedelta(days=7)


def keep_house(station: Station, engine: Engine | None = None) -> None:
    """Tidy up once.

    Args:
        station: Who does it.
        engine: Whose old records are deleted; None without one.
    """
    now = station.clock()
    sweep_incoming(station.storage, before=now - HALF_WRITTEN)
    with station.database.writing() as session:
        forget_logins(session, now)
        abandon_silent(session, now)
        session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < now - OLD_HEARTS))
        versions = set(session.scalars(select(DataSet.version)))
    prune_data_sets(station, versions)
    drop_downloads(station)
    forget_lost_packs(station)
    if engine is not None:
        engine.forget(now - ENDED_JOBS)
