"""The JSON forms of the API."""

import math
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

Number = float | str | None  # JSON has no infinity: it is written "inf"


def as_plain(value: float | None) -> Number:
    """Give a number as JSON may hold it.

    Example:
        >>> as_plain(math.inf), as_plain(1.5), as_plain(None)
        ('inf', 1.5, None)
    """
    return value if value is None or math.isfinite(value) else str(value)


class Record(BaseModel):
    """Base of all forms; unknown fields of requests are refused, so that a misspelt one is told."""

    model_config = ConfigDict(extra="forbid")


class Fault(Record):
    """What went wrong."""

    code: str
    message: str
    problems: list[str] = []


class Failure(Record):
    """Every answer that is not a success."""

    error: Fault


class IntakeRecord(Record):
    """A kind of submission that a phase takes, with what the asking team has left."""

    kind: str
    data_set: str
    tries_per_day: int | None
    tries_in_all: int | None
    left_today: int | None = None
    left_in_all: int | None = None
    next_at: datetime | None = None


class PhaseRecord(Record):
    """A phase."""

    id: str
    name: str
    state: str
    opens: datetime
    closes: datetime
    deadline: str
    gives_out: list[str]
    intakes: list[IntakeRecord]


class DataSetRecord(Record):
    """A data set; `may_get_*` hold for who asks, now."""

    id: str
    name: str
    kind: str
    n_images: int
    may_get_inputs: bool
    may_get_references: bool


class ChallengeRecord(Record):
    """The challenge."""

    id: str
    name: str
    tagline: str
    profile: str
    measures: list[str]
    scorer_version: str
    max_bytes: int
    grace_seconds: int
    phases: list[PhaseRecord]
    data_sets: list[DataSetRecord]


class AnnouncementRecord(Record):
    """A text of the organisers, in Markdown."""

    id: int
    title: str
    text: str
    published_at: datetime


class MeRecord(Record):
    """Who asks."""

    login: str
    role: str
    team: str | None
    team_id: int | None
    team_state: str | None
    is_finalist: bool
    intakes: dict[str, list[IntakeRecord]] = Field(description="by phase")


class NewSubmission(Record):
    """What a submission begins with; the try is taken here, before the first byte."""

    phase: str | None = Field(default=None, max_length=80, description="the open phase if left out")
    kind: str = Field(default="scored", max_length=20)
    file_name: str = Field(default="submission.zip", max_length=500)
    n_bytes: int = Field(gt=0, lt=2**45)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    note: str = Field(default="", max_length=2000)


class UploadRecord(Record):
    """Where the file goes, by the tus protocol (HEAD, PATCH)."""

    url: str
    offset: int


class SubmissionRecord(Record):
    """A submission. `error` and `problems` say why it was refused or has failed."""

    id: int
    page: str
    phase: str
    kind: str
    state: str
    team: str
    file_name: str
    n_bytes: int
    received_bytes: int
    sha256: str
    note: str
    received_at: datetime
    state_at: datetime
    takes_try: bool
    is_chosen: bool
    error: str | None
    problems: list[str]
    notes: list[str]
    images_done: int
    images_total: int
    position: int | None = Field(description="in the queue, from 1")
    expected_at: datetime | None = Field(description="when its score is expected")
    score: Number
    measures: dict[str, Number]
    scenarios: dict[str, dict[str, Number]]
    scorer_version: str | None
    upload: UploadRecord | None = None


class StartedSubmission(Record):
    """What to do next."""

    submission: SubmissionRecord
    upload: UploadRecord


class SubmissionList(Record):
    """Submissions, newest first."""

    submissions: list[SubmissionRecord]


class ImageResult(Record):
    """The measures of one image."""

    name: str
    scenario: str | None
    score: Number
    measures: dict[str, Number]
    unscorable: str | None


class ResultList(Record):
    """Measures of all images: those without a score first, then the worst."""

    submission_id: int
    scorer_version: str | None
    images: list[ImageResult]


class CommentRecord(Record):
    """An organiser's comment; the region is in pixels of the restored image."""

    author: str
    image: str | None
    region: list[int] | None
    text: str
    created_at: datetime


class CommentList(Record):
    """Comments, oldest first."""

    comments: list[CommentRecord]
