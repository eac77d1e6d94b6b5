"""What misalignment is left, measured by another method than the one that aligned: phase correlation on tiles.

The transform of a tile shifted by d is that of the other times exp(-2 pi i f d), so the phase of their cross-power
spectrum is a plane over the frequencies. The peak of phase correlation gives d to a whole pixel; a plane fitted to
the remaining phase, each frequency weighted by its power and only those below a quarter of a cycle per pixel, the
rest. Its own uncertainty comes out of the fit; tiles where it is too large (no texture, moire, something that
moved) measure nothing and are counted.

Source: Kuglin and Hines, 1975 (phase correlation); Stone, Orchard, Chang and Martucci, "A Fast Direct Fourier-Based
Algorithm for Subpixel Registration of Images", IEEE Transactions on Geoscience and Remote Sensing 39(10), 2001 (the
plane).
"""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from raim.data.alignment.crops import Rectangle
from raim.data.alignment.planes import Plane, apply_window, draw_window, measure_noise

HIGHEST = 0.25  # cycles per pixel: above, aliasing of sampling disturbs the phase (Stone et al., section III)
CLEAR_PX = 0.15  # the most deviation that the scatter of the phases gives, for there to be a shift at all
SURE_PX = 0.25  # the most uncertainty (one standard deviation) of a tile that counts
LEAST_COHERENCE = 0.5  # correlation of both tiles below HIGHEST after the shift
LEAST_USABLE = 0.7  # of a tile's pixels
# Frequencies of a real picture come twice, and the Hann window makes neighbours depend on one another: its equivalent
# noise bandwidth is 1.5 for each axis (Harris, Proceedings of the IEEE 66(1), 1978, table 1).
DEPENDENCE = 2 * 1.5**2
FURTHEST_PX = 0.25  # of a tile's side, for the whole-pixel peak


@dataclass(frozen=True, kw_only=True, slots=True)
class TileResidual:
    """How far the reference lies from the input in one tile, whose top left corner is (x, y) in the input."""

    x: int
    y: int
    length_px: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Residual:
    """Misalignment that is left, over all tiles that measure it.

    Attributes:
        tiles: Those that measure it.
        places: Top left corners (x, y) of those that were looked at: inside both pictures and mostly unmasked.
        tile_px: Their side.
    """

    tiles: tuple[TileResidual, ...]
    places: tuple[tuple[int, int], ...]
    tile_px: int

    def mean_px(self) -> float:
        """Return the mean distance; not a number where nothing could be measured."""
        lengths = [tile.length_px for tile in self.tiles]
        return float(np.mean(lengths)) if lengths else math.nan

    def high_px(self) -> float:
        """Return the 95th percentile of the distances."""
        lengths = [tile.length_px for tile in self.tiles]
        return float(np.percentile(lengths, 95)) if lengths else math.nan

    def within(self, crop: Rectangle) -> "Residual":
        """Return the residual of the tiles whose middle lies within a crop."""
        half = self.tile_px / 2

        def is_within(x: int, y: int) -> bool:
            return crop.x <= x + half <= crop.x + crop.width and crop.y <= y + half <= crop.y + crop.height

        tiles = tuple(tile for tile in self.tiles if is_within(tile.x, tile.y))
        return replace(self, tiles=tiles, places=tuple(place for place in self.places if is_within(*place)))

    def worst(self) -> list[TileResidual]:
        """Return the three tiles with the largest distances, the worst first."""
        return sorted(self.tiles, key=lambda tile: -tile.length_px)[:3]


def measure_residual(
    plane: Plane, reference: Plane, usable: Bool[np.ndarray, "_ _"], *, tile_px: int
) -> Residual:
    """Return how far the warped reference lies from the input, measured on tiles.

    Args:
        plane: The input.
        reference: Warped onto its grid, of the same brightness and sharpness.
        usable: Pixels that both show and that have not moved.
        tile_px: Side of the tiles; they overlap by half.
    """
    side = min(tile_px, *plane.shape)
    step = max(1, side // 2)
    tiles, places = [], []
    window = draw_window(side, side)
    rows, columns = (range(0, length - side + 1, step) for length in plane.shape)
    for y, x in itertools.product(rows, columns):
        cut = slice(y, y + side), slice(x, x + side)
        if usable[cut].mean() < LEAST_USABLE:
            continue
        places.append((x, y))
        measured = _measure_tile(plane[cut], reference[cut], usable[cut], window)
        if measured is not None:
            tiles.append(TileResidual(x=x, y=y, length_px=math.hypot(*measured)))
    return Residual(tiles=tuple(tiles), places=tuple(places), tile_px=side)


def _measure_tile(
    plane: Plane, reference: Plane, usable: np.ndarray, window: np.ndarray
) -> tuple[float, float] | None:
    """Return dx and dy; None if the phases agree on nothing, or too little."""
    own, other = (np.fft.fft2(apply_window(each, window * usable)) for each in (plane, reference))
    cross = other * np.conj(own)
    y, x = np.meshgrid(np.fft.fftfreq(window.shape[0]), np.fft.fftfreq(window.shape[1]), indexing="ij")
    low = (np.hypot(x, y) <= HIGHEST) & (np.hypot(x, y) > 0)
    power = np.abs(cross)
    weight = np.where(low, power, 0.0)
    # What stands out of the noise: its level is the median power of the highest frequencies.
    weight = np.where(weight > 4 * np.median(power[np.hypot(x, y) > 2 * HIGHEST]), weight, 0.0) ** 0.5
    if np.count_nonzero(weight) < 12:
        return None
    whole = _find_peak(cross, weight)
    rest = np.angle(cross * np.exp(2j * np.pi * (x * whole[0] + y * whole[1])))
    fitted = _fit_plane(x, y, rest, weight)
    if fitted is None:
        return None
    dx, dy = whole[0] + fitted[0], whole[1] + fitted[1]
    moved = own * np.exp(-2j * np.pi * (x * dx + y * dy))
    if fitted[2] > CLEAR_PX or _correlate(moved[low], other[low]) < LEAST_COHERENCE:
        return None
    uncertainty = max(fitted[2], _measure_uncertainty(moved[low], other[low], x[low], y[low]))
    return (dx, dy) if uncertainty <= SURE_PX else None


def _correlate(own: np.ndarray, other: np.ndarray) -> float:
    energy = math.sqrt(float((np.abs(own) ** 2).sum() * (np.abs(other) ** 2).sum()))
    return float((own.conj() * other).real.sum()) / max(energy, 1e-30)


def _measure_uncertainty(own: np.ndarray, other: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Return the deviation that what differs after the shift, taken for noise, would give a shift by least squares.

    With E the difference of the transforms and g = 2 pi f P their slopes: sum |g|^2 |E|^2 / (sum |g|^2)^2 an axis.
    """
    error = np.abs(own - other) ** 2
    variance = 0.0
    for axis in (x, y):
        slope = (2 * np.pi * axis) ** 2 * np.abs(other) ** 2
        variance += float((slope * error).sum() / max(slope.sum() ** 2, 1e-30))
    return math.sqrt(DEPENDENCE * variance)


def _find_peak(cross: np.ndarray, weight: np.ndarray) -> tuple[int, int]:
    phases = np.where(weight > 0, cross / np.maximum(np.abs(cross), 1e-30), 0) * weight
    surface = np.fft.ifft2(phases).real
    reach = int(FURTHEST_PX * surface.shape[0])
    near = np.roll(surface, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    return int(column) - reach, int(row) - reach


def _fit_plane(
    x: np.ndarray, y: np.ndarray, phase: np.ndarray, weight: np.ndarray
) -> tuple[float, float, float] | None:
    """Fit phase = -2 pi (x dx + y dy), again and again without the phases that are wrapped or far off."""
    used = weight > 0
    columns = -2 * np.pi * np.stack([x[used], y[used]], axis=1)
    phases, weights = phase[used], weight[used]
    kept = np.ones(len(phases), bool)
    error = phases
    for _ in range(3):
        scaled = columns[kept] * weights[kept, None]
        sums = scaled.T @ columns[kept]
        if np.linalg.det(sums) <= 1e-6 * np.trace(sums) ** 2:
            return None  # stripes: one direction only
        solution = np.linalg.solve(sums, scaled.T @ phases[kept])
        error = phases - columns @ solution
        spread = max(measure_noise(error), 1e-3)
        uncertainty = _estimate_deviation(scaled, error[kept], np.linalg.inv(sums))
        kept = np.abs(error) < min(3 * spread, np.pi)
    return float(solution[0]), float(solution[1]), uncertainty


def _estimate_deviation(scaled: np.ndarray, error: np.ndarray, inverse: np.ndarray) -> float:
    """Return one standard deviation of the fitted shift, both axes together; real pictures have frequencies twice."""
    covariance = 2 * inverse @ (scaled.T @ (scaled * error[:, None] ** 2)) @ inverse
    return math.sqrt(max(float(np.trace(covariance)), 0.0))
