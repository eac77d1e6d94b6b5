"""Submissions: for the team that hands them in, and for the organisers."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from raim.records.kept import Kept
from raim.records.record import Number, Paged, Record, Text, Wanted
from raim.records.states import STATES, named
from raim.records.teams import TeamEntry

Kind = Literal["scored", "feedback", "final"]
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 2, 30
Pixel = Annotated[int, Field(ge=0, le=1_000_000)]


class NewSubmission(Wanted):
    """What a submission begins with; the try is taken here, before the first byte."""

    phase: str | None = Field(default=None, max_length=80, description="the open phase if left out")
    kind: Kind = "scored"
    file_name: str = Field(default="submission.zip", max_length=500)
    n_bytes: int = Field(gt=0, lt=2**45)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    note: str = Field(default="", max_length=2000)


class UploadPlace(Record):
    """Where the file goes, by the tus protocol (HEAD, PATCH), and how much of it is there."""

    url: str
    offset: int


class QueuePlace(Record):
    """Where a submission stands in the queue."""

    position: int | None = Field(description="from 1; none if it does not wait to be scored")
    expected_at: datetime | None = Field(description="when its score is expected")


class Submission(Record):
    """A submission. `error` and `problems` say why it was refused or has failed."""

    id: int
    page: str = Field(description="path of its page")
    phase: str
    phase_title: str
    kind: Kind
    state: str
    team_id: int
    team: str
    sent_by: str
    file_name: str
    n_bytes: int
    has_file: bool = Field(default=False, description="whether the file has come whole and is kept")
    freed_at: datetime | None = Field(
        default=None, description="when its file was deleted, long after it was refused"
    )
    received_bytes: int
    sha256: str
    note: str
    received_at: datetime = Field(description="when it began: deadlines and tries go by that")
    state_at: datetime
    takes_try: bool
    is_chosen: bool
    rescore_asked_at: datetime | None
    error: str | None
    problems: list[str]
    notes: list[str]
    images_done: int
    images_total: int
    position: int | None = Field(description="in the queue, from 1")
    expected_at: datetime | None = Field(description="when its score is expected")
    score: Number
    unscorable: str | None = Field(description="why it has no score though it was scored")
    measures: dict[str, Number]
    scenarios: dict[str, dict[str, Number]]
    scorer_version: str | None
    is_in_force: bool = Field(description="whether the leaderboard shows this score")
    upload: UploadPlace | None

    def pause_s(self, now: datetime) -> int:
        """Return how long a page waits before it asks again: short where something is near, longer far from it."""
        away = now - self.state_at if self.expected_at is None else self.expected_at - now
        return min(max(SHORTEST_PAUSE_S, int(away.total_seconds() / 20)), LONGEST_PAUSE_S)

    @property
    def has_ended(self) -> bool:
        """Whether it stays in its state unless somebody acts."""
        return self.state in STATES and not STATES[self.state].is_under_way

    @property
    def is_good(self) -> bool:
        """Whether it has ended as it should."""
        return self.state in named("is_good")


class StartedSubmission(Record):
    """What to do next."""

    submission: Submission
    upload: UploadPlace


class SubmissionList(Paged):
    """A page of a team's submissions, newest first; organisers are given all teams'."""

    submissions: list[Submission]


class ImageResult(Record):
    """The measures of one image; without a score, `unscorable` says why."""

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


class Region(Record):
    """A part of an image, in pixels of the restored image: first column and row, then how many of each."""

    x: int
    y: int
    width: int
    height: int


class Comment(Record):
    """A comment of an organiser or of the team on a submission, on an image of it, or on a region of that."""

    author: str
    image: str | None
    region: Region | None
    text: str
    created_at: datetime
    is_shown_to_team: bool
    is_of_team: bool = Field(description="whether a member of the team wrote it, else an organiser")
    seen_at: datetime | None = Field(description="of a member's: when an organiser had read it")


class SubmissionDetails(Submission):
    """A submission with its images, their results and the comments that who asks may read."""

    images: dict[str, str | None] = Field(description="scenario of each image, by its name")
    results: list[ImageResult] = Field(description="those without a score first, then the worst")
    comments: list[Comment] = Field(description="oldest first")


class SubmissionImage(Record):
    """An image of a submission, with the names of its neighbours."""

    submission_id: int
    name: str
    scenario: str | None
    width: int
    height: int
    data_set: str
    result: ImageResult | None
    comments: list[Comment]
    has_input: bool = Field(description="whether who asks may see the input")
    has_reference: bool = Field(description="whether there is one that who asks may see")
    before: str | None
    after: str | None


class Target(Record):
    """What a team may hand in, and how often still; a limit that there is not is left out."""

    phase: str
    phase_name: str
    kind: Kind
    data_set: str
    n_images: int
    left_today: int | None
    left_in_all: int | None
    n_added: int = Field(description="tries in all that extensions of the phase have added")
    next_at: datetime | None
    phase_state: str
    is_for_team: bool
    is_open: bool


class SubmissionForm(Record):
    """What may be handed in now, and the rule of the deadline in words."""

    targets: list[Target]
    deadline: str
    max_bytes: int
    kept: Kept = Field(description="of the team's files")


class SubmissionLine(TeamEntry):
    """A line of the organisers' list."""

    team_id: int
    team: str
    is_verified: bool
    is_out_of_competition: bool
    is_asked_again: bool = Field(description="whether it is to be scored again")
    has_unread: bool = Field(description="whether its team wrote a comment that no organiser has read")
    remark: str = Field(description="the reason of its state, else the team's note")


class EveryTeamsList(Paged):
    """A page of all teams' submissions, newest first, with what was asked for and what may be."""

    submissions: list[SubmissionLine]
    team: str
    phase: str
    kind: str
    state: str
    flagged: str
    teams: dict[int, str]
    phases: dict[str, str]


class EntryScores(Record):
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
    is_in_force: bool


class LogEntry(Record):
    """What a worker says."""

    logged_at: datetime
    worker: str
    text: str


class SubmissionHistory(SubmissionDetails):
    """All that is known of a submission, for organisers; `shown` is the entry whose images are in `results`."""

    has_images: bool = Field(description="whether its check has found images, which are shown")
    login: str = Field(description="of who sent it")
    is_verified: bool
    is_out_of_competition: bool
    attempt: int = Field(description="how many leases it had")
    lease_owner: str | None
    lease_until: datetime | None
    flags: dict[str, str]
    unseen_flags: list[str] = Field(description="codes of flags that nobody has looked at")
    report: dict[str, Any] | None
    entries: list[EntryScores] = Field(description="results under all versions, newest first")
    shown: int | None
    log: list[LogEntry]


class SubmissionChange(Wanted):
    """What is to be otherwise; what is left out stays."""

    is_verified: bool | None = None
    is_out_of_competition: bool | None = None
    flags_looked_at: bool = False
    comments_read: bool = False


class NewComment(Wanted):
    """A comment on a submission, on one of its images, or on a region of that in pixels of the restored image."""

    text: Text
    image: Annotated[Text, Field(max_length=400)] | None = None
    region_x: Pixel | None = None
    region_y: Pixel | None = None
    region_width: Pixel | None = None
    region_height: Pixel | None = None
    is_shown_to_team: bool = True


class NewAnswer(Wanted):
    """A comment of the team on its submission, or on one of its images."""

    text: Text
    image: Annotated[Text, Field(max_length=400)] | None = None


class Asked(Record):
    """How many submissions were put into the queue."""

    submissions: int
