"""Votes and ballots: what judges said, as everything after the voting reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from raim.challenge.modes import TOP_THREE

Kind = Literal["counted", "repeat", "trap", "training"]
# The tile of a trap: a blurred copy, which nobody who looks can prefer.
BLURRED = "blurred copy"


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote:
    """What a judge said in one trial.

    Attributes:
        judge: Who.
        image: Name of the image.
        kind: "counted" for the first showing; "repeat", "trap" and "training" give no points.
        position: Place in the judge's own order, from 1.
        shown: The entries in the order of the labels A, B, ...; in a trap one of them is `BLURRED`.
        choice: The picked entries, best first; fewer than asked for is a partial ballot, none with ratings.
        ratings: Where judges grade: the grade of each entry, 1 bad to 5 excellent.
        seconds: How long the judge has looked, without pauses.
        cast_at: When; None if it is not known.
        reasons: For picked entries, the criteria that decided.
    """

    judge: str
    image: str
    kind: Kind = "counted"
    position: int
    shown: tuple[str, ...]
    choice: tuple[str, ...] = ()
    ratings: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cast_at: datetime | None = None
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ballots:
    """All votes of a study.

    Attributes:
        mode: What a judge does in a trial.
        points: For the first, second, third pick.
        criteria: What judges were asked to look at.
        entries: Every entry, in a stated order.
        images: Every image that is judged.
        issues: For each image its issue; "" for none.
        judges: Everybody who was invited, those without a vote too.
        votes: One of each trial: the last.
    """

    mode: str = TOP_THREE.name
    points: tuple[int, ...] = TOP_THREE.points
    criteria: tuple[str, ...] = ()
    entries: tuple[str, ...]
    images: tuple[str, ...]
    issues: Mapping[str, str] = field(default_factory=dict)
    judges: tuple[str, ...]
    votes: tuple[Vote, ...] = ()
