"""Profiles: each choice that a challenge makes about its measures and its SCORE, named, frozen and printable.

A SCORE is a weighted sum of measures, each mapped linearly so that `zero_at` gives 0 and `one_at` gives 1:

    SCORE = sum of  weight (value - zero_at) / (one_at - zero_at)

Terms are not clipped; the score is per image, then averaged. For `raim-2024` that is

    20 PSNR/50 + 15 (SSIM - 0.5)/0.5 + 20 (1 - LPIPS/0.4) + 40 (1 - DISTS/0.3) + 30 (1 - NIQE/10)

Source: "NTIRE 2024 Restore Any Image Model (RAIM) in the Wild Challenge" (arXiv 2405.09923), section 2. The
report prints the last three terms as (1 - LPIPS)/0.4 and so on, which is 96.33 higher for every image than its
Table 1 allows; that form stays available as `raim-2024-printed`. `raim-2026-hdr` is the 2026 challenge's form.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from raim.errors import InputError, unknown_name
from raim.metrics import MEASURES, find_measure
from raim.metrics.record import Options

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
# How tables call a column and how many digits they show of it, where it is no label of a profile's own.
TITLES: Mapping[str, str] = MappingProxyType(
    {name: each.title for name, each in MEASURES.items()} | {"score": "SCORE"}
)
DECIMALS: Mapping[str, int] = MappingProxyType(
    {name: each.decimals for name, each in MEASURES.items()} | {"score": 2}
)
# What else stands beside the measures in a row of a result file.
RESERVED = frozenset({"score", "name", "scenario", "warnings", "unscored", "failed", "is_expected"})
RESERVED |= {"entry", "kind", "n_scored", "n_expected", "rank", "team"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureChoice:
    """One measure of a profile.

    Attributes:
        name: Of a measure (`raim.metrics.MEASURES`).
        label: What tables call it, where a profile has the same measure twice; "" for its name.
        options: Keyword arguments of the measure's function in `raim.metrics`.
        weight: Its share of the SCORE.
        zero_at: The value that contributes 0.
        one_at: The value that contributes the whole weight.

    Raises:
        InputError: A label, an option's value or a number is not as stated.
        UnknownNameError: There is no such measure or option; the nearest is named.
    """

    name: str
    label: str = ""
    options: Options = field(default_factory=dict)
    weight: float
    zero_at: float
    one_at: float

    def __post_init__(self) -> None:
        """Refuse what no value could be measured or joined by."""
        if not isinstance(self.name, str):
            raise InputError(f"the name of a measure is {self.name!r}, expected a text")
        if not isinstance(self.options, Mapping):
            raise InputError(
                f"the options of {self.name} are {self.options!r}, expected a mapping, such as {{}}"
            )
        find_measure(self.name).check_options(self.options)
        if (
            not isinstance(self.label, str)
            or self.key.casefold() in RESERVED
            or not LABEL.fullmatch(self.key)
        ):
            raise InputError(
                f"the label of {self.name} is {self.label!r}, expected up to 40 letters, digits, spaces, dots, - or _, "
                f"and none of {', '.join(sorted(RESERVED))}"
            )
        for name in ("weight", "zero_at", "one_at"):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not abs(value) <= sys.float_info.max
            ):
                raise InputError(f"{name} of {self.key} is {value!r}, expected a finite number")
        if self.zero_at == self.one_at:
            raise InputError(
                f"zero_at and one_at of {self.key} are both {self.zero_at:g}; expected two values"
            )

    @property
    def key(self) -> str:
        """By which values, columns and files know it."""
        return self.label or self.name

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value raises the SCORE."""
        return (self.one_at > self.zero_at) == (self.weight >= 0)

    def term(self, value: float) -> float:
        """Return what a value contributes to the SCORE.

        Example:
            >>> MeasureChoice(name="psnr", weight=20, zero_at=0, one_at=50).term(25.0)
            10.0
        """
        return self.weight * (value - self.zero_at) / (self.one_at - self.zero_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A named set of choices.

    Attributes:
        name: How commands and challenges name it.
        note: Where it comes from.
        border_px: Pixels cut off each side before every measure.
        measures: The measures in the order of tables.
        engine: What computes LPIPS and DISTS: "auto" for an exact one, "fast" for less exact ones in less time.

    Raises:
        InputError: The border is no number of pixels, there is no measure, or two have one key.
    """

    name: str
    note: str
    border_px: int
    measures: tuple[MeasureChoice, ...]
    engine: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what could not be measured."""
        if isinstance(self.border_px, bool) or not isinstance(self.border_px, int) or self.border_px < 0:
            raise InputError(f"the border of {self.name} is {self.border_px!r}, expected pixels, 0 or more")
        if not self.measures:
            raise InputError(f"the profile {self.name!r} has no measure; a SCORE needs at least one")
        keys = [measure.key.casefold() for measure in self.measures]
        for measure, key in zip(self.measures, keys, strict=True):
            if keys.count(key) > 1:
                raise InputError(
                    f"the profile {self.name!r} has {measure.key!r} {keys.count(key)} times; "
                    "give each a label of its own"
                )

    @property
    def columns(self) -> tuple[str, ...]:
        """Keys of the measures and "score", in the order of tables."""
        return (*(measure.key for measure in self.measures), "score")

    def is_higher_better(self, column: str) -> bool:
        """Return which way a column of the tables is good.

        Example:
            >>> PROFILES["raim-2024"].is_higher_better("niqe")
            False
        """
        return all(measure.higher_is_better for measure in self.measures if measure.key == column)

    def show(self, column: str, value: float | None) -> str:
        """Return the text of a value in a table, with the digits of its measure; a dash where there is none.

        Example:
            >>> PROFILES["raim-2024"].show("niqe", 4.5), PROFILES["raim-2024"].show("psnr", None)
            ('4.500', '-')
        """
        names = {measure.key: measure.name for measure in self.measures}
        return "-" if value is None else f"{value:z.{DECIMALS[names.get(column, column)]}f}"

    def score(self, values: Mapping[str, float]) -> float:
        """Join the measures of one image.

        Args:
            values: A finite value for each measure of the profile, by its key.

        Example:
            >>> values = {"psnr": 25.0, "ssim": 0.75, "lpips": 0.2, "dists": 0.15, "niqe": 5.0}
            >>> PROFILES["raim-2024"].score(values)
            62.5
            >>> round(PROFILES["raim-2024-printed"].score(values) - PROFILES["raim-2024"].score(values), 2)
            96.33
        """
        return sum(measure.term(values[measure.key]) for measure in self.measures)

    def why_too_small(self, width: int, height: int) -> str | None:
        """Return why no image of that size can have a SCORE; None where one may.

        Example:
            >>> PROFILES["raim-2026-hdr"].why_too_small(30, 40)
            'lpips: the image is 30x40, LPIPS needs at least 31x31'
            >>> PROFILES["raim-2024"].why_too_small(200, 104)
        """
        if min(width, height) <= 2 * self.border_px:
            return f"it is {width}x{height}; nothing is left once {self.border_px} px are cut off each side"
        found = [
            (each.key, MEASURES[each.name].why_too_small(each.options, width, height, self.border_px))
            for each in self.measures
        ]
        return "; ".join(f"{key}: {reason}" for key, reason in found if reason is not None) or None

    def as_dict(self) -> dict[str, Any]:
        """Return every choice as plain values, as result files carry them."""
        plain = [
            {"name": each.name}
            | ({"label": each.label} if each.label else {})
            | {"options": dict(each.options), "weight": each.weight}
            | {"zero_at": each.zero_at, "one_at": each.one_at}
            for each in self.measures
        ]
        engine = {} if self.engine == "auto" else {"engine": self.engine}
        return {
            "name": self.name,
            "note": self.note,
            "border_px": self.border_px,
            "measures": plain,
            **engine,
        }


def _choice(
    name: str, weight: float, zero_at: float, one_at: float, **options: str | float | bool
) -> MeasureChoice:
    return MeasureChoice(name=name, options=options, weight=weight, zero_at=zero_at, one_at=one_at)


# Two public scripts that follow the official one: luma of BT.601, 1e-8 added to the mean squared error,
# luma rounded for SSIM and its contrast-structure factor clipped at zero, NIQE as in pyiqa.
_PSNR = _choice("psnr", 20, 0, 50, colour="y", epsilon=1e-8)
_SSIM = _choice("ssim", 15, 0.5, 1, colour="y", rounded_luma=True, clip_contrast=True)
_NIQE = {"variant": "pyiqa"}

_RAIM_2024 = Profile(
    name="raim-2024",
    note="NTIRE 2024 RAIM, arXiv 2405.09923, in the form that gives its Table 1",
    border_px=4,
    measures=(
        _PSNR,
        _SSIM,
        _choice("lpips", 20, 0.4, 0, net="alexnet"),
        _choice("dists", 40, 0.3, 0),
        _choice("niqe", 30, 10, 0, **_NIQE),
    ),
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            _RAIM_2024,
            replace(
                _RAIM_2024,
                name="raim-2024-fast",
                note="raim-2024 with LPIPS and DISTS by the engine 'fast', up to 5e-6 away",
                engine="fast",
            ),
            Profile(
                name="raim-2024-printed",
                note="NTIRE 2024 RAIM with the last three terms as printed; 96.33 above raim-2024",
                border_px=4,
                measures=(
                    _PSNR,
                    _SSIM,
                    _choice("lpips", 20, 1, 0.6, net="alexnet"),
                    _choice("dists", 40, 1, 0.7),
                    _choice("niqe", 30, 1, -9, **_NIQE),
                ),
            ),
            Profile(
                name="raim-2026-hdr",
                note="NTIRE 2026: 30 PSNR/50 + 22.5 (SSIM - 0.5)/0.5 + 30 (1 - LPIPS/0.4), RGB, no border",
                border_px=0,
                measures=(
                    # The organisers' eval.py (github.com/qulishen/RAIM-HDR, 5f3bb3c) takes PSNR from pyiqa, which adds
                    # 1e-8 to the mean squared error: 80 dB for identical images.
                    _choice("psnr", 30, 0, 50, colour="rgb", epsilon=1e-8),
                    _choice("ssim", 22.5, 0.5, 1, colour="rgb"),
                    _choice("lpips", 30, 0.4, 0, net="alexnet"),
                ),
            ),
        )
    }
)


def find_profile(name: str) -> Profile:
    """Return the profile of that name.

    Raises:
        UnknownNameError: If there is none; the nearest is named.

    Example:
        >>> find_profile("raim-2024").border_px
        4
    """
    if name not in PROFILES:
        raise unknown_name("profile", name, PROFILES)
    return PROFILES[name]
