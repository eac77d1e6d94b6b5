"""How a measure is written in tables and figures: its label, unit, decimals and direction."""

import math
from dataclasses import dataclass

from raim.metrics import MEASURES
from raim.scoring import DECIMALS, TITLES, Profile

NO_VALUE = "\N{EN DASH}"
INFINITE = "∞"


@dataclass(frozen=True, kw_only=True, slots=True)
class TableColumn:
    """One column of a table.

    Attributes:
        key: Its key in `ImageScore.values`.
        label: As readers know it.
        unit: Of its values; empty for a number without one.
        decimals: Digits after the point that tables show.
        higher_is_better: Its direction, from the profile.
    """

    key: str
    label: str
    unit: str
    decimals: int
    higher_is_better: bool

    def format(self, value: float | None) -> str:
        """Write a value; what could not be measured is a dash.

        Example:
            >>> from raim.scoring import PROFILES
            >>> score = find_columns(PROFILES["raim-2024"])[0]
            >>> score.format(71.2345), score.format(math.inf)
            ('71.23', '∞')
        """
        if value is None:
            return NO_VALUE
        if math.isinf(value):
            return INFINITE if value > 0 else f"-{INFINITE}"
        return f"{value:.{self.decimals}f}"


def find_columns(profile: Profile) -> tuple[TableColumn, ...]:
    """Return the columns of a page: SCORE first, because narrow screens show the first ones, then the measures.

    Example:
        >>> from raim.scoring import PROFILES
        >>> [column.label for column in find_columns(PROFILES["raim-2026-hdr"])]
        ['SCORE', 'PSNR', 'SSIM', 'LPIPS']
    """
    measures = [
        _column(choice.name, choice.label, higher_is_better=choice.higher_is_better)
        for choice in profile.measures
    ]
    return (_column("score", "", higher_is_better=True), *measures)


def _column(name: str, label: str, *, higher_is_better: bool) -> TableColumn:
    return TableColumn(
        key=label or name,
        label=label or TITLES[name],
        unit=MEASURES[name].unit if name in MEASURES else "",
        decimals=DECIMALS[name],
        higher_is_better=higher_is_better,
    )
