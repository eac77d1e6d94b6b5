"""The final ranking."""

from datetime import datetime
from typing import Any

from pydantic import Field

from raim.records.record import Number, Record


class RankedRecord(Record):
    """A team in the final ranking."""

    rank: int | None
    team: str
    score: Number
    points: Number
    points_low: Number = None
    points_high: Number = None
    normalised: Number
    final: Number
    award: str = ""
    why_unranked: str = ""


class RankingRecord(Record):
    """The final ranking: weights x (SCORE, normalised points of the study)."""

    title: str
    is_simulated: bool = Field(description="the votes were made by a program")
    rows: list[RankedRecord]
    left_out: list[RankedRecord] = Field(description="left out after the vote, with the reason")
    with_left_out: list[RankedRecord] = Field(
        description="the ranking as if nobody had been left out; else empty"
    )
    note: str


class Results(Record):
    """What a challenge has come to: as it was published; to organisers as it is now."""

    ranking: RankingRecord | None = Field(description="none before there is a final ranking")
    published_at: datetime | None
    # For the page: numbers as they are, what was published, and titles of charts by name.
    outcome: Any = Field(exclude=True)
    published: Any = Field(exclude=True)
    charts: Any = Field(exclude=True)
