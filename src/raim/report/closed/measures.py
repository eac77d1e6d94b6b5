"""The measures that the report's tables know, in the order of the report's Table 1."""

from collections.abc import Iterable
from dataclasses import dataclass

from raim.metrics import MEASURES
from raim.report.closed.grid import Heading


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureColumn:
    """A column of a measure.

    Attributes:
        heading: Its column.
        higher_is_better: Its direction; None if it is not known, then nothing is marked as the best.
    """

    heading: Heading
    higher_is_better: bool | None


KNOWN = tuple(
    MeasureColumn(
        heading=Heading(
            key=each.name, title=each.title, kind="number", decimals=each.decimals, hint=each.unit
        ),
        higher_is_better=each.higher_is_better,
    )
    for each in MEASURES.values()
)
SCORE = MeasureColumn(heading=Heading(key="score", title="SCORE", kind="number"), higher_is_better=True)
OTHER_DECIMALS = 4


def find_measures(keys: Iterable[str]) -> tuple[MeasureColumn, ...]:
    """Return the columns of those measures that are there: known ones in their order, then others by name.

    Example:
        >>> [(each.heading.title, each.higher_is_better) for each in find_measures(["musiq", "niqe", "psnr"])]
        [('PSNR', True), ('NIQE', False), ('MUSIQ', None)]
    """
    there = set(keys) - {"score"}
    known = tuple(each for each in KNOWN if each.heading.key in there)
    others = sorted(there - {each.heading.key for each in KNOWN})
    return (
        *known,
        *(
            MeasureColumn(
                heading=Heading(key=key, title=key.upper(), kind="number", decimals=OTHER_DECIMALS),
                higher_is_better=None,
            )
            for key in others
        ),
    )
