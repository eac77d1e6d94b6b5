"""Votes and ballots: what judges said, as everything after the voting reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from raim.challenge.settings import TrialMode
from raim.errors import InputError

Kind = Literal["counted", "repeat", "trap", "training"]
# The tile of a trap: a blurred copy, which nobody who looks can prefer.
BLURRED = "blurred copy"
# Source: Recommendation ITU-R BT.500, five-grade quality scale (1 bad, 5 excellent).
LOWEST_GRADE, HIGHEST_GRADE = 1, 5


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
        ratings: With the mode "rating": the grade of each entry, 1 bad to 5 excellent.
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

    mode: TrialMode = "top-three"
    points: tuple[int, ...] = (3, 2, 1)
    criteria: tuple[str, ...] = ()
    entries: tuple[str, ...]
    images: tuple[str, ...]
    issues: Mapping[str, str] = field(default_factory=dict)
    judges: tuple[str, ...]
    votes: tuple[Vote, ...] = ()


def check_choice(
    mode: TrialMode,
    shown: Sequence[str],
    choice: Sequence[str],
    ratings: Mapping[str, int],
    *,
    n_picks: int,
) -> None:
    """Refuse what is no vote of this kind. Partial ballots, and empty ones, are votes.

    Args:
        mode: Of the study.
        shown: The entries of the trial.
        choice: The picks, best first.
        ratings: The grades.
        n_picks: How many picks are asked for; 0 for ratings.

    Raises:
        InputError: A pick or grade is of an entry that was not shown, twice, too many, or out of range.

    Example:
        >>> check_choice("top-three", ("a", "b"), ("b", "b"), {}, n_picks=3)
        Traceback (most recent call last):
        raim.errors.InputError: 'b' is picked twice; each pick is another candidate
    """
    if mode == "rating" and choice:
        raise InputError("this study asks for grades, not for picks; give each candidate a grade from 1 to 5")
    if mode != "rating" and ratings:
        raise InputError(f"this study asks for picks ({mode}), not for grades")
    for name in (*choice, *ratings):
        if name not in shown:
            raise InputError(f"{name!r} was not shown in this trial; it had {', '.join(shown)}")
    for name in choice:
        if list(choice).count(name) > 1:
            raise InputError(f"{name!r} is picked twice; each pick is another candidate")
    if len(choice) > n_picks:
        raise InputError(f"{len(choice)} candidates are picked; at most {n_picks} are asked for")
    for name, grade in ratings.items():
        if not LOWEST_GRADE <= grade <= HIGHEST_GRADE:
            raise InputError(
                f"the grade of {name!r} is {grade}; expected {LOWEST_GRADE} (bad) to {HIGHEST_GRADE} (excellent)"
            )
