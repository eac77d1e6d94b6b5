"""What the report of a closed challenge is made of: one record, from a server's folder or from plain files alike.

Nothing of it needs the rest: a challenge that ran elsewhere may have two columns, scores and points; then the report
has the ranking and leaves the other parts out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from raim.challenge import Award, FinalRanking
from raim.errors import item_error
from raim.study.findings import Analysis
from raim.study.votes import Ballots

T = TypeVar("T")
Failures = dict[str, str]  # what failed, and why
SIMULATED = "The votes are simulated: a program made them, no judge has looked."


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamMaterial:
    """What is known of a team.

    Attributes:
        team: Its name; the same as in the ranking, the analysis and the pictures.
        score: S2, its SCORE; None if it has none.
        measures: Mean of each measure by its key, such as "psnr"; empty if they are not known.
        scenarios: For each scenario the means of the measures and of "score".
        fact_sheet: What the team says of its method, label to text, in order.
        left_out: Why it is left out after the vote; "" if it is not.
        incomplete: How many of its images have a score, if some are without one; "" if all have one.
        n_submissions: Of the whole challenge; None if it is not known.
    """

    team: str
    score: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    scenarios: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    fact_sheet: Mapping[str, str] = field(default_factory=dict)
    left_out: str = ""
    incomplete: str = ""
    n_submissions: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseMaterial:
    """A phase, for the text.

    Attributes:
        name: For people.
        opens: Aware time.
        closes: Aware time.
    """

    name: str
    opens: datetime
    closes: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """One submission of the time line.

    Attributes:
        at: When it came, an aware time.
        team: Whose it is.
        score: Its SCORE; None if it has none.
    """

    at: datetime
    team: str
    score: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageMaterial:
    """An image of the study.

    Attributes:
        name: The stem of its files.
        issue: What is difficult in it; "" if it is not said.
    """

    name: str
    issue: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureSource:
    """Where the pictures come from; encoded files, to be read with `raim.images.read_image`.

    Attributes:
        images: In their order.
        read_input: Gives the file of an input by the image's name.
        read_restored: Gives the file of a team's restored image (team, image's name); None if the team has none.
        unreadable: Why the whole folder or zip of a team (or "input") cannot be read.
    """

    images: tuple[ImageMaterial, ...]
    read_input: Callable[[str], bytes]
    read_restored: Callable[[str, str], bytes | None]
    unreadable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """All that a report says.

    Attributes:
        title: Name of the challenge.
        tagline: One line under it.
        organisers: Names, with affiliation where there is one.
        created_at: When the report is made, an aware time; None leaves it out.
        raim_version: With which it is made.
        is_simulated: Whether a program made the votes, which every page, table and figure then says.
        profile: Name of the scoring profile; "" if it is not known.
        phases: In the order of time.
        participation: Counts for the text, label to number, such as "teams that registered".
        teams: Everybody who is in the ranking or was left out of it; more may be there.
        ranking: The result.
        analysis: What the votes say; None if only points are known.
        ballots: The votes, for the files of data; None if only points are known.
        timeline: Every submission, in the order of time.
        awards: Best first.
        prizes: A line each.
        notes: What a reader must know beyond the records' own notes.
        pictures: None if there are none.
    """

    title: str
    tagline: str = ""
    organisers: tuple[str, ...] = ()
    created_at: datetime | None = None
    raim_version: str = ""
    is_simulated: bool = False
    profile: str = ""
    phases: tuple[PhaseMaterial, ...] = ()
    participation: Mapping[str, int] = field(default_factory=dict)
    teams: tuple[TeamMaterial, ...] = ()
    ranking: FinalRanking
    analysis: Analysis | None = None
    ballots: Ballots | None = None
    timeline: tuple[Submitted, ...] = ()
    awards: tuple[Award, ...] = ()
    prizes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: PictureSource | None = None

    @property
    def ranked_teams(self) -> tuple[str, ...]:
        """Names of the teams, best first, those without a rank after them, those that were left out last."""
        return tuple(row.team for row in (*self.ranking.rows, *self.ranking.left_out))

    def team(self, name: str) -> TeamMaterial:
        """Return what is known of a team; an empty record if nothing is."""
        return next((each for each in self.teams if each.team == name), TeamMaterial(team=name))


def attempt(make: Callable[[], T], what: str, failures: Failures) -> T | None:
    """Do something with one of many pictures; None where it fails.

    Args:
        make: Does it.
        what: Names it in `failures`, where the reason is put.
        failures: What has failed so far.

    Raises:
        RaimError: No other picture would fare better.

    Example:
        >>> failures = {}
        >>> attempt(lambda: 1 // 0, "0001 of Alpha", failures), list(failures)
        (None, ['0001 of Alpha'])
    """
    try:
        return make()
    except Exception as error:
        found = item_error(error)
        if found.concerns_all:
            raise found from error
        failures.setdefault(what, str(found))
        return None
