"""Blinded studies: how one is made, how far its judges are, what came out. Never what was voted for before that."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BeforeValidator, Field

from raim.records.ranking import RankingRecord
from raim.records.record import Record, RowNumber, Text, Wanted


def _parts(pattern: str) -> BeforeValidator:
    """Read the parts of a list that a form sends in one field; empty ones are none."""

    def split(given: Any) -> Any:
        if not isinstance(given, list):
            return given
        texts = [re.split(pattern, each) if isinstance(each, str) else [each] for each in given]
        return [part for each in texts for part in each if not isinstance(part, str) or part.strip()]

    return BeforeValidator(split)


Name = Annotated[str, Field(max_length=400)]
Lines = Annotated[list[Annotated[Name, BeforeValidator(lambda text: str(text).strip())]], _parts(r"\n")]
Ticked = Annotated[list[RowNumber], _parts(r"\n")]
Points = Annotated[list[Annotated[int, Field(ge=0, le=1_000_000)]], _parts(r"[,;]")]
StudyState = Literal["draft", "open", "closed", "revealed", "discarded"]


class StudyBrief(Record):
    """A study in a list."""

    id: int
    title: str
    state: StudyState
    phase: str
    phase_name: str
    is_simulated: bool = Field(description="its votes were made by a program")
    n_entries: int
    n_images: int
    n_judges: int
    n_finished: int
    created_at: datetime


class StudyList(Record):
    """All studies, newest first; `phases` are those that one can be made of, by id."""

    studies: list[StudyBrief]
    phases: dict[str, str]


class ProposedTeam(Record):
    """A team's images for a study."""

    team_id: int
    team: str
    submission_id: int | None
    missing: list[str] = Field(description="names of images that are missing in the submission")
    is_whole: bool


class ProposedImage(Record):
    """An image that could be judged."""

    id: int
    name: str
    issue: str


class StudyProposal(Record):
    """What a study of a phase would be made of, and the design that challenge.toml states."""

    phase: str
    phase_name: str
    phases: dict[str, str] = Field(description="names of the phases that take final submissions")
    data_set: str = Field(description="empty where the phase takes no final submissions")
    entries: list[ProposedTeam]
    images: list[ProposedImage]
    design: dict[str, Any]
    seed: int = Field(description="drawn just now, for who has none")


class NewStudy(Wanted):
    """A study to be made; what is left out is as challenge.toml says, and everything whole takes part."""

    title: Name | None = None
    seed: int = Field(ge=0, le=2**53, description="all orders follow from it: take one that nobody guesses")
    submissions: Ticked | None = None
    images: Lines | None = None
    mode: Name | None = None
    points: Points | None = None
    tiles: int | None = Field(default=None, ge=0, le=1000, description="candidates at once; 0 for all")
    repeats_share: float | None = Field(default=None, ge=0, le=1)
    traps: int | None = Field(default=None, ge=0, le=1000)
    training: int | None = Field(default=None, ge=0, le=1000)
    criteria: Lines | None = None
    conflicts: Literal["exclude-judge", "hide-tile"] | None = None
    judges: int | None = Field(default=None, ge=1, le=10_000)
    min_width: int = Field(default=1280, ge=320, le=20_000)
    min_height: int = Field(default=720, ge=240, le=20_000)
    instructions: Text = ""


class TileFault(Record):
    """An image whose tiles could not be made."""

    image: str
    error: str


class ComparedEntry(Record):
    """What is compared."""

    id: int
    team_id: int
    team: str
    submission_id: int
    left_out: str | None = Field(description="why it was left out after the vote")


class JudgeProgress(Record):
    """How far a judge is; never what they have voted for."""

    id: int
    number: int
    name: str
    email: str | None
    state: Literal["invited", "has begun", "voting", "finished", "revoked", "invited again"]
    n_trials: int | None = Field(description="drawn for them; null before they began")
    n_done: int
    median_s: float | None = Field(description="of the time that they looked at a trial")
    left_s: float | None = Field(description="estimated time for the open trials at that pace")
    ties: list[int] = Field(description="teams that they have a tie to")
    flags: list[str] = Field(description="what an organiser should look at")
    screen_is_fine: bool | None
    invited_at: datetime
    reminded_at: datetime | None
    begun_at: datetime | None
    seen_at: datetime | None
    finished_at: datetime | None
    revoked_at: datetime | None
    excluded: str | None = Field(description="why their votes are left out of the main result")


class StudyDetails(Record):
    """A study as it stands; never what was voted for."""

    id: int
    title: str
    state: StudyState
    phase: str
    phase_name: str
    is_simulated: bool
    design: dict[str, Any]
    instructions: str
    entries: list[ComparedEntry]
    judges: list[JudgeProgress] = Field(description="in the order of their invitations")
    n_images: int
    n_tiles_made: int
    n_faults: int
    faults: list[TileFault]
    created_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    revealed_at: datetime | None
    discarded_at: datetime | None

    @property
    def unfinished(self) -> list[JudgeProgress]:
        """Judges who may vote and have not said that they are done."""
        return [each for each in self.judges if each.finished_at is None and each.revoked_at is None]

    @property
    def seen_at(self) -> datetime | None:
        """When a judge was last there."""
        return max((each.seen_at for each in self.judges if each.seen_at is not None), default=None)


class StudyStep(Wanted):
    """The next step of a study."""

    step: Literal["open", "close", "reopen", "reveal", "discard"]
    reason: Text = Field(default="", description="why it is opened again or put aside")
    is_sure: bool = Field(default=False, description="close it though judges have not finished")


class NewJudges(Wanted):
    """Judges to be invited, all or none: one by name, or all of some lines."""

    name: Name = ""
    email: Name = ""
    lines: Text = Field(default="", description="one judge a line: name, e-mail")
    ties: Ticked = Field(default=[], description="teams that all of them have a tie to")


class JudgeLink(Record):
    """A judge's link, with a mail that brings it; shown only here and now."""

    judge_id: int
    name: str
    email: str
    is_mailed: bool = Field(False, description="the server mails it")
    link: str
    subject: str
    letter: str

    @property
    def mailto(self) -> str:
        """Address that opens the organiser's own mail program with the letter."""
        return f"mailto:{quote(self.email, safe='@')}?subject={quote(self.subject)}&body={quote(self.letter)}"


class JudgeLinks(Record):
    """Links of judges; shown only here and now."""

    links: list[JudgeLink]


class PreviewLink(Record):
    """A link under which an organiser looks at the study as a judge does."""

    link: str
    token: str


class JudgeChange(Wanted):
    """What is to be otherwise; what is left out stays."""

    is_revoked: bool = False
    ties: Ticked | None = None


class LeavingOut(Wanted):
    """Why a judge's votes, or an entry, do not count in the main result; or that they do again."""

    reason: Text = ""
    is_back: bool = False


class StudyFileName(Record):
    """A file of a revealed study."""

    name: str
    title: str


class StudyResults(Record):
    """The results of a revealed study; judges stand in it without names."""

    id: int
    title: str
    is_simulated: bool
    ranking: RankingRecord
    excluded_judges: dict[str, str] = Field(
        description="for each judge who is left out of the main result: why"
    )
    analysis: dict[str, Any]
    files: list[StudyFileName]
    seed: int
    # For the page: numbers as they are, and the rows of judges by their names in results.
    found: Any = Field(exclude=True)
    charts: Any = Field(exclude=True)
    judge_ids: dict[str, int] = Field(exclude=True)
