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

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from raim.data.alignment.planes import Plane

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
    """What one tile says.

    Attributes:
        x: Left edge in the input, px.
        y: Top edge.
        dx: Where the reference lies too far right of the input, px.
        dy: The same, down.
        uncertainty_px: One standard deviation of the fit.
    """

    x: int
    y: int
    dx: float
    dy: float
    uncertainty_px: float

    def length(self) -> float:
        """Give the distance in px."""
        return math.hypot(self.dx, self.dy)


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

    @property
    def n_tiles(self) -> int:
        """Give how many tiles were looked at."""
        return len(self.places)

    def mean_px(self) -> float:
        """Give the mean distance; not a number where nothing could be measured."""
        lengths = [tile.length() for tile in self.tiles]
        return float(np.mean(lengths)) if lengths else math.nan

    def high_px(self) -> float:
        """Give the 95th percentile of the distances."""
        lengths = [tile.length() for tile in self.tiles]
        return float(np.percentile(lengths, 95)) if lengths else math.nan

    def worst(self, n: int = 3) -> tuple[TileResidual, ...]:
        """Give the tiles with the largest distances, the worst first."""
        return tuple(sorted(self.tiles, key=lambda tile: -tile.length())[:n])


def measure_residual(
    plane: Plane,
    reference: Plane,
    usable: Bool[np.ndarray, "_ _"],
    *,
    tile_px: int,
    most: int | None = None,
    sure_px: float = SURE_PX,
) -> Residual:
    """Measure on tiles how far the warped reference lies from the input.

    Args:
        plane: The input.
        reference: Warped onto its grid, of the same brightness and sharpness.
        usable: Pixels that both show and that have not moved.
        tile_px: Side of the tiles; they overlap by half.
        most: About how many tiles are looked at, evenly spread; None: all.
        sure_px: The most uncertainty of a tile that counts. While two pictures are not yet aligned, what differs is
            mostly misalignment and not noise, so that nothing is certain: infinite then.

    Example:
        >>> from raim.data.alignment.planes import smooth
        >>> scene = smooth(np.random.default_rng(0).random((64, 67), dtype=np.float32), 1.0)
        >>> usable = np.ones((64, 64), bool)
        >>> residual = measure_residual(scene[:, 3:].copy(), scene[:, :-3].copy(), usable, tile_px=64)
        >>> [(round(tile.dx, 1), abs(round(tile.dy, 1))) for tile in residual.tiles]
        [(3.0, 0.0)]
    """
    side = min(tile_px, *plane.shape)
    tiles, places = [], []
    window = np.outer(np.hanning(side + 2)[1:-1], np.hanning(side + 2)[1:-1])
    for x, y in _places(plane.shape, side, most):
        cut = slice(y, y + side), slice(x, x + side)
        if usable[cut].mean() < LEAST_USABLE:
            continue
        places.append((x, y))
        measured = _measure_tile(plane[cut], reference[cut], usable[cut], window)
        if measured is not None and measured[2] <= sure_px:
            tiles.append(TileResidual(x=x, y=y, dx=measured[0], dy=measured[1], uncertainty_px=measured[2]))
    return Residual(tiles=tuple(tiles), places=tuple(places), tile_px=side)


def _places(shape: tuple[int, ...], side: int, most: int | None) -> Iterator[tuple[int, int]]:
    step = max(1, side // 2)
    n_places = math.prod((each - side) // step + 1 for each in shape)
    if most is not None and n_places > most:
        step = int(step * math.sqrt(n_places / most))
    for y in range(0, shape[0] - side + 1, step):
        for x in range(0, shape[1] - side + 1, step):
            yield x, y


def _measure_tile(
    plane: Plane, reference: Plane, usable: np.ndarray, window: np.ndarray
) -> tuple[float, float, float] | None:
    """Give dx, dy and their uncertainty; None if the phases agree on nothing."""
    own, other = (_transform(each, usable, window) for each in (plane, reference))
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
    return dx, dy, max(fitted[2], _measure_uncertainty(moved[low], other[low], x[low], y[low]))


def _correlate(own: np.ndarray, other: np.ndarray) -> float:
    energy = math.sqrt(float((np.abs(own) ** 2).sum() * (np.abs(other) ** 2).sum()))
    return float((own.conj() * other).real.sum()) / max(energy, 1e-30)


def _measure_uncertainty(own: np.ndarray, other: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Give the deviation that what differs after the shift, taken for noise, would give a shift by least squares.

    With E the difference of the transforms and g = 2 pi f P their slopes: sum |g|^2 |E|^2 / (sum |g|^2)^2 an axis.
    """
    error = np.abs(own - other) ** 2
    variance = 0.0
    for axis in (x, y):
        slope = (2 * np.pi * axis) ** 2 * np.abs(other) ** 2
        variance += float((slope * error).sum() / max(slope.sum() ** 2, 1e-30))
    return math.sqrt(DEPENDENCE * variance)


def _transform(tile: Plane, usable: np.ndarray, window: np.ndarray) -> np.ndarray:
    weight = window * usable
    values = tile.astype(np.float64)
    return np.fft.fft2((values - np.average(values, weights=weight)) * weight)


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
        spread = max(1.4826 * float(np.median(np.abs(error))), 1e-3)
        uncertainty = _measure_spread(scaled, error[kept], np.linalg.inv(sums))
        kept = np.abs(error) < min(3 * spread, np.pi)
    return float(solution[0]), float(solution[1]), uncertainty


def _measure_spread(scaled: np.ndarray, error: np.ndarray, inverse: np.ndarray) -> float:
    """Give one standard deviation of the fitted shift, both axes together; real pictures have each frequency twice."""
    covariance = 2 * inverse @ (scaled.T @ (scaled * error[:, None] ** 2)) @ inverse
    return math.sqrt(max(float(np.trace(covariance)), 0.0))
