"""Read challenge.toml again while the server runs: every problem is told and nothing changed, or all of it is taken."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Challenge, Problem, examine_challenge
from raim.data import read_manifest
from raim.errors import RaimError
from raim.scoring.profiles import PROFILES
from raim.server.auditing import record_event
from raim.server.contest.contest import Contest, load_contest
from raim.server.contest.importing import import_challenge
from raim.server.database import Database, DataSet, Phase, Submission
from raim.server.storage import Storage

ScorerVersion = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reread:
    """What came of reading the file again.

    Attributes:
        challenge: As the file says now; None if it has problems, and nothing was changed.
        problems: What is wrong, each with file and line where there is one.
        notes: What is no problem but worth a look.
        changes: What is otherwise than before in words, for organisers.
        to_rescore: Ids of the phases whose entries were scored under other versions than those in force now.
    """

    challenge: Challenge | None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    to_rescore: tuple[str, ...] = ()


def read_again(
    database: Database,
    storage: Storage,
    now: datetime,
    folder: Path,
    before: Contest,
    *,
    scorer_version: ScorerVersion,
    actor_id: int,
) -> Reread:
    """Read and validate the file of a folder, and bring it into the database if it has no problem.

    Args:
        database: Of the server.
        storage: Where new images go.
        now: The time.
        folder: With challenge.toml.
        before: The challenge in force so far.
        scorer_version: Gives the scorer version of a profile.
        actor_id: The organiser.
    """
    examined = examine_challenge(folder, profiles=PROFILES, read_manifest=read_manifest)
    notes = tuple(str(each) for each in examined.found if each.severity != "problem")
    challenge = examined.challenge
    if challenge is None:
        return Reread(challenge=None, problems=_problems(examined.found), notes=notes)
    with database.reading() as session:
        faults = tuple(find_conflicts(session, before, challenge))
    if faults:
        return Reread(challenge=None, problems=faults, notes=notes)
    version = scorer_version(challenge.profile)
    try:
        import_challenge(database, storage, now, challenge, scorer_version=version)
    except RaimError as error:
        return Reread(challenge=None, problems=(str(error),), notes=notes)
    with database.writing() as session:
        after = load_contest(session, challenge)
        changes = tuple(describe_changes(before, after))
        record_event(
            session,
            now,
            "read challenge again",
            actor_id=actor_id,
            subject="challenge",
            subject_id=after.id,
            details={"changes": list(changes)},
        )
    return Reread(
        challenge=challenge, notes=notes, changes=changes, to_rescore=tuple(_to_rescore(before, after))
    )


def find_conflicts(session: Session, before: Contest, challenge: Challenge) -> Iterator[str]:
    """Give what a file must not change while teams take part.

    Args:
        session: Any session.
        before: The challenge in force.
        challenge: What the file says now.
    """
    if challenge.id != before.challenge.id:
        yield (
            f"the file is of the challenge {challenge.id!r}, this server runs {before.challenge.id!r}; "
            "a server has one challenge: start another one with a folder of its own"
        )
        return
    yield from _lost(session, before, challenge)
    yield from _overlaps(session, before, challenge)


def describe_changes(before: Contest, after: Contest) -> Iterator[str]:
    """Say what is otherwise, for what organisers have to know or do."""
    old, new = before.challenge, after.challenge
    if old.profile != new.profile:
        yield f"the profile is {new.profile}, it was {old.profile}"
    if before.scorer_version != after.scorer_version:
        yield f"the scorer version is {after.scorer_version}, it was {before.scorer_version}"
    for slug, version in after.data_set_versions.items():
        known = before.data_set_versions.get(slug)
        if known is None:
            yield f"the data set {slug} is new"
        elif known != version:
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


def _lost(session: Session, before: Contest, challenge: Challenge) -> Iterator[str]:
    """Give phases and data sets that have submissions and are no longer in the file."""
    used_phases = session.scalars(
        select(Phase.slug)
        .where(Phase.challenge_id == before.id, Phase.id.in_(select(Submission.phase_id)))
        .order_by(Phase.slug)
    ).all()
    used_sets = session.scalars(
        select(DataSet.slug)
        .where(DataSet.challenge_id == before.id, DataSet.id.in_(select(Submission.data_set_id)))
        .order_by(DataSet.slug)
    ).all()
    phases = {phase.id for phase in challenge.phases}
    sets = {data_set.id for data_set in challenge.data_sets}
    for what, used, there in (("phase", used_phases, phases), ("data set", used_sets, sets)):
        for slug in used:
            if slug not in there:
                yield f"teams have submitted to the {what} {slug!r}, which is no longer in the file; put it back"


def _overlaps(session: Session, before: Contest, challenge: Challenge) -> Iterator[str]:
    """Give phases that would overlap: dates that were changed on the page stay while the file's own stay the same."""
    stated: Mapping[str, Phase] = {
        row.slug: row for row in session.scalars(select(Phase).where(Phase.challenge_id == before.id))
    }
    dates = []
    for phase in challenge.phases:
        row = stated.get(phase.id)
        is_same = row is not None and (row.stated_opens_at, row.stated_closes_at) == (
            phase.opens,
            phase.closes,
        )
        opens, closes = (
            (row.opens_at, row.closes_at) if row is not None and is_same else (phase.opens, phase.closes)
        )
        dates.append((opens, closes, phase.name))
    for (_, closes, name), (opens, _, following) in zip(sorted(dates), sorted(dates)[1:], strict=False):
        if opens < closes:
            yield (
                f"{following} would open at {opens:%Y-%m-%d %H:%M} UTC, before {name} closes at "
                f"{closes:%Y-%m-%d %H:%M} UTC as it was set on the page; change one of them"
            )


def _to_rescore(before: Contest, after: Contest) -> Iterator[str]:
    for phase in after.challenge.phases:
        if phase.scored is None or phase.id not in before.phase_ids:
            continue
        on = phase.scored.on
        is_old_set = before.data_set_versions.get(on, after.data_set_versions[on])
        if before.scorer_version != after.scorer_version or is_old_set != after.data_set_versions[on]:
            yield phase.id
