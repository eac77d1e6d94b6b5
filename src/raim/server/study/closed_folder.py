"""The material of a report out of a server's folder: its database is opened as it is; the server may run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Challenge
from raim.errors import InputError, unknown_name
from raim.report.closed.material import Material
from raim.scoring.profiles import find_profile
from raim.server import database as tables
from raim.server.current_challenge import load_current, read_definition
from raim.server.database import Study
from raim.server.database.migration import open_existing
from raim.server.settings import Settings
from raim.server.standings import StandingsCache
from raim.server.storage import open_storage
from raim.server.study.material import collect_material, find_results
from raim.server.study.results import StudyOutcome, deciding_standings, make_results


@contextmanager
def open_material(settings: Settings, *, now: datetime, challenge_id: str = "") -> Iterator[Material]:
    """Collect what a report of a server's closed challenge says; its pictures can be read until the context ends.

    Raises:
        InputError: The server has several challenges, and none of them is named.
        UnknownNameError: It has none of that id; the nearest is named.
        StateError: There is no database, it is of another version of raim, or a study is to decide that is not
            revealed.
        StorageError: The storage cannot be opened.
    """
    way_out = " For a challenge that ran elsewhere use raim report --from-csv"
    with open_existing(settings.database_url, way_out=way_out) as database:
        storage = open_storage(settings.storage_url)
        standings = StandingsCache()
        with database.reading() as session:
            definition = _choose(session, challenge_id)
            profile = find_profile(definition.profile)
            challenge = load_current(session, definition)

            def make(study: Study) -> StudyOutcome:
                board = deciding_standings(session, challenge, standings, profile)
                return make_results(session, challenge, study, board)

            results = find_results(session, challenge, make)
            material = collect_material(
                session, storage, challenge, standings=standings, profile=profile, results=results, now=now
            )
        yield material


def _choose(session: Session, challenge_id: str) -> Challenge:
    known = session.scalars(select(tables.Challenge.slug).order_by(tables.Challenge.slug)).all()
    if not challenge_id and len(known) != 1:
        raise InputError(
            f"this server has {len(known)} challenges ({', '.join(known)}); name one with --challenge"
        )
    slug = challenge_id or known[0]
    if slug not in known:
        raise unknown_name("challenge", slug, known)
    return read_definition(session, slug)[1]
