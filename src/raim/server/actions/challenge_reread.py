"""Read challenge.toml again while the server runs: every problem is reported and nothing changed, or all is taken."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from raim.challenge import Problem, examine_challenge
from raim.data import read_manifest
from raim.errors import RaimError
from raim.records.desk import FileReading
from raim.scoring.profiles import PROFILES
from raim.server import database as tables
from raim.server.actions.challenge_import import import_challenge
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge, load_current
from raim.server.database import Database
from raim.server.storage import Storage

ScorerVersion = Callable[[str], str]


def read_again(
    database: Database,
    storage: Storage,
    now: datetime,
    folder: Path,
    before: CurrentChallenge,
    *,
    scorer_version: ScorerVersion,
    actor_id: int,
) -> FileReading:
    """Read and validate the file of a challenge below the server's folder, and take it if it has no problem."""
    with database.reading() as session:
        place = session.get_one(tables.Challenge, before.id).folder
    examined = examine_challenge(folder / place, profiles=PROFILES, read_manifest=read_manifest)
    notes = tuple(str(each) for each in examined.found if each.severity != "problem")
    definition = examined.challenge
    if definition is None:
        return FileReading(problems=_problems(examined.found), notes=notes)
    version = scorer_version(definition.profile)
    try:
        import_challenge(database, storage, now, definition, scorer_version=version, folder=place)
    except RaimError as error:
        return FileReading(problems=tuple(str(error).splitlines()), notes=notes)
    with database.writing() as session:
        after = load_current(session, definition)
        changes = tuple(describe_changes(before, after))
        row = session.get_one(tables.Challenge, after.id)
        record_event(session, now, "read challenge again", row, actor_id=actor_id, changes=changes)
    return FileReading(notes=notes, changes=changes, to_rescore=tuple(_to_rescore(before, after)))


def describe_changes(before: CurrentChallenge, after: CurrentChallenge) -> Iterator[str]:
    """Yield what is otherwise, for what organisers have to know or do."""
    old, new = before.definition, after.definition
    if old.profile != new.profile:
        yield f"the profile is {new.profile}, it was {old.profile}"
    if before.scorer_version != after.scorer_version:
        yield f"the scorer version is {after.scorer_version}, it was {before.scorer_version}"
    for slug, (_, version) in after.newest.items():
        if slug not in before.newest:
            yield f"the data set {slug} is new"
        elif before.newest[slug][1] != version:
            yield f"the images of the data set {slug} have changed"
    dates = {phase.id: (phase.opens, phase.closes) for phase in old.phases}
    for phase in new.phases:
        if phase.id not in dates:
            yield f"the phase {phase.name} is new"
        elif dates[phase.id] != (phase.opens, phase.closes):
            yield (
                f"{phase.name} is open from {phase.opens:%Y-%m-%d %H:%M} to {phase.closes:%Y-%m-%d %H:%M} UTC"
            )
    for gone in sorted(dates.keys() - {phase.id for phase in new.phases}):
        yield f"the phase {gone} is no longer in the file"


def _problems(found: tuple[Problem, ...]) -> tuple[str, ...]:
    return tuple(str(each) for each in found if each.severity == "problem")


def _to_rescore(before: CurrentChallenge, after: CurrentChallenge) -> Iterator[str]:
    for phase in after.definition.phases:
        if phase.scored is None or phase.id not in before.phase_ids:
            continue
        on = phase.scored.on
        if before.newest.get(on, after.newest[on]) != after.newest[on]:
            yield phase.id
