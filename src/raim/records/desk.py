"""The organisers' desk: how everything stands, phases, announcements, finalists, the closing checklist."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from raim.records.challenge import Extension
from raim.records.kept import BUNDLES, Kept
from raim.records.record import Number, Paged, Record, RowNumber, Text, Wanted
from raim.records.states import named

PhaseState = Literal["upcoming", "open", "paused", "closed"]


class Worker(Record):
    """A live worker."""

    name: str
    challenges: list[str] = Field(
        description="ids of those that it serves, to organisers only their own; none for all"
    )
    doing: str = Field(description='what it does, in words; "" for nothing')
    sandbox: str = Field(
        description="what holds back its decoder of images, and what its machine does not have"
    )
    seen_at: datetime = Field(description="its last heartbeat")
    version: str = Field(description="of raim")
    seconds_per_image: float | None = Field(description="what one restored image takes it")


class Queue(Record):
    """How the queue stands."""

    states: dict[str, int] = Field(description="submissions in each state that has any")
    workers: list[Worker]
    n_waiting: int = Field(description="submissions that wait to be scored, also those that are scored again")
    images_waiting: int = Field(description="restored images still to be scored, with what is under way")
    done_at: datetime | None = Field(description="when all are expected to be scored")

    @property
    def n_in_check(self) -> int:
        """Submissions that wait for their check, or are being checked."""
        return sum(self.states.get(state, 0) for state in named("is_in_check"))


class NewVersion(Record):
    """Versions of a data set that are scored beside those in force, until an organiser switches."""

    data_set: str
    scorer_version: str
    reference_version: str
    n_scored: int = Field(description="entries that have a result under them")
    n_entries: int = Field(description="all scored entries")

    @property
    def is_complete(self) -> bool:
        """Whether a switch takes no entry off the board."""
        return self.n_scored == self.n_entries


class Failed(Record):
    """A submission that failed by our fault."""

    submission_id: int
    team_id: int
    team: str
    failed_at: datetime
    reason: str


class PhaseDates(Record):
    """A phase, its dates in force, and those of challenge.toml."""

    id: str
    name: str
    state: PhaseState
    opens: datetime
    closes: datetime
    stated_opens: datetime
    stated_closes: datetime
    paused_at: datetime | None
    is_scored: bool
    n_scored: int
    n_rescored: int = Field(description="of them, those that wait to be scored again")
    extensions: tuple[Extension, ...] = ()


class Overview(Record):
    """How everything stands, and what waits for an organiser."""

    phases: list[PhaseDates]
    queue: Queue
    folder_free_bytes: int
    storage_free_bytes: int | None
    kept: Kept = Field(description="of this challenge")
    bundle_bytes: int = Field(description=BUNDLES)
    failures: list[Failed] = Field(description="the newest of the last day")
    n_failures: int
    n_waiting_teams: int
    n_flagged: int
    n_unread: int = Field(description="comments of teams that no organiser has read")
    n_silent_finalists: int
    new_versions: list[NewVersion]


class VersionSwitch(Wanted):
    """How new versions are put in force."""

    even_incomplete: bool = Field(default=False, description="though entries have no result under them yet")


class PhaseList(Record):
    """All phases; entries are scored by this profile under this version."""

    phases: list[PhaseDates]
    profile: str
    scorer_version: str


class PhaseChange(Wanted):
    """What is to be otherwise; what is left out stays. A time without an offset is in `zone`."""

    opens: Text | None = Field(default=None, description="such as 2026-03-31T12:00:00Z")
    closes: Text | None = None
    zone: Text | None = Field(default=None, description="such as Europe/Zurich")
    is_paused: bool | None = None


class NewExtension(Wanted):
    """Until when a phase is open instead, why, and what becomes of tries. A time without an offset is in `zone`."""

    closes: Text = Field(description="such as 2026-03-31T12:00:00Z")
    zone: Text | None = Field(default=None, description="such as Europe/Zurich")
    reason: Text = Field(description="everybody reads it beside the phase")
    tries: Literal["none", "pro rata"] = Field(
        description='"pro rata": tries in all grow as the length of the phase does, rounded up'
    )


class FileReading(Record):
    """What came of reading challenge.toml again; with problems nothing was changed."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    to_rescore: tuple[str, ...] = Field(
        default=(), description="phases whose entries were scored under other versions"
    )


class NewAnnouncement(Wanted):
    """A text to everybody, in Markdown."""

    title: Text
    text: Text


class AnnouncementDetails(Record):
    """An announcement, as organisers see it."""

    id: int
    title: str
    text: str
    author: str
    published_at: datetime | None
    withdrawn_at: datetime | None


class AnnouncementList(Paged):
    """A page of all announcements, newest first."""

    announcements: list[AnnouncementDetails]


class FinalistPlace(Record):
    """A place in the final, and who has it."""

    id: int
    place: int
    team_id: int
    team: str
    score: Number
    invited_at: datetime
    accepted_at: datetime | None
    declined_at: datetime | None
    replaces: int | None
    is_replaced: bool


class FinalistCandidate(Record):
    """A team of the leaderboard that decides."""

    team_id: int
    team: str
    rank: int
    score: Number
    replaces: str | None = Field(default=None, description="a team before it, which declined")
    is_invited: bool
    is_tied_out: bool = Field(description="has no place, and shares the rank of a team that has one")


class FinalistList(Record):
    """The finalists, and who would be invited now; without places the challenge has no final."""

    places: int | None = None
    phase: str = Field(default="", description="the one that decides")
    closes: datetime | None = None
    n_old: int = Field(default=0, description="entries that wait to be scored again")
    invited: tuple[FinalistPlace, ...] = ()
    proposed: tuple[FinalistCandidate, ...] = ()
    waiting: tuple[FinalistCandidate, ...] = ()
    n_vacant: int = 0


class Invited(Wanted):
    """Teams to be invited, in the order of places."""

    teams: list[RowNumber] = Field(default=[], max_length=1000)


class Replacement(Wanted):
    """Who takes the place."""

    team_id: RowNumber


class Point(Record):
    """A point of the closing checklist; the server answers it, or an organiser ticks it."""

    key: str
    text: str = Field(description="what has to be so")
    is_done: bool
    left: tuple[str, ...] = Field(default=(), description="what is missing, in words")
    ticked_by: str | None = None
    ticked_at: datetime | None = None


class Checklist(Record):
    """The closing checklist."""

    computed: list[Point]
    manual: list[Point]
    published_at: datetime | None = Field(description="since when everybody sees ranking and gallery")


class Tick(Wanted):
    """Whether a point is done."""

    point: Text
    is_done: bool


class Publication(Wanted):
    """Who sees ranking and gallery."""

    shown_to: Literal["everybody", "organisers"]


class ExportFile(Record):
    """A table that can be downloaded, as CSV and as JSON."""

    name: str
    title: str


class ExportList(Record):
    """What can be downloaded."""

    everything: str
    tables: list[ExportFile]
