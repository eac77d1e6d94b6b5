"""What everybody sees of a challenge: phases, data sets, rules, announcements; and who asks."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from raim.records.record import Number, Record, Text, Wanted
from raim.records.teams import Terms


class TopEntry(Record):
    """One of the first of a leaderboard."""

    rank: int | None
    team: str
    score: Number


class ListedChallenge(Record):
    """A challenge of this server, by the id of its addresses."""

    id: str
    name: str
    page: str
    tagline: str
    status: str = Field(description="draft (seen by its organisers only), open, paused or retired")
    when: str = Field(description="coming, running or closed")
    opens: datetime
    closes: datetime
    n_teams: int
    open_phases: list[str]
    board: str = Field(description="name of the phase whose leaderboard `top` is of; empty without one")
    top: list[TopEntry] = Field(description="its first three, as everybody may see them")


class ChallengeList(Record):
    """The challenges of this server that who asks may see, those that open first ahead."""

    listed: list[ListedChallenge]


class Enrolment(ChallengeList):
    """The challenges in which somebody may still make a team, with what each asks of them."""

    terms: dict[str, Terms] = Field(description="by the challenge's id")


class NewTeams(Wanted):
    """One team, by the same name, in each of several challenges."""

    name: Text
    challenges: Annotated[list[str], Field(min_length=1, max_length=100)] = Field(description="ids")
    consents: list[str] = Field(default=[], description="ids of those whose text they agree to")


class Intake(Record):
    """A kind of submission that a phase takes, with what the asking team has left."""

    kind: str
    data_set: str
    tries_per_day: int | None
    tries_in_all: int | None
    left_today: int | None = None
    left_in_all: int | None = None
    next_at: datetime | None = None


class Extension(Record):
    """That a phase was made to close later, and what became of the tries in all: none added, or as its length grew."""

    extended_at: datetime
    closes_before: datetime
    closes_after: datetime
    reason: str
    tries: Literal["none", "pro rata"]


class Phase(Record):
    """A phase; `extensions` is what was done to its deadline, oldest first."""

    id: str
    name: str
    state: str
    opens: datetime
    closes: datetime
    deadline: str
    gives_out: list[str]
    intakes: list[Intake]
    extensions: tuple[Extension, ...] = ()


class DataSet(Record):
    """A data set; what may be got holds for who asks, now, and `why_no_*` says why it may not."""

    id: str
    name: str
    text: str
    kind: str
    n_images: int
    may_get_inputs: bool
    may_get_references: bool
    why_no_inputs: str
    why_no_references: str


class Announcement(Record):
    """A text of the organisers, in Markdown."""

    id: int
    title: str
    text: str
    published_at: datetime


class Challenge(Record):
    """The challenge, with what is on now and the newest announcements."""

    id: str
    name: str
    tagline: str
    profile: str
    measures: list[str]
    scorer_version: str
    max_bytes: int
    grace_seconds: int
    phases: list[Phase]
    data_sets: list[DataSet]
    current_phase: str | None
    next_phase: str | None
    announcements: list[Announcement]


class Term(Record):
    """A term of SCORE: a measure, mapped linearly and weighted."""

    measure: str
    is_higher_better: bool
    weight: float
    zero_at: float
    one_at: float


class ScoringRules(Record):
    """What SCORE is made of; the words of the rules are Markdown."""

    text: str
    profile: str
    note: str
    border_px: int
    terms: list[Term]


class Me(Record):
    """Who asks."""

    login: str
    role: str
    team: str | None
    team_id: int | None
    team_state: str | None
    is_finalist: bool
    intakes: dict[str, list[Intake]] = Field(description="by phase")


class Document(Record):
    """The routes of the API, as OpenAPI has them."""

    paths: dict[str, Any]
