"""The record of a whole challenge, as its challenge.toml says."""

from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from raim.challenge.credits import Award, Organiser, Prize, Sponsor
from raim.challenge.data_set import DataSet
from raim.challenge.phase import Phase
from raim.challenge.settings import (
    Counting,
    FinalistRule,
    LeaderboardRule,
    Registration,
    StudyRule,
    Uploads,
    Website,
    Weights,
)
from raim.errors import unknown_name

SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """A challenge: texts, dates, data and rules.

    Attributes:
        schema: Version of the file's form.
        folder: Where challenge.toml lies; relative paths start there.
        id: Its name in addresses.
        name: Its name for people.
        tagline: One line under the name.
        timezone: In which times are shown beside the reader's own.
        day_timezone: In which the day begins that tries per day are counted in.
        profile: Name of the scoring profile.
        contact: E-mail or web address for questions.
        website: Texts of the page.
        organisers: In the order of the page.
        sponsors: In the order of the page.
        awards: Best first.
        prizes: In the order of the page.
        data_sets: In the order of the file.
        phases: In the order of time.
        leaderboard: How entries are put in order.
        finalists: Who goes on; None where there is no final.
        study: None where no study is made; then SCORE alone decides.
        weights: Of SCORE and study in the final score.
        registration: How teams come in.
        uploads: What a submission's file may be.
    """

    schema: int = SCHEMA
    folder: Path
    id: str
    name: str
    tagline: str = ""
    timezone: ZoneInfo
    day_timezone: ZoneInfo
    profile: str
    contact: str
    website: Website
    organisers: tuple[Organiser, ...] = ()
    sponsors: tuple[Sponsor, ...] = ()
    awards: tuple[Award, ...] = ()
    prizes: tuple[Prize, ...] = ()
    data_sets: tuple[DataSet, ...] = ()
    phases: tuple[Phase, ...] = ()
    leaderboard: LeaderboardRule = field(default_factory=LeaderboardRule)
    finalists: FinalistRule | None = None
    study: StudyRule | None = None
    weights: Weights = field(default_factory=Weights)
    registration: Registration = field(default_factory=Registration)
    uploads: Uploads = field(default_factory=Uploads)

    def phase(self, phase_id: str) -> Phase:
        """Return the phase of that id.

        Raises:
            UnknownNameError: There is none; the nearest is named.
        """
        for phase in self.phases:
            if phase.id == phase_id:
                return phase
        raise unknown_name("phase", phase_id, [phase.id for phase in self.phases])

    def counting(self, phase: Phase) -> Counting:
        """Return which entry of a team counts on the leaderboard of a phase."""
        return phase.counts or self.leaderboard.counts

    def data_set(self, data_set_id: str) -> DataSet:
        """Return the data set of that id.

        Raises:
            UnknownNameError: There is none; the nearest is named.
        """
        for data_set in self.data_sets:
            if data_set.id == data_set_id:
                return data_set
        raise unknown_name("data set", data_set_id, [each.id for each in self.data_sets])
