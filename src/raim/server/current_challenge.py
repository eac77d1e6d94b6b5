"""The challenge as it is in force: what its file says, with what organisers have set of dates since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from raim.challenge import Challenge, Intake, Phase, grow_tries, phase_state
from raim.errors import StateError
from raim.records.challenge import Extension
from raim.scoring.profiles import Profile, find_profile
from raim.server import database as tables
from raim.server.database import EntryResult, Submission

DEFINITION = TypeAdapter(Challenge)


@dataclass(frozen=True, kw_only=True, slots=True)
class CurrentChallenge:
    """A challenge with the ids of its rows.

    Attributes:
        id: Of its row.
        definition: What its file says, with the dates and tries in force.
        version: Raised by every change of what is kept; whatever was made of this record is kept under it.
        phase_ids: Row of each phase, by the phase's id in the file.
        data_set_ids: Row of each data set, by its id in the file.
        newest: Scorer version and reference version of each data set, under which entries are scored.
        in_force: The pair whose results boards and rankings show.
        paused_at: When each paused phase was paused.
        extensions: Of each phase that has any, oldest first.
        added_tries: What they have added to the tries in all of a phase's kinds of submission.
        scorer_version: Of the profile, in this version of raim.
        status: "draft" (for organisers only), "open", "paused" (only organisers change something) or "retired"
            (nobody does, and it is not listed).
        quota_bytes: What all that is kept of it may take; None for no limit.
        results_published_at: When the organiser published the gallery of results; None before.
    """

    id: int
    definition: Challenge
    version: int
    phase_ids: Mapping[str, int]
    data_set_ids: Mapping[str, int]
    newest: Mapping[str, tuple[str, str]]
    in_force: Mapping[str, tuple[str, str]]
    paused_at: Mapping[str, datetime]
    extensions: Mapping[str, tuple[Extension, ...]]
    added_tries: Mapping[tuple[str, str], int]
    scorer_version: str
    status: str
    quota_bytes: int | None
    results_published_at: datetime | None

    @property
    def profile(self) -> Profile:
        """Its scoring profile."""
        return find_profile(self.definition.profile)

    def is_paused(self, phase: Phase) -> bool:
        """Return whether an organiser has paused a phase."""
        return phase.id in self.paused_at

    def state(self, phase: Phase, now: datetime) -> str:
        """Return the state of a phase: "upcoming", "open", "paused" or "closed"."""
        return phase_state(phase, now, is_paused=self.is_paused(phase))

    def phase_of_row(self, row_id: int) -> Phase:
        """Return the phase of a row.

        Raises:
            StateError: The file no longer has it.
        """
        return self.definition.phase(_key_of(self.phase_ids, row_id, "phase"))

    def data_set_of_row(self, row_id: int) -> str:
        """Return the data set's id in the file for a row.

        Raises:
            StateError: The file no longer has it.
        """
        return _key_of(self.data_set_ids, row_id, "data set")


def read_definition(session: Session, slug: str) -> tuple[str, Challenge]:
    """Return what a challenge's file said when it was last read, on whichever host, and its SHA-256.

    Raises:
        StateError: A newer raim has read it, which knows more of challenges.
    """
    row = tables.Challenge
    sha256, plain = session.execute(
        select(row.definition_sha256, row.definition).where(row.slug == slug)
    ).one()
    try:
        return sha256, DEFINITION.validate_python(plain)
    except ValidationError as error:
        raise StateError(f"the challenge {slug!r} was read by a newer raim; upgrade this host too") from error


def load_current(session: Session, definition: Challenge) -> CurrentChallenge:
    """Put the dates and tries in force into the record of the file.

    Raises:
        StateError: The challenge was not brought into this database.
    """
    row = session.scalar(select(tables.Challenge).where(tables.Challenge.slug == definition.id))
    if row is None:
        raise StateError(f"the challenge {definition.id!r} is not in this database; restart the server")
    phases = session.scalars(select(tables.Phase).where(tables.Phase.challenge_id == row.id)).all()
    sets = session.scalars(select(tables.DataSet).where(tables.DataSet.challenge_id == row.id)).all()
    by_slug = {each.slug: each for each in phases}
    extended = _read_extensions(session, row.id)
    changed = tuple(
        _with_tries(_with_dates(phase, by_slug), extended.get(phase.id, ())) for phase in definition.phases
    )
    return CurrentChallenge(
        id=row.id,
        version=row.version,
        definition=replace(definition, phases=tuple(sorted(changed, key=lambda phase: phase.opens))),
        phase_ids={each.slug: each.id for each in phases},
        data_set_ids={each.slug: each.id for each in sets},
        newest={each.slug: (row.scorer_version, each.version) for each in sets},
        in_force={
            each.slug: (each.scorer_version_in_force, each.reference_version_in_force) for each in sets
        },
        paused_at={each.slug: each.paused_at for each in phases if each.paused_at is not None},
        extensions={slug: tuple(map(Extension.of_row, each)) for slug, each in extended.items()},
        added_tries={
            (after.id, kind): (each.tries_in_all or 0) - (before.intakes[kind].tries_in_all or 0)
            for before, after in zip(definition.phases, changed, strict=True)
            for kind, each in after.intakes.items()
        },
        scorer_version=row.scorer_version,
        status=row.status,
        quota_bytes=row.quota_bytes,
        results_published_at=row.results_published_at,
    )


def is_in_force(challenge: CurrentChallenge) -> ColumnElement[bool]:
    """Return the condition that joins a submission's `EntryResult` in force: one at most."""
    return results_of(challenge, challenge.in_force)


def results_of(challenge: CurrentChallenge, versions: Mapping[str, tuple[str, str]]) -> ColumnElement[bool]:
    """Return the condition that joins the `EntryResult` of a submission under the versions of its data set."""
    triples = [(challenge.data_set_ids[slug], *pair) for slug, pair in versions.items()]
    key = tuple_(Submission.data_set_id, EntryResult.scorer_version, EntryResult.reference_version)
    return (EntryResult.submission_id == Submission.id) & key.in_(triples)


def _with_dates(phase: Phase, rows: Mapping[str, tables.Phase]) -> Phase:
    row = rows.get(phase.id)
    return phase if row is None else replace(phase, opens=row.opens_at, closes=row.closes_at)


def _read_extensions(session: Session, challenge_id: int) -> dict[str, list[tables.Extension]]:
    """Return the extensions of each phase, oldest first."""
    found: dict[str, list[tables.Extension]] = {}
    for slug, each in session.execute(
        select(tables.Phase.slug, tables.Extension)
        .join(tables.Phase, tables.Phase.id == tables.Extension.phase_id)
        .where(tables.Phase.challenge_id == challenge_id)
        .order_by(tables.Extension.id)
    ):
        found.setdefault(slug, []).append(each)
    return found


def _with_tries(phase: Phase, extensions: Iterable[tables.Extension]) -> Phase:
    lengths = [
        (each.closes_before - each.opens_at, each.closes_after - each.opens_at)
        for each in extensions
        if each.tries == "pro rata"
    ]

    def grow(intake: Intake | None) -> Intake | None:
        if intake is None or intake.tries_in_all is None:
            return intake
        return replace(intake, tries_in_all=grow_tries(intake.tries_in_all, lengths))

    return replace(phase, scored=grow(phase.scored), feedback=grow(phase.feedback), final=grow(phase.final))


def _key_of(ids: Mapping[str, int], row_id: int, what: str) -> str:
    for key, each in ids.items():
        if each == row_id:
            return key
    raise StateError(f"the {what} with the number {row_id} is no longer in challenge.toml; put it back there")
