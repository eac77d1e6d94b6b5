"""Tone and colour of the reference, matched to the input's: a monotone curve for each channel, then a colour matrix.

Exposure, gain, white balance and tone curve differ between shots. On smoothed values of places that are aligned,
plain and usable, the curve of a channel is the monotone function nearest to the input's values over the
reference's, by least squares: the isotonic regression of the medians of bins, joined by a monotone cubic and
continued straight on at both ends. A matrix A near the identity is added, input = A curve(reference), where it
explains at least a tenth of what the curves left.

Smoothing first keeps noise of the reference from flattening the curve (regression dilution); plain places only,
since a blur of a curve is not the curve of a blur.

Source: Barlow, Bartholomew, Bremner and Brunk, "Statistical Inference under Order Restrictions", Wiley 1972,
chapter 1 (isotonic regression); Fritsch and Carlson, SIAM Journal on Numerical Analysis 17(2), 1980 (monotone
cubic); Reinhard et al., IEEE Computer Graphics and Applications 21(5), 2001 (matching colours channel by channel
and across).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression

from raim.data.alignment.planes import Colour, measure_noise, smooth

SMOOTHING_PX = 2.0
N_BINS = 64
LEAST_IN_BIN = 30
LEAST_SAMPLES = 1000
MOST_SAMPLES = 400_000
PLAIN_SHARE = 0.5  # of the places, those with the least local contrast for their brightness
N_LEVELS = 1025  # of a curve's table
MATRIX_GAIN = 0.1  # of the squared error that is left; less is noise
RISE = 1e-6
TOP = 0.98  # above, channels clip, and what they were is lost


@dataclass(frozen=True, kw_only=True, slots=True)
class Tone:
    """What brings the reference's encoded values to the input's.

    Attributes:
        curves: For each channel its values at N_LEVELS equal steps from 0 to 1, never falling.
        matrix: Applied after the curves.
        error: Root mean square of what is left at plain places, in levels of 255.
        gain: Mean slope of the curves, 1: the same tone.
    """

    curves: Float64[np.ndarray, "channels levels"]
    matrix: Float64[np.ndarray, "channels channels"]
    error: float
    gain: float

    def apply(self, colour: Colour) -> Colour:
        """Return a picture's values in the input's tone, cut to [0, 1]."""
        toned = _apply_curves(colour, self.curves)
        return np.clip(_mix(toned, self.matrix), 0, 1)

    def invert(self, colour: Colour) -> Colour:
        """Return values of the input's tone in the reference's; where a curve is level, to its lower end."""
        unmixed = _mix(colour, np.linalg.inv(self.matrix))
        levels = np.linspace(0, 1, self.curves.shape[1])
        back = np.empty(colour.shape, np.float32)
        for channel, curve in enumerate(self.curves):
            # np.interp needs rising places; a level piece rises by less than any picture's steps.
            back[..., channel] = np.interp(unmixed[..., channel], curve + RISE * levels, levels)
        return back


def keep_tone(n_channels: int) -> Tone:
    """Return the tone that changes nothing."""
    curve = np.linspace(0, 1, N_LEVELS)
    return Tone(curves=np.tile(curve, (n_channels, 1)), matrix=np.eye(n_channels), error=0.0, gain=1.0)


def match_tone(colour: Colour, reference: Colour, usable: Bool[np.ndarray, "_ _"]) -> Tone:
    """Return the tone of the input over the reference; one that changes nothing where too few places are usable.

    Args:
        colour: The input, encoded values (h, w, channels).
        reference: Warped onto its grid, as sharp as the input.
        usable: Pixels that both show, unsaturated, that have not moved.
    """
    own, other = _sample(colour, reference, usable)
    n_channels = colour.shape[2]
    if len(own) < LEAST_SAMPLES:
        return keep_tone(n_channels)
    curves = np.stack([_fit_curve(other[:, each], own[:, each]) for each in range(n_channels)])
    toned = _apply_curves(other[None], curves)[0].astype(np.float64)
    matrix, left = _fit_matrix(own, toned)
    slopes = [
        np.polyfit(other[:, each], toned[:, each], 1)[0] if np.ptp(other[:, each]) > 0 else 1.0
        for each in range(n_channels)
    ]
    return Tone(curves=curves, matrix=matrix, error=255 * left, gain=float(np.mean(slopes)))


def _sample(colour: Colour, reference: Colour, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return smoothed values (samples, channels) of input and reference at plain usable places."""
    shown = np.ascontiguousarray(usable.astype(np.float32))
    whole = smooth(shown, SMOOTHING_PX)
    own, other = (smooth(each, SMOOTHING_PX) for each in (colour, reference))
    squares = smooth(reference**2, SMOOTHING_PX)
    contrast = np.sqrt(np.maximum(squares - other**2, 0)).max(axis=2)
    bright = (own.max(axis=2) > TOP) | (other.max(axis=2) > TOP)
    candidates = (whole > 0.999) & ~bright
    plain = candidates & (contrast <= _limit_contrast(contrast, other.mean(axis=2), candidates))
    rows, columns = np.nonzero(plain)
    step = max(1, len(rows) // MOST_SAMPLES)
    chosen = rows[::step], columns[::step]
    return own[chosen].astype(np.float64), other[chosen].astype(np.float64)


def _limit_contrast(contrast: np.ndarray, level: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return for each pixel the contrast under which the plainer places of about its brightness lie."""
    bins = np.clip((level * 16).astype(np.intp), 0, 15)
    limits = np.zeros(16, np.float32)
    for each in range(16):
        values = contrast[candidates & (bins == each)]
        limits[each] = np.quantile(values, PLAIN_SHARE) if values.size else 0
    return limits[bins]


def _fit_curve(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Fit the monotone curve from values to targets; gives N_LEVELS values."""
    centres, middles, counts = _bin(values, targets)
    levels = np.linspace(0, 1, N_LEVELS)
    if len(centres) < 2:
        shift = float(np.median(targets - values))
        return np.clip(levels + shift, 0, 1)
    fitted = isotonic_regression(middles, weights=counts).x
    low_slope, high_slope = _end_slope(centres, fitted, counts, 0), _end_slope(centres, fitted, counts, -1)
    curve = PchipInterpolator(centres, fitted)(np.clip(levels, centres[0], centres[-1]))
    curve = np.where(levels < centres[0], fitted[0] + (levels - centres[0]) * low_slope, curve)
    curve = np.where(levels > centres[-1], fitted[-1] + (levels - centres[-1]) * high_slope, curve)
    return np.maximum.accumulate(curve)


def _bin(values: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean value, target and number of each bin; bins hold about as many samples, and at least 30."""
    n_bins = max(2, min(N_BINS, len(values) // LEAST_IN_BIN))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)))
    index = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    counts = np.bincount(index, minlength=1)
    # Within a narrow bin a curve is straight: the means of both lie on it, once outliers of the difference are cut.
    offset = targets - values
    middle, spread = np.zeros((2, len(counts)))
    for each in np.flatnonzero(counts):
        own = offset[index == each]
        middle[each] = np.median(own)
        spread[each] = measure_noise(own - middle[each])
    kept = np.abs(offset - middle[index]) <= 3 * spread[index] + 1e-6
    weights = np.bincount(index[kept], minlength=len(counts))
    held = weights > 0
    centres = np.bincount(index[kept], values[kept], len(counts))[held] / weights[held]
    means = np.bincount(index[kept], targets[kept], len(counts))[held] / weights[held]
    return centres, means, weights[held].astype(np.float64)


def _end_slope(centres: np.ndarray, fitted: np.ndarray, counts: np.ndarray, end: int) -> float:
    """Return the slope at an end, from the outer eighth of the curve; never negative."""
    n = max(2, len(centres) // 8)
    part = slice(0, n) if end == 0 else slice(-n, None)
    if np.ptp(centres[part]) <= 0:
        return 1.0
    return max(0.0, float(np.polyfit(centres[part], fitted[part], 1, w=np.sqrt(counts[part]))[0]))


def _fit_matrix(own: np.ndarray, toned: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit the matrix on one half of the samples, keep it if it helps on the other; gives what is left (rms) too."""
    identity = np.eye(own.shape[1])
    plain = _measure_error(own, toned, identity)
    if own.shape[1] == 1:
        return identity, plain
    near = np.abs(own - toned).max(axis=1) <= 3 * max(plain, 1e-6)
    train, test = (np.flatnonzero(near)[start::2] for start in (0, 1))
    if len(test) < LEAST_SAMPLES // 4:
        return identity, plain
    solution = np.linalg.lstsq(toned[train], own[train], rcond=None)[0].T
    before, after = (_measure_error(own[test], toned[test], each) for each in (identity, solution))
    if after**2 > (1 - MATRIX_GAIN) * before**2:
        return identity, plain
    return solution, _measure_error(own, toned, solution)


def _measure_error(own: np.ndarray, toned: np.ndarray, matrix: np.ndarray) -> float:
    """Return the robust root mean square of what a matrix leaves."""
    left = np.sort(((own - toned @ matrix.T) ** 2).mean(axis=1))
    return float(np.sqrt(left[: max(1, int(0.95 * len(left)))].mean()))


def _apply_curves(colour: np.ndarray, curves: np.ndarray) -> np.ndarray:
    toned = np.empty(colour.shape, np.float32)
    levels = np.linspace(0, 1, curves.shape[1])
    for channel in range(colour.shape[2]):
        toned[..., channel] = np.interp(colour[..., channel], levels, curves[channel])
    return toned


def _mix(colour: Colour, matrix: np.ndarray) -> Colour:
    """Multiply by a matrix channel by channel: how a matrix product rounds depends on threads."""
    if np.array_equal(matrix, np.eye(len(matrix))):
        return colour
    weights = matrix.astype(np.float32)
    mixed = np.zeros_like(colour)
    for row in range(len(weights)):
        for column in range(len(weights)):
            mixed[..., row] += weights[row, column] * colour[..., column]
    return mixed
