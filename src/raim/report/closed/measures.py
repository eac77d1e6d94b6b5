"""The measures that the report's tables know, in the order of the report's Table 1."""

from collections.abc import Iterable
from dataclasses import dataclass

from raim.report.closed.grid import Heading


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """A column of a measure.

    Attributes:
        heading: Its column.
        higher_is_better: Its direction; None if it is not known, then nothing is marked as the best.
    """

    heading: Heading
    higher_is_better: bool | None


# Decimals as in the report's Table 1, or one more.
MEASURES = (
    Measure(heading=Heading(key="psnr", title="PSNR", kind="number", hint="dB"), higher_is_better=True),
    Measure(heading=Heading(key="ssim", title="SSIM", kind="number", decimals=4), higher_is_better=True),
    Measure(heading=Heading(key="lpips", title="LPIPS", kind="number", decimals=4), higher_is_better=False),
    Measure(heading=Heading(key="dists", title="DISTS", kind="number", decimals=4), higher_is_better=False),
    Measure(heading=Heading(key="niqe", title="NIQE", kind="number", decimals=3), higher_is_better=False),
)
SCORE = Measure(heading=Heading(key="score", title="SCORE", kind="number"), higher_is_better=True)
OTHER_DECIMALS = 4


def find_measures(keys: Iterable[str]) -> tuple[Measure, ...]:
    """Give the columns of those measures that are there: known ones in their order, then others by name.

    Example:
        >>> [(each.heading.title, each.higher_is_better) for each in find_measures(["musiq", "niqe", "psnr"])]
        [('PSNR', True), ('NIQE', False), ('MUSIQ', None)]
    """
    there = set(keys) - {"score"}
    known = tuple(each for each in MEASURES if each.heading.key in there)
    others = sorted(there - {each.heading.key for each in MEASURES})
    return (
        *known,
        *(
            Measure(
                heading=Heading(key=key, title=key.upper(), kind="number", decimals=OTHER_DECIMALS),
                higher_is_better=None,
            )
            for key in others
        ),
    )
