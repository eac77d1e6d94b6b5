"""The JSON forms of the organisers' part of the API, without those about people."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from raim.server.database.columns import LARGEST_ID
from raim.server.web.api.records import Number, Record
from raim.server.web.fields import clean_text

Words = Annotated[str, Field(max_length=30_000), AfterValidator(clean_text)]
Name = Annotated[str, Field(max_length=400), AfterValidator(clean_text)]
RowNumber = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Pixel = Annotated[int, Field(ge=0, le=1_000_000)]


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
