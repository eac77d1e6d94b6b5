"""What a judge sees and sends; nothing in it names a team."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from raim.records.record import Record, Wanted

Part = Literal["training", "voting"]
Label = Annotated[str, Field(max_length=8)]
Place = Annotated[int, Field(ge=0, le=1_000_000)]
Length = Annotated[int, Field(ge=0, le=100_000)]
Count = Annotated[int, Field(ge=0, le=100)]


class JudgeInvitation(Record):
    """What a judge's link is for."""

    token: str
    title: str
    state: str = Field(description="draft, open, closed, revealed or discarded")
    takes_votes: bool
    is_begun: bool
    min_width: int
    min_height: int


class Judging(Record):
    """How far a judge is, and what the study asks of them."""

    state: str = Field(description="draft, open, closed, revealed or discarded")
    mode: str
    criteria: list[str]
    instructions: str
    min_width: int = Field(description="of the window, CSS pixels")
    min_height: int
    takes_votes: bool = Field(description="the study is open, and the judge has not finished")
    is_finished: bool
    is_instructed: bool
    screen_is_fine: bool | None = Field(description="of the last check; none before the first")
    screen_fault: str
    n_training: int = Field(description="training trials that were drawn")
    n_training_open: int
    n_trials: int
    unvoted: list[int] = Field(description="places of trials without a vote")

    @property
    def is_ready(self) -> bool:
        """Whether the judge may see trials: the screen is fine and the instructions were read."""
        return self.takes_votes and self.screen_is_fine is True and self.is_instructed

    @property
    def next_step(self) -> str:
        """What is to be done next, as the rest of an address."""
        if not self.takes_votes:
            return "done"
        if not self.screen_is_fine:
            return "screen"
        if not self.is_instructed:
            return "instructions"
        if self.n_training_open and len(self.unvoted) == self.n_trials:
            return "vote?part=training"
        return "vote" if self.unvoted else "done"


class TrialsPage(Record):
    """The one page of all trials, whose script asks for them."""

    part: Part
    position: int
    total: int
    mode: str
    min_width: int
    min_height: int
    keeper: str = Field(description="under which the browser keeps votes that it could not send yet")


class ScreenFacts(Wanted):
    """What the judge's page found out about the screen; lengths in CSS pixels."""

    window_width: Length
    window_height: Length
    screen_width: Length
    screen_height: Length
    pixel_ratio: float = Field(gt=0, le=20, description="device pixels of one CSS pixel")
    zoom_percent: int | None = Field(default=None, ge=1, le=1000, description="as far as it is known")
    colour_depth: int = Field(ge=0, le=128, description="bits a pixel")
    gamut: str = Field(default="", max_length=20, description="srgb, p3, rec2020 or nothing")
    has_mouse: bool = Field(default=True, description="something points finely, unlike on phones and tablets")
    dark_patches: tuple[Count, Count] = Field(default=(0, 0), description="seen, shown")
    bright_patches: tuple[Count, Count] = Field(default=(0, 0), description="seen, shown")
    colours_right: bool = Field(default=True, description="the odd colours were found")


class ScreenVerdict(Record):
    """Whether a screen is good enough to judge on."""

    is_fine: bool
    why: str
    next: str = Field(description="path of what comes next")


class MarkedRegion(Wanted):
    """A place that a judge has marked, in pixels of the candidates; its label may be "input"."""

    label: Label
    x: Place
    y: Place
    width: Place
    height: Place


class Ballot(Wanted):
    """A vote by labels."""

    choice: Annotated[tuple[Label, ...], Field(max_length=100)] = Field(
        default=(), description="best first; fewer than asked for, or none, is a partial vote"
    )
    ratings: Annotated[dict[Label, int], Field(max_length=100)] = Field(
        default={}, description="each label's grade, 1 bad to 5 excellent"
    )
    reasons: Annotated[
        dict[Label, Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=50)]],
        Field(max_length=100),
    ] = Field(default={}, description="the criteria that decided for a label")
    regions: Annotated[tuple[MarkedRegion, ...], Field(max_length=100)] = ()
    seconds: float = Field(
        default=0.0, ge=0, le=1e7, allow_inf_nan=False, description="looked at so far, without pauses"
    )


class SavedVote(Record):
    """A vote was kept."""

    saved_at: datetime
    done: int
    total: int


class Candidate(Record):
    """A restoration under its label."""

    label: str
    tiles: str = Field(description="path of its tiles, to be followed by /LEVEL/COLUMN_ROW.png")


class JudgeTrial(Record):
    """A trial as its judge sees it."""

    part: Part
    position: int
    total: int
    done: int
    open: list[int]
    n_picks: int
    image: dict[str, Any] = Field(description="width, height, edge of a tile, number of levels")
    input: dict[str, Any] = Field(description="path of its tiles, and its size")
    candidates: list[Candidate]
    vote: Ballot | None
    criteria: list[str]
    is_locked: bool
    seconds_per_trial: float | None
