"""How a measure is written in tables and figures: its label, unit, decimals and direction."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from raim.scoring.profiles import Profile

NO_VALUE = "\N{EN DASH}"
INFINITE = "∞"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Form:
    label: str
    decimals: int
    unit: str = ""


# Decimals as the report's Table 1 and the challenges' leaderboards print them, or one more.
_FORMS: Mapping[str, _Form] = MappingProxyType(
    {
        "psnr": _Form(label="PSNR", decimals=3, unit="dB"),
        "ssim": _Form(label="SSIM", decimals=4),
        "lpips": _Form(label="LPIPS", decimals=4),
        "dists": _Form(label="DISTS", decimals=4),
        "niqe": _Form(label="NIQE", decimals=3),
        "score": _Form(label="SCORE", decimals=2),
    }
)


def find_columns(profile: Profile) -> tuple[Column, ...]:
    """Give the columns of a page: SCORE first, because narrow screens show the first ones, then the measures.

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


def _column(name: str, label: str, *, higher_is_better: bool) -> Column:
    form = _FORMS[name]
    return Column(
        key=label or name,
        label=label or form.label,
        unit=form.unit,
        decimals=form.decimals,
        higher_is_better=higher_is_better,
    )
