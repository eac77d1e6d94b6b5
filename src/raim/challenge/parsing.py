"""From the tables of challenge.toml to records: one function for each table, which is the list of its keys.

Faults are collected in the sections. A table with a fault is left out of the draft, so that what the other
tables say about each other can still be checked; a draft with faults is never returned as a challenge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from raim.challenge.challenge import SCHEMA, Challenge
from raim.challenge.credits import Award, Organiser, Prize, Sponsor
from raim.challenge.data_set import DataKind, DataSet
from raim.challenge.modes import MODES
from raim.challenge.phase import Audience, Intake, OpenTo, Phase
from raim.challenge.section import Section
from raim.challenge.settings import (
    Conflicts,
    Counting,
    FinalistRule,
    LeaderboardRule,
    NewVersions,
    Registration,
    StudyRule,
    Uploads,
    Website,
    Weights,
)

Record = TypeVar("Record")
# Where the file is silent, what the records say holds.
LEADERBOARD, FINALISTS, STUDY = LeaderboardRule(), FinalistRule(phase=""), StudyRule(phase="")
WEIGHTS, SCORE_ALONE = Weights(), Weights(score=1.0, study=0.0)
REGISTRATION, UPLOADS = Registration(), Uploads()
LARGEST_FILE = 2**53  # bytes; further whole numbers are not exact in every reader of JSON
LONGEST_GRACE = 7 * 24 * 3600  # seconds; who needs more wants a later deadline


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What could be made of the file.

    Attributes:
        challenge: Without the tables that have faults, phases in the order of the file.
        indices: For each array of tables, where in the file its records are, from 0.
        stated: Every id of awards, data sets and phases and name of sponsors, those of faulty tables too; None where
            it is missing.
        tables: The keys at the top of the file, faulty or not.
    """

    challenge: Challenge
    indices: Mapping[str, tuple[int, ...]]
    stated: Mapping[str, tuple[str | None, ...]]
    tables: frozenset[str]

    @property
    def has_all_phases(self) -> bool:
        """Whether no phase was left out, so that what no phase does is known."""
        return len(self.challenge.phases) == len(self.stated["phase"])


def parse_draft(top: Section) -> Draft:
    """Make records of all tables."""
    _check_schema(top)
    head = _table(top, "challenge", is_required=True)
    indices: dict[str, tuple[int, ...]] = {}

    def records(key: str, parse: Callable[[Section], Record]) -> tuple[Record, ...]:
        made = [_kept(section, parse(section)) for section in top.tables_of(key)]
        indices[key] = tuple(index for index, record in enumerate(made) if record is not None)
        return tuple(record for record in made if record is not None)

    challenge = Challenge(
        folder=top.folder,
        id=head.identifier("id"),
        name=head.text("name"),
        tagline=head.text("tagline", ""),
        timezone=head.zone("timezone", "UTC"),
        day_timezone=head.zone("day_timezone", "UTC"),
        profile=head.text("profile"),
        contact=head.text("contact"),
        website=_website(_table(top, "website", is_required=True)),
        organisers=records("organiser", _organiser),
        sponsors=records("sponsor", _sponsor),
        awards=records("award", _award),
        prizes=records("prize", _prize),
        data_sets=records("data_set", _data_set),
        phases=records("phase", _phase),
        leaderboard=_optional(top, "leaderboard", _leaderboard) or LEADERBOARD,
        finalists=_optional(top, "finalists", _finalists),
        study=_optional(top, "study", _study),
        weights=_optional(top, "weights", _weights) or (WEIGHTS if "study" in top.table else SCORE_ALONE),
        registration=_optional(top, "registration", _registration) or REGISTRATION,
        uploads=_optional(top, "uploads", _uploads) or UPLOADS,
    )
    head.finish()
    top.finish()
    return Draft(challenge=challenge, indices=indices, stated=_stated_names(top), tables=frozenset(top.table))


def _check_schema(top: Section) -> None:
    schema = top.whole("schema")
    if "schema" in top.table and schema != SCHEMA:
        top.fail("schema", f"schema is {schema}; this version of raim reads {SCHEMA}")


def _stated_names(top: Section) -> Mapping[str, tuple[str | None, ...]]:
    named_by = {"award": "id", "data_set": "id", "phase": "id", "sponsor": "name"}
    return {
        key: tuple(_stated_name(table, by) for table in _tables(top.table.get(key)))
        for key, by in named_by.items()
    }


def _tables(value: object) -> list[object]:
    if isinstance(value, dict):  # [phase] in place of [[phase]], which is a fault of its own
        return [value]
    return value if isinstance(value, list) else []


def _stated_name(table: object, key: str) -> str | None:
    stated = table.get(key) if isinstance(table, dict) else None
    return stated if isinstance(stated, str) else None


def _table(top: Section, key: str, *, is_required: bool = False) -> Section:
    """Return a table, or an empty one in its place, whose missing keys are not reported."""
    section = top.table_of(key)
    if section is not None:
        return section
    if is_required and key not in top.table:
        top.fail(key, f"the file has no table [{key}]")
    return Section({}, (key,), top.folder, [])


def _kept(section: Section, record: Record) -> Record | None:
    """Return the record that was made of a table, unless the table had a fault."""
    return record if section.finish() else None


def _optional(top: Section, key: str, parse: Callable[[Section], Record]) -> Record | None:
    section = top.table_of(key)
    return None if section is None else _kept(section, parse(section))


def _website(section: Section) -> Website:
    website = Website(
        description=section.markdown("description"),
        data=section.markdown("data", ""),
        rules=section.markdown("rules", ""),
        awards=section.markdown("awards", ""),
        footer=section.markdown("footer", ""),
    )
    section.finish()
    return website


def _organiser(section: Section) -> Organiser:
    return Organiser(
        name=section.text("name"), affiliation=section.text("affiliation", ""), url=section.text("url", "")
    )


def _sponsor(section: Section) -> Sponsor:
    return Sponsor(name=section.text("name"), url=section.text("url", ""), text=section.text("text", ""))


def _award(section: Section) -> Award:
    return Award(id=section.identifier("id"), name=section.text("name"), places=section.whole("places", 1))


def _prize(section: Section) -> Prize:
    return Prize(
        name=section.text("name"),
        award=section.text("award", ""),
        sponsor=section.text("sponsor", ""),
        text=section.text("text", ""),
    )


def _data_set(section: Section) -> DataSet:
    kind: DataKind = section.choice("kind", DataKind, "paired")
    return DataSet(
        id=section.identifier("id"),
        name=section.text("name"),
        kind=kind,
        folder=section.folder / section.place("folder"),
        input=section.place("input", "input"),
        reference=section.place("reference", "reference" if kind == "paired" else ""),
        manifest=section.place("manifest", "manifest.csv"),
        text=section.markdown("text", ""),
    )


def _phase(section: Section) -> Phase:
    leaderboard: Audience = section.choice("leaderboard", Audience, "public")
    counts: Counting | None = None
    if "counts" in section.table:
        counts = section.choice("counts", Counting, LEADERBOARD.counts)
    return Phase(
        id=section.identifier("id"),
        name=section.text("name"),
        opens=section.moment("opens"),
        closes=section.moment("closes"),
        text=section.markdown("text", ""),
        open_to=section.choice("open_to", OpenTo, "teams"),
        gives_out=section.texts("gives_out"),
        gives_references_of=section.texts("gives_references_of"),
        keeps_giving=section.flag("keeps_giving", default=True),
        leaderboard=leaderboard,
        leaderboard_after=section.choice("leaderboard_after", Audience, leaderboard),
        counts=counts,
        scored=_intake(section, "scored"),
        feedback=_intake(section, "feedback"),
        final=_intake(section, "final"),
    )


def _intake(section: Section, key: str) -> Intake | None:
    table = section.table_of(key)
    if table is None:
        return None
    intake = Intake(
        on=table.text("on"),
        tries_per_day=table.limit("tries_per_day"),
        tries_in_all=table.limit("tries_in_all"),
    )
    if not table.finish():
        section.is_fine = False
    return intake


def _leaderboard(section: Section) -> LeaderboardRule:
    return LeaderboardRule(
        decimals=section.whole("decimals", LEADERBOARD.decimals, low=0, high=12),
        ties=section.texts("ties"),
        tie_decimals=section.whole("tie_decimals", LEADERBOARD.tie_decimals, low=0, high=12),
        counts=section.choice("counts", Counting, LEADERBOARD.counts),
        new_versions=section.choice("new_versions", NewVersions, LEADERBOARD.new_versions),
    )


def _finalists(section: Section) -> FinalistRule:
    return FinalistRule(count=section.whole("count", FINALISTS.count), phase=section.text("phase"))


def _study(section: Section) -> StudyRule:
    mode = section.choice("mode", MODES, STUDY.mode)
    return StudyRule(
        phase=section.text("phase"),
        mode=mode,
        judges=section.whole("judges", STUDY.judges),
        points=section.wholes("points", MODES[mode].points),
        repeats_share=section.fraction("repeats_share", STUDY.repeats_share),
        criteria=section.texts("criteria", STUDY.criteria),
        conflicts=section.choice("conflicts", Conflicts, STUDY.conflicts),
        tiles=section.whole("tiles", STUDY.tiles, low=0),
        traps=section.whole("traps", STUDY.traps, low=0),
        training=section.whole("training", STUDY.training, low=0),
    )


def _weights(section: Section) -> Weights:
    return Weights(score=section.fraction("score"), study=section.fraction("study"))


def _registration(section: Section) -> Registration:
    return Registration(
        email_required=section.flag("email_required", default=REGISTRATION.email_required),
        approval_required=section.flag("approval_required", default=REGISTRATION.approval_required),
        team_size=section.whole("team_size", REGISTRATION.team_size),
        consent=section.markdown("consent", ""),
    )


def _uploads(section: Section) -> Uploads:
    return Uploads(
        max_bytes=section.whole("max_bytes", UPLOADS.max_bytes, high=LARGEST_FILE),
        grace_seconds=section.whole("grace_seconds", UPLOADS.grace_seconds, low=0, high=LONGEST_GRACE),
        team_bytes=section.limit("team_bytes", high=LARGEST_FILE),
    )
