"""The JSON forms of the organisers' API about blinded studies."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from raim.challenge.modes import MODES, check_mode
from raim.server.web.api.desk_records import Name, RowNumber, Words
from raim.server.web.api.records import Number, Record

Mode = Annotated[str, AfterValidator(check_mode), Field(json_schema_extra={"enum": list(MODES)})]


class StudyBrief(Record):
    """A study in a list."""

    id: int
    title: str
    state: str
    phase: str
    is_simulated: bool = Field(description="its votes were made by a program")
    n_entries: int
    n_images: int
    n_judges: int
    n_finished: int
    created_at: datetime


class StudyList(Record):
    """All studies, newest first."""

    studies: list[StudyBrief]


class ProposedEntryRecord(Record):
    """A team's images for a study."""

    team_id: int
    team: str
    submission_id: int | None
    missing: list[str] = Field(description="names of images that the submission lacks")
    is_whole: bool


class ProposedImage(Record):
    """An image that could be judged."""

    name: str
    issue: str


class ProposalRecord(Record):
    """What a study of a phase would be made of, and the design that challenge.toml states."""

    phase: str
    data_set: str
    entries: list[ProposedEntryRecord]
    images: list[ProposedImage]
    design: dict[str, Any]


class NewStudy(Record):
    """A study to be made; what is left out is as challenge.toml says, and everything whole takes part."""

    phase: Name | None = None
    title: Name | None = None
    seed: int = Field(ge=0, le=2**53, description="all orders follow from it: take one that nobody guesses")
    submissions: list[RowNumber] | None = None
    images: list[Name] | None = None
    mode: Mode | None = None
    points: list[int] | None = None
    tiles: int | None = Field(default=None, ge=0, le=1000, description="candidates at once; 0 for all")
    repeats_share: float | None = Field(default=None, ge=0, le=1)
    traps: int | None = Field(default=None, ge=0, le=1000)
    training: int | None = Field(default=None, ge=0, le=1000)
    criteria: list[Name] | None = None
    conflicts: Literal["exclude-judge", "hide-tile"] | None = None
    judges: int | None = Field(default=None, ge=1, le=10_000)
    min_width: int = Field(default=1280, ge=320, le=20_000)
    min_height: int = Field(default=720, ge=240, le=20_000)
    instructions: Words = ""


class FaultRecord(Record):
    """An image whose tiles could not be made."""

    image: str
    error: str


class StudyEntryRecord(Record):
    """What is compared."""

    id: int
    team_id: int
    team: str
    submission_id: int
    left_out: str | None = Field(description="why it was left out after the vote")


class StudyRecord(Record):
    """A study as it stands; never what was voted for."""

    id: int
    title: str
    state: str
    phase: str
    is_simulated: bool
    design: dict[str, Any]
    entries: list[StudyEntryRecord]
    n_images: int
    n_tiles_made: int
    n_faults: int
    faults: list[FaultRecord]
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    revealed_at: datetime | None
    discarded_at: datetime | None


class StudyStep(Record):
    """The next step of a study."""

    step: Literal["open", "close", "reopen", "reveal", "discard"]
    reason: Words = Field(default="", description="why it is opened again or put aside")
    is_sure: bool = Field(default=False, description="close it though judges have not finished")


class JudgeRecord(Record):
    """How far a judge is; never what they have voted for."""

    id: int
    number: int
    name: str
    email: str | None
    state: str
    n_trials: int | None
    n_done: int
    median_s: float | None
    left_s: float | None
    ties: list[int] = Field(description="teams that they have a tie to")
    flags: list[str]
    screen_is_fine: bool | None
    invited_at: datetime
    reminded_at: datetime | None
    seen_at: datetime | None
    finished_at: datetime | None
    revoked_at: datetime | None
    excluded: str | None = Field(description="why their votes are left out of the main result")


class JudgeList(Record):
    """The judges of a study, in the order of their invitations."""

    judges: list[JudgeRecord]


class NewJudge(Record):
    """Somebody to be invited."""

    name: Name
    email: Name = ""


class NewJudges(Record):
    """Judges to be invited, all or none."""

    judges: list[NewJudge] = Field(min_length=1, max_length=500)
    ties: list[RowNumber] = Field(default=[], description="teams that all of them have a tie to")


class JudgeLinkRecord(Record):
    """A judge's link; it is told only now."""

    judge_id: int
    name: str
    email: str
    link: str


class JudgeLinks(Record):
    """Links of judges; they are told only now."""

    links: list[JudgeLinkRecord]


class PreviewLink(Record):
    """A link under which an organiser looks at the study as a judge does."""

    link: str


class JudgeChange(Record):
    """What is to be otherwise; what is left out stays."""

    is_revoked: Literal[True] | None = None
    ties: list[RowNumber] | None = None
    excluded: Words | None = Field(
        default=None,
        description="why their votes are left out of the main result; an empty text counts them again",
    )


class EntryChange(Record):
    """Whether an entry is ranked."""

    left_out: Words = Field(description="why it is left out after the vote; an empty text takes it back in")


class RankedRecord(Record):
    """A team in the final ranking."""

    rank: int | None
    team: str
    score: Number
    points: Number
    points_low: Number = None
    points_high: Number = None
    normalised: Number
    final: Number
    award: str = ""
    why_unranked: str = ""


class RankingRecord(Record):
    """The final ranking: weights x (SCORE, normalised points of the study)."""

    title: str
    is_simulated: bool = Field(description="the votes were made by a program")
    rows: list[RankedRecord]
    left_out: list[RankedRecord] = Field(description="left out after the vote, with the reason")
    with_left_out: list[RankedRecord] = Field(
        description="the ranking as if nobody had been left out; else empty"
    )
    note: str


class StudyResultsRecord(Record):
    """The results of a revealed study."""

    ranking: RankingRecord
    excluded_judges: dict[str, str] = Field(
        description="for each judge who is left out of the main result: why"
    )
    analysis: dict[str, Any]
