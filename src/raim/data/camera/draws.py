"""How a preset draws one parameter: the distributions, each with its range in words.

A parameter is drawn from the preset's generator and the photograph's size. Real numbers are rounded to six digits, so
that a manifest states them exactly and still reads well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from raim.data.camera.stage import Value, write_plainly
from raim.errors import InputError

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
    """

    words: str
    take: Callable[[np.random.Generator, Size], Value]


def always(value: Value) -> Draw:
    """Return the distribution of one value."""
    return Draw(words=f"always {write_plainly(value)}", take=lambda _rng, _size: value)


def one_of(*options: Value) -> Draw:
    """Return a distribution that has each option equally often."""
    return Draw(
        words=" or ".join(map(write_plainly, options)),
        take=lambda rng, _size: options[int(rng.integers(len(options)))],
    )


def uniform(low: float, high: float) -> Draw:
    """Return a distribution of real numbers that are equally frequent."""
    return Draw(words=f"{low:g} to {high:g}", take=lambda rng, _size: _round(rng.uniform(low, high)))


def log_uniform(low: float, high: float) -> Draw:
    """Return a distribution of real numbers whose logarithm is uniform: each doubling is equally frequent."""
    if not 1e-9 <= low < np.inf:
        raise InputError(f"low is {low}; expected at least 1e-09")

    def take(rng: np.random.Generator, _size: Size) -> Value:
        return _round(min(high, max(low, np.exp(rng.uniform(np.log(low), np.log(high))))))

    return Draw(words=f"{low:g} to {high:g}, logarithmic", take=take)


def whole(low: int, high: int) -> Draw:
    """Return a distribution of whole numbers, both ends included."""
    return Draw(words=f"{low} to {high}, whole", take=lambda rng, _size: int(rng.integers(low, high + 1)))


def reduction(low: int, high: int) -> Draw:
    """Return one of whole factors by which the sides shrink to 200 pixels at least; where none does, the lowest."""

    def take(rng: np.random.Generator, size: Size) -> Value:
        largest = max(low, min(high, min(size.height, size.width) // SMALLEST_DELIVERED_PX))
        return int(rng.integers(low, largest + 1))

    return Draw(words=f"{low} to {high}, whole; less for a small photograph", take=take)


def seed() -> Draw:
    """Return the distribution of the seed of a stage's own generator."""
    return Draw(words="a seed", take=lambda rng, _size: int(rng.integers(LARGEST_SEED, endpoint=True)))


def sometimes(probability: float, draw: Draw, otherwise: Value) -> Draw:
    """Return a distribution that counts in a part of the photographs; the rest have a value that does nothing."""

    def take(rng: np.random.Generator, size: Size) -> Value:
        found = draw.take(rng, size)
        return found if rng.random() < probability else otherwise

    return Draw(words=f"{draw.words}, in {100 * probability:g} %; else {write_plainly(otherwise)}", take=take)


def corner_shift(low_px: float, high_px: float) -> Draw:
    """Return a distribution of magnifications that move the corners by so many pixels, inwards or outwards."""

    def take(rng: np.random.Generator, size: Size) -> Value:
        stretch = min(rng.uniform(low_px, high_px) / size.half_diagonal, LARGEST_STRETCH)
        return _round(1 + stretch if rng.random() < 0.5 else 1 - stretch)

    return Draw(words=f"{low_px:g} to {high_px:g} px at the corners, in or out", take=take)


def _round(value: float) -> float:
    return float(f"{value:.6g}")
