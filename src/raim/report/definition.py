"""What a SCORE is, in words and as a formula, from the profile that made it."""

from dataclasses import dataclass

from raim.report.columns import find_columns
from raim.scoring.profiles import MeasureChoice, Profile

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureDefinition:
    """One measure of a profile, as text.

    Attributes:
        label: As readers know it.
        direction: "higher is better" or "lower is better".
        weight: What it contributes where it is `one_at`.
        zero_at: The value that contributes nothing.
        one_at: The value that contributes the whole weight.
        options: Each option with its value.
    """

    label: str
    direction: str
    weight: str
    zero_at: str
    one_at: str
    options: tuple[str, ...]


def write_formula(profile: Profile) -> str:
    """Write the SCORE of a profile as a formula.

    Example:
        >>> from raim.scoring import PROFILES
        >>> write_formula(PROFILES["raim-2026-hdr"]).replace(MINUS, "-")
        'SCORE = 30 PSNR/50 + 22.5 (SSIM - 0.5)/0.5 + 30 (1 - LPIPS/0.4)'
    """
    return "SCORE = " + " + ".join(_write_term(choice) for choice in profile.measures)


def describe_measures(profile: Profile) -> tuple[MeasureDefinition, ...]:
    """Describe every measure of a profile."""
    return tuple(
        MeasureDefinition(
            label=column.label,
            direction="higher is better" if column.higher_is_better else "lower is better",
            weight=f"{choice.weight:g}",
            zero_at=f"{choice.zero_at:g}",
            one_at=f"{choice.one_at:g}",
            options=tuple(f"{key} = {_plain(value)}" for key, value in choice.options.items()),
        )
        for choice, column in zip(profile.measures, find_columns(profile)[1:], strict=True)
    )


def _write_term(choice: MeasureChoice) -> str:
    name = choice.label or choice.name.upper()
    if choice.zero_at == 0:
        return f"{choice.weight:g} {name}/{choice.one_at:g}"
    if choice.one_at == 0:
        return f"{choice.weight:g} (1 {MINUS} {name}/{choice.zero_at:g})"
    if choice.one_at > choice.zero_at:
        return f"{choice.weight:g} ({name} {MINUS} {choice.zero_at:g})/{choice.one_at - choice.zero_at:g}"
    return f"{choice.weight:g} ({choice.zero_at:g} {MINUS} {name})/{choice.zero_at - choice.one_at:g}"


def _plain(value: str | float | bool) -> str:  # noqa: FBT001 - an option of a profile
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:g}"
