"""The records of a phase: when it is open, what it gives out and what teams hand in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from raim.challenge.settings import Counting
from raim.errors import unknown_name

PhaseKind = Literal["tuning", "feedback", "scored", "final"]
SubmissionKind = Literal["scored", "feedback", "final"]
Audience = Literal["public", "teams", "organisers"]
OpenTo = Literal["teams", "finalists"]

SUBMISSION_KINDS: tuple[SubmissionKind, ...] = ("scored", "feedback", "final")


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """One kind of submission that a phase takes; its tries are counted apart from those of other kinds.

    Attributes:
        on: Id of the data set whose restored images are handed in.
        tries_per_day: Submissions of one team in one day of the challenge; None is no limit.
        tries_in_all: Submissions of one team in the whole phase; None is no limit.
    """

    on: str
    tries_per_day: int | None = None
    tries_in_all: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """A part of the challenge. It is open from `opens` on and no longer at `closes`; both are in UTC.

    Attributes:
        id: How other tables name it; part of addresses.
        name: How people name it.
        opens: The first moment.
        closes: The first moment after it.
        text: What its page says, in Markdown.
        open_to: Whether every team or only finalists get its data and submit.
        gives_out: Ids of the data sets whose inputs can be downloaded from `opens` on.
        gives_references_of: Ids of the paired data sets whose references can be downloaded too.
        keeps_giving: Whether its downloads stay after it has closed.
        leaderboard: Who sees its leaderboard while it is open.
        leaderboard_after: Who sees its leaderboard when it has closed.
        counts: Which entry of a team counts on its leaderboard; None for what holds in the whole challenge.
        scored: Submissions that are scored against hidden references.
        feedback: Submissions that are not scored, for the organiser's comments.
        final: Complete sets that are handed over to the study.
    """

    id: str
    name: str
    opens: datetime
    closes: datetime
    text: str = ""
    open_to: OpenTo = "teams"
    gives_out: tuple[str, ...] = ()
    gives_references_of: tuple[str, ...] = ()
    keeps_giving: bool = True
    leaderboard: Audience = "public"
    leaderboard_after: Audience = "public"
    counts: Counting | None = None
    scored: Intake | None = None
    feedback: Intake | None = None
    final: Intake | None = None

    @property
    def kind(self) -> PhaseKind:
        """What it is for: its weightiest kind of submission, or "tuning" if it takes none."""
        if self.final:
            return "final"
        if self.scored:
            return "scored"
        return "feedback" if self.feedback else "tuning"

    @property
    def intakes(self) -> Mapping[SubmissionKind, Intake]:
        """The kinds of submission that it takes."""
        each = {"scored": self.scored, "feedback": self.feedback, "final": self.final}
        return {kind: intake for kind in SUBMISSION_KINDS if (intake := each[kind]) is not None}


def submission_kind(text: str) -> SubmissionKind:
    """Return the kind of submission of that name.

    Raises:
        UnknownNameError: There is none; the nearest is named.

    Example:
        >>> submission_kind("scored")
        'scored'
    """
    for kind in SUBMISSION_KINDS:
        if kind == text:
            return kind
    raise unknown_name("kind of submission", text, SUBMISSION_KINDS)
