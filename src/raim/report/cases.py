"""Which images a reader should look at first: the worst and the best of each entry, by SCORE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from raim.errors import InputError
from raim.scoring.records import EntryScore, ImageScore, ScoreTable

Kind = Literal["worst", "best"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One image of one entry.

    Attributes:
        entry: The entry's name.
        image: Its record.
        kind: Whether it is among the worst or the best.
        place: 1 is the very worst (or the very best).
        n_scored: Images of the entry that have a score.
    """

    entry: str
    image: ImageScore
    kind: Kind
    place: int
    n_scored: int


def choose_cases(table: ScoreTable, *, per_entry: int) -> tuple[Case, ...]:
    """Choose the worst `per_entry` and the best `per_entry` scored images of each entry; none appears twice.

    Returns:
        Entry by entry in the table's order; of each, the worst from the very worst on, then the best.

    Raises:
        InputError: If `per_entry` is negative.

    Example:
        >>> from raim.scoring import PROFILES
        >>> images = tuple(ImageScore(name=str(n), values={"score": 50.0 + n}) for n in range(4))
        >>> entry = EntryScore(name="alpha", images=images)
        >>> table = ScoreTable(profile=PROFILES["raim-2024"], entries=(entry,), raim_version="1")
        >>> [(case.kind, case.place, case.image.name) for case in choose_cases(table, per_entry=1)]
        [('worst', 1, '0'), ('best', 1, '3')]
    """
    if per_entry < 0:
        raise InputError(
            f"{per_entry} worst and best images per entry were asked for; 0 or more can be shown"
        )
    return tuple(case for entry in table.entries for case in _choose(entry, per_entry))


def _choose(entry: EntryScore, per_entry: int) -> list[Case]:
    rising = sorted(entry.scored, key=lambda image: (_score(image), image.name))
    n_worst = min(per_entry, (len(rising) + 1) // 2)
    n_best = min(per_entry, len(rising) - n_worst)
    best = rising[len(rising) - n_best :][::-1]
    return [*_label(entry, rising[:n_worst], "worst"), *_label(entry, best, "best")]


def _label(entry: EntryScore, images: Sequence[ImageScore], kind: Kind) -> list[Case]:
    n_scored = len(entry.scored)
    return [
        Case(entry=entry.name, image=image, kind=kind, place=place, n_scored=n_scored)
        for place, image in enumerate(images, start=1)
    ]


def _score(image: ImageScore) -> float:
    if image.score is None:
        raise InputError(f"{image.name} counts as scored but has no score")
    return image.score
