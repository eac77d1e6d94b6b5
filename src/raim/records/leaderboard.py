"""Leaderboards; what stands in a line is declared here once, for the page, CSV, JSON and exports."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field

from raim.records.record import Number, Record


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardColumn:
    """A column of a leaderboard; without a title the page has none of it."""

    name: str
    title: str = ""
    is_number: bool = False


class Line(Record):
    """A line of a leaderboard; without a rank, `why_unranked` says why."""

    rank: int | None = Field(title="Rank")
    team: str = Field(title="Team")
    score: Number = Field(title="SCORE")
    measures: dict[str, Number]
    n_entries: int = Field(title="Entries")
    submitted_at: datetime = Field(title="Date")
    submission_id: int
    is_verified: bool
    why_unranked: str
    scenarios: dict[str, dict[str, Number]]

    @classmethod
    def columns(cls, measures: Iterable[str]) -> Iterator[BoardColumn]:
        """Yield the columns in their order, `measures` as one for each of those that are named; no scenarios."""
        for name, field in Line.model_fields.items():
            if name == "measures":
                yield from (BoardColumn(name=each, title=each, is_number=True) for each in measures)
            elif name != "scenarios":
                kinds = {field.annotation, *get_args(field.annotation)}
                yield BoardColumn(
                    name=name, title=field.title or "", is_number=not kinds.isdisjoint({int, float})
                )

    def value(self, column: str) -> Any:
        """Return what stands in a column; None for a measure that the entry does not have."""
        return getattr(self, column) if column in Line.model_fields else self.measures.get(column)


class Leaderboard(Record):
    """The leaderboard of a phase, best first, or by a column or a scenario where one was asked for."""

    phase: str = Field(description="its id; empty while there is no leaderboard to see")
    phases: dict[str, str] = Field(description="names of the phases whose leaderboards are to be seen, by id")
    counts: Literal["best", "last", "chosen"] = Field(
        default="best",
        description="the entry of each team that counts; the last that has a score, the best where none is chosen",
    )
    profile: str
    scorer_version: str
    measures: list[str]
    scenario_names: list[str]
    scenario: str = Field(description="whose means `score` and `measures` are; empty for all images")
    sort: str
    rows: list[Line]
    history: dict[str, list[tuple[datetime, float]]] = Field(
        description="of the ten best teams: when its best score so far was which"
    )
