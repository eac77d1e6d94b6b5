"""The material of a report out of a server's folder: its database is opened as it is; the server may run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from raim.challenge import Challenge
from raim.errors import InputError, unknown_name
from raim.report.closed.material import Material
from raim.scoring.profiles import find_profile
from raim.server.actions.challenge_folders import find_challenges
from raim.server.current_challenge import load_current
from raim.server.database import Study
from raim.server.database.migration import open_existing
from raim.server.settings import Settings
from raim.server.standings import StandingsCache
from raim.server.storage import open_storage
from raim.server.study.material import collect_material, find_results
from raim.server.study.results import StudyResults, deciding_standings, make_results


@contextmanager
def open_material(settings: Settings, *, now: datetime, challenge_id: str = "") -> Iterator[Material]:
    """Collect what a report of a server's closed challenge says; its pictures can be read until the context ends.

    Raises:
        ChallengeError: challenge.toml has problems.
        InputError: The folder has several challenges, and none of them is named.
        UnknownNameError: It has none of that id; the nearest is named.
        StateError: There is no database, it is of another version of raim, or a study is to decide that is not
            revealed.
        StorageError: The storage cannot be opened.
    """
    definition = _choose(settings, challenge_id)
    way_out = " For a challenge that ran elsewhere use raim report --from-csv"
    with open_existing(settings.database_url, way_out=way_out) as database:
        storage = open_storage(settings.storage_url)
        standings, profile = StandingsCache(), find_profile(definition.profile)
        with database.reading() as session:
            challenge = load_current(session, definition)

            def make(study: Study) -> StudyResults:
                board = deciding_standings(session, challenge, standings, profile)
                return make_results(session, challenge, study, board)

            results = find_results(session, challenge, make)
            material = collect_material(
                session, storage, challenge, standings=standings, profile=profile, results=results, now=now
            )
        yield material


def _choose(settings: Settings, challenge_id: str) -> Challenge:
    by_id = {each.id: each for each in find_challenges(settings.folder).challenges.values()}
    if challenge_id and challenge_id not in by_id:
        raise unknown_name("challenge", challenge_id, by_id)
    if not challenge_id and len(by_id) > 1:
        raise InputError(
            f"{settings.folder} has the challenges {', '.join(sorted(by_id))}; name one with --challenge"
        )
    return by_id[challenge_id] if challenge_id else next(iter(by_id.values()))
