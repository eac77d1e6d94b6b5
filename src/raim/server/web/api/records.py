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
