"""The JSON forms of the organisers' part of the API, without those about people."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from raim.server.database.columns import LARGEST_ID
from raim.server.web.api.records import Number, Record
from raim.server.web.fields import clean_text

Words = Annotated[str, Field(max_length=30_000), AfterValidator(clean_text)]
Name = Annotated[str, Field(max_length=400), AfterValidator(clean_text)]
RowNumber = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Pixel = Annotated[int, Field(ge=0, le=1_000_000)]


class WorkerRecord(Record):
    """A live worker."""

    name: str
    doing: str
    seen_at: datetime
    version: str
    seconds_per_image: float | None


class FailureRecord(Record):
    """A submission that failed by our fault."""

    submission_id: int
    team: str
    failed_at: datetime
    reason: str


class NewVersionRecord(Record):
    """Versions of a data set whose results are not in force yet."""

    data_set: str
    scorer_version: str
    reference_version: str
    n_scored: int = Field(description="entries that have a result under them")
    n_entries: int


class OverviewRecord(Record):
    """How everything stands."""

    phases: dict[str, str] = Field(description="state of each phase, by its id")
    states: dict[str, int] = Field(description="submissions in each state")
    n_waiting: int
    images_waiting: int
    done_at: datetime | None
    workers: list[WorkerRecord]
    folder_free_bytes: int
    storage_free_bytes: int | None
    failures: list[FailureRecord] = Field(description="the newest of the last day")
    n_failures: int
    n_waiting_teams: int
    n_flagged: int
    n_silent_finalists: int
    new_versions: list[NewVersionRecord] = Field(description="scored beside those in force, until the switch")


class EntryRecord(Record):
    """Means of a submission under one pair of versions."""

    id: int
    scorer_version: str
    reference_version: str
    scored_at: datetime
    score: Number
    unscorable: str | None
    measures: dict[str, Number]
    scenarios: dict[str, dict[str, Number]]
    n_images: int
    n_scored: int


class LogRecord(Record):
    """A line of a worker."""

    logged_at: datetime
    worker: str
    text: str


class SubmissionDetails(Record):
    """What organisers see of a submission beside what its team does (GET /api/v1/submissions/{id})."""

    id: int
    team_id: int
    team: str
    state: str
    sent_by: str
    is_verified: bool
    is_out_of_competition: bool
    rescore_asked_at: datetime | None
    attempt: int
    lease_owner: str | None
    flags: dict[str, Any]
    unseen_flags: list[str] = Field(description="codes of flags that nobody has looked at")
    report: dict[str, Any] | None
    entries: list[EntryRecord] = Field(description="results under all versions, newest first")
    log: list[LogRecord]


class SubmissionChange(Record):
    """What is to be otherwise; what is left out stays."""

    is_verified: bool | None = None
    is_out_of_competition: bool | None = None
    flags_looked_at: bool = False


class RegionRecord(Record):
    """A part of an image, in pixels of the restored image."""

    x: Pixel
    y: Pixel
    width: Pixel
    height: Pixel


class NewComment(Record):
    """A comment on a submission, on one of its images, or on a part of it."""

    text: Words
    image: Name | None = None
    region: RegionRecord | None = None
    is_shown_to_team: bool = True


class Made(Record):
    """The number of what was made."""

    id: int


class Asked(Record):
    """How many submissions were put into the queue."""

    submissions: int


class PhaseChange(Record):
    """What is to be otherwise; what is left out stays. Times need a zone."""

    opens: AwareDatetime | None = None
    closes: AwareDatetime | None = None
    is_paused: bool | None = None


class PhaseDates(Record):
    """The dates of a phase in force, and those of challenge.toml."""

    id: str
    state: str
    opens: datetime
    closes: datetime
    stated_opens: datetime
    stated_closes: datetime
    paused_at: datetime | None


class RereadRecord(Record):
    """What came of reading challenge.toml again; with problems nothing was changed."""

    problems: list[str]
    notes: list[str]
    changes: list[str]
    to_rescore: list[str] = Field(description="phases whose entries were scored under other versions")


class NewAnnouncement(Record):
    """A text to everybody, in Markdown."""

    title: Name
    text: Words


class FinalistRecord(Record):
    """A place in the final."""

    id: int
    place: int
    team_id: int
    team: str
    invited_at: datetime
    accepted_at: datetime | None
    declined_at: datetime | None
    replaces: int | None


class Candidate(Record):
    """A team of the leaderboard that decides."""

    team_id: int
    team: str
    rank: int
    score: Number


class FinalistsRecord(Record):
    """The finalists, and who would be invited now."""

    places: int
    phase: str
    invited: list[FinalistRecord]
    proposed: list[Candidate]
    waiting: list[Candidate]
    tied_out: list[int] = Field(description="teams without a place that share the rank of one that has one")
    n_vacant: int


class Invited(Record):
    """Teams to be invited, in the order of places."""

    teams: list[RowNumber] = Field(max_length=1000)


class Answer(Record):
    """What a team has said."""

    answer: Literal["accept", "decline"]


class Replacement(Record):
    """Who takes the place."""

    team_id: RowNumber


class PointRecord(Record):
    """A point of the closing checklist."""

    key: str
    text: str
    is_done: bool
    left: list[str] = Field(default=[], description="what is missing")
    ticked_by: str | None = None
    ticked_at: datetime | None = None


class Checklist(Record):
    """The closing checklist."""

    computed: list[PointRecord]
    manual: list[PointRecord]


class VersionSwitch(Record):
    """How new versions are put in force."""

    even_incomplete: bool = Field(default=False, description="though entries have no result under them yet")


class Tick(Record):
    """Whether a point is done."""

    is_done: bool


class Publication(Record):
    """Who sees the gallery of results."""

    shown_to: Literal["everybody", "organisers"]


class EventRecord(Record):
    """Something that was done; without an actor the server did it."""

    id: int
    happened_at: datetime
    action: str
    actor: str | None
    subject: str
    subject_id: int | None
    address: str | None
    details: dict[str, Any]


class EventList(Record):
    """A page of the log, newest first."""

    events: list[EventRecord]
    n_rows: int
    page: int
    n_pages: int
