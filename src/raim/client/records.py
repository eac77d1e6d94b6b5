"""What a challenge server answers, as frozen records; an infinite number is written "inf" in JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from raim.records import STATES, named


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """A kind of submission that a phase takes.

    Attributes:
        kind: "scored", "feedback" or "final".
        data_set: Id of the data set whose inputs are restored.
        tries_per_day: None without a limit.
        tries_in_all: None without a limit.
        left_today: What the asking team has left; None without a limit or without a team.
        left_in_all: As above.
        next_at: When the team may submit next; None if there is no such time.
    """

    kind: str
    data_set: str
    tries_per_day: int | None = None
    tries_in_all: int | None = None
    left_today: int | None = None
    left_in_all: int | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """A phase of the challenge.

    Attributes:
        id: Its name for programs.
        name: Its name for people.
        state: "upcoming", "open", "paused" or "closed".
        opens: When it opens.
        closes: When it closes.
        deadline: The rule of the deadline in words.
        gives_out: Ids of the data sets whose inputs it gives out.
        intakes: What it takes.
    """

    id: str
    name: str
    state: str
    opens: datetime
    closes: datetime
    deadline: str = ""
    gives_out: tuple[str, ...] = ()
    intakes: tuple[Intake, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSet:
    """A data set; `may_get_inputs` and `may_get_references` hold for who asks, now."""

    id: str
    name: str
    kind: str
    n_images: int
    may_get_inputs: bool = False
    may_get_references: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """The challenge that a server runs.

    Attributes:
        id: Its name for programs.
        name: Its name for people.
        tagline: A line under the name.
        profile: Scoring profile.
        measures: Of the profile, in the order of tables.
        scorer_version: That of the leaderboard.
        max_bytes: The largest file that is taken.
        grace_seconds: How long after a deadline an upload may end that began before it.
        phases: In the order of time.
        data_sets: In the order of the challenge's file.
    """

    id: str
    name: str
    tagline: str = ""
    profile: str
    measures: tuple[str, ...]
    scorer_version: str = ""
    max_bytes: int
    grace_seconds: int = 0
    phases: tuple[Phase, ...]
    data_sets: tuple[DataSet, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Me:
    """Who asks, with what their team has left; `intakes` is by phase."""

    login: str
    role: str
    team: str | None = None
    team_id: int | None = None
    team_state: str | None = None
    is_finalist: bool = False
    intakes: Mapping[str, tuple[Intake, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardRow:
    """A line of a leaderboard; without a rank, `why_unranked` says why."""

    rank: int | None
    team: str
    submission_id: int
    score: float | None
    measures: Mapping[str, float | None]
    scenarios: Mapping[str, Mapping[str, float | None]]
    n_entries: int
    submitted_at: datetime
    is_verified: bool = False
    why_unranked: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaderboard:
    """The leaderboard of a phase, best first."""

    phase: str
    profile: str
    scorer_version: str
    rows: tuple[BoardRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """What the server knows of a submission.

    Attributes:
        id: Its number.
        page: Path of its page.
        phase: Id of the phase.
        kind: "scored", "feedback" or "final".
        state: One of receiving, checking, queued, scoring, scored, accepted, refused, failed, withdrawn, abandoned.
        team: The team's name.
        file_name: As it was sent.
        n_bytes: Length of the file.
        received_bytes: How much of it has come.
        sha256: Of the file.
        note: The team's own words.
        received_at: When it began: deadlines and tries go by that.
        state_at: Since when it is in its state.
        takes_try: Whether it counts against the team's tries.
        is_chosen: Whether the team wants it to count.
        error: Why it was refused or has failed.
        problems: All that the check found.
        notes: What the check remarked.
        images_done: Scored so far.
        images_total: To be scored.
        position: In the queue, from 1.
        expected_at: When its score is expected.
        score: Its SCORE; None before, or where an image has none.
        measures: Means.
        scenarios: Means for each scenario.
        scorer_version: Under which it was scored.
    """

    id: int
    page: str = ""
    phase: str
    kind: str
    state: str
    team: str = ""
    file_name: str = ""
    n_bytes: int
    received_bytes: int = 0
    sha256: str
    note: str = ""
    received_at: datetime
    state_at: datetime
    takes_try: bool = True
    is_chosen: bool = False
    error: str | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    images_done: int = 0
    images_total: int = 0
    position: int | None = None
    expected_at: datetime | None = None
    score: float | None = None
    measures: Mapping[str, float | None]
    scenarios: Mapping[str, Mapping[str, float | None]]
    scorer_version: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it stays in its state unless somebody acts."""
        return self.state in STATES and not STATES[self.state].is_under_way

    @property
    def is_good(self) -> bool:
        """Whether it has ended as it should."""
        return self.state in named("is_good")


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadPlace:
    """Where a file goes, and how much of it is there."""

    url: str
    offset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """A submission that has begun."""

    submission: Submission
    upload: UploadPlace


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmissionList:
    """Submissions, newest first."""

    submissions: tuple[Submission, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageResult:
    """The measures of one image; without a score, `unscorable` says why."""

    name: str
    scenario: str | None = None
    score: float | None
    measures: Mapping[str, float | None]
    unscorable: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """Measures of all images of a submission: those without a score first, then the worst."""

    submission_id: int
    scorer_version: str | None = None
    images: tuple[ImageResult, ...]
