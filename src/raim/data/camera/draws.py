"""How a preset draws one parameter: the distributions, each with its range in words and a test of membership.

A parameter is drawn from the preset's generator and the photograph's size. Real numbers are rounded to six digits, so
that a manifest states them exactly and still reads well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import require_range

Value = bool | int | float | str

DIGITS = 6
# NIQE wants two blocks of 96 pixels along a side, and profiles crop a border of 4.
SMALLEST_DELIVERED_PX = 200
LARGEST_STRETCH = (
    0.01  # of a magnification, three times what lenses do: a small photograph's corners move less
)
LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Height and width of a photograph in pixels."""

    height: int
    width: int

    @property
    def half_diagonal(self) -> float:
        """Distance of a corner from the centre, in pixels."""
        return float(np.hypot(self.height, self.width)) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One distribution.

    Attributes:
        words: Its range, as documentation and `raim degrade --list` show it.
        take: Draws a value from a generator, for a size.
        holds: Says whether a value can be drawn for a size.
    """

    words: str
    take: Callable[[np.random.Generator, Size], Value]
    holds: Callable[[Value, Size], bool]


def always(value: Value) -> Draw:
    """Give one value.

    Example:
        >>> always(True).words
        'always yes'
    """
    return Draw(
        words=f"always {_word(value)}",
        take=lambda _rng, _size: value,
        holds=lambda found, _size: found == value,
    )


def one_of(*options: Value) -> Draw:
    """Give each option equally often.

    Example:
        >>> one_of(2, 3).words
        '2 or 3'
    """
    return Draw(
        words=" or ".join(map(_word, options)),
        take=lambda rng, _size: options[int(rng.integers(len(options)))],
        holds=lambda value, _size: value in options,
    )


def uniform(low: float, high: float) -> Draw:
    """Give real numbers equally often.

    Example:
        >>> uniform(0.5, 2).words
        '0.5 to 2'
    """
    return Draw(
        words=f"{low:g} to {high:g}",
        take=lambda rng, _size: _round(rng.uniform(low, high)),
        holds=lambda value, _size: low <= float(value) <= high,
    )


def log_uniform(low: float, high: float) -> Draw:
    """Give real numbers whose logarithm is uniform: each doubling equally often.

    Example:
        >>> log_uniform(100, 6400).words
        '100 to 6400, logarithmic'
    """
    require_range("low", low, 1e-9)
    return Draw(
        words=f"{low:g} to {high:g}, logarithmic",
        take=lambda rng, _size: _round(min(high, max(low, np.exp(rng.uniform(np.log(low), np.log(high)))))),
        holds=lambda value, _size: low <= float(value) <= high,
    )


def whole(low: int, high: int) -> Draw:
    """Give whole numbers, both ends included.

    Example:
        >>> whole(2, 8).words
        '2 to 8, whole'
    """
    return Draw(
        words=f"{low} to {high}, whole",
        take=lambda rng, _size: int(rng.integers(low, high + 1)),
        holds=lambda value, _size: int(value) == value and low <= int(value) <= high,
    )


def reduction(low: int, high: int) -> Draw:
    """Give whole factors by which the sides shrink; the result keeps 200 pixels along each, or the lowest is taken.

    Example:
        >>> draw = reduction(2, 4)
        >>> {draw.take(np.random.default_rng(n), Size(height=620, width=900)) for n in range(20)}
        {2, 3}
    """

    def largest(size: Size) -> int:
        return max(low, min(high, min(size.height, size.width) // SMALLEST_DELIVERED_PX))

    return Draw(
        words=f"{low} to {high}, whole; less for a small photograph",
        take=lambda rng, size: int(rng.integers(low, largest(size) + 1)),
        holds=lambda value, size: int(value) == value and low <= int(value) <= largest(size),
    )


def seed() -> Draw:
    """Give the seed of a stage's own generator.

    Example:
        >>> seed().words
        'a seed'
    """
    return Draw(
        words="a seed",
        take=lambda rng, _size: int(rng.integers(LARGEST_SEED, endpoint=True)),
        holds=lambda value, _size: 0 <= int(value) <= LARGEST_SEED,
    )


def sometimes(probability: float, draw: Draw, otherwise: Value) -> Draw:
    """Draw in a part of the photographs, and give a value that does nothing in the rest.

    Example:
        >>> sometimes(0.25, whole(2, 4), 0).words
        '2 to 4, whole, in 25 %; else 0'
    """

    def take(rng: np.random.Generator, size: Size) -> Value:
        found = draw.take(rng, size)
        return found if rng.random() < probability else otherwise

    return Draw(
        words=f"{draw.words}, in {100 * probability:g} %; else {_word(otherwise)}",
        take=take,
        holds=lambda value, size: value == otherwise or draw.holds(value, size),
    )


def corner_shift(low_px: float, high_px: float) -> Draw:
    """Give the magnification that moves the corners by so many pixels, inwards or outwards.

    Example:
        >>> corner_shift(0.5, 2).words
        '0.5 to 2 px at the corners, in or out'
    """

    def take(rng: np.random.Generator, size: Size) -> Value:
        stretch = min(rng.uniform(low_px, high_px) / size.half_diagonal, LARGEST_STRETCH)
        return _round(1 + stretch if rng.random() < 0.5 else 1 - stretch)

    def holds(value: Value, size: Size) -> bool:
        slack = 10.0 ** (1 - DIGITS)  # the magnification is rounded
        lowest, highest = (min(shift / size.half_diagonal, LARGEST_STRETCH) for shift in (low_px, high_px))
        return lowest - slack <= abs(float(value) - 1) <= highest + slack

    return Draw(words=f"{low_px:g} to {high_px:g} px at the corners, in or out", take=take, holds=holds)


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _word(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
