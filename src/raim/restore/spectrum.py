"""The spectrum of a photograph: up to which frequency it holds more than noise and interpolation, how it falls, peaks.

The power spectrum of a sharp photograph falls about as 1/f^2 up to the Nyquist frequency. Blur and interpolation
let it fall faster. The radial mean of the spectrum, less its floor, times f^2, is compared with its mean at low
frequencies; the bandwidth is the highest frequency where it is above a share of that.

Source: Field, "Relations between the statistics of natural images and the response properties of cortical
cells", JOSA A 4(12), 1987 (the 1/f^2 law).
"""

import itertools
import math

import numpy as np
from jaxtyping import Float32, Float64

Plane = Float64[np.ndarray, "side half"]

# Rec. ITU-R BT.601-7, section 2.5.1.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
WINDOW_PX = 128
MOST_WINDOWS = 144
N_BINS = 32  # from 1/32 of the Nyquist frequency to all of it
LOW_BINS = slice(1, 5)  # 2/32 to 5/32: below it a window holds too few periods
SHARE = 0.03  # 15 dB below the level of low frequencies
N_DIRECTIONS = 8
LOW = 0.05, 0.15  # of the Nyquist frequency: what no blur reaches
HIGH = 0.2, 0.5  # what blur reaches first; above it there is often noise alone
CORNER = 0.9  # beyond it lies the floor of noise
FLOOR = 20  # percentile
SMALLEST_POWER = 1e-9
N_RINGS = 16
RINGS = slice(2, 15)
N_PEAK = 4  # a peak and its mirror image, each of two points


def bandwidth(luma: Float32[np.ndarray, "h w"]) -> float:
    """Measure the bandwidth of a photograph's luma, of at least 8x8 pixels.

    Returns:
        Of the Nyquist frequency, 0 (flat) to 1 (detail in every pixel).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> bandwidth(rng.random((256, 256), np.float32))
        1.0
    """
    power = radial_power(luma)
    frequencies = np.arange(1, N_BINS + 1) / N_BINS
    # White noise has no floor to take off: then the lowest value is half of the mean or more.
    lowest = float(np.min(power))
    floor = lowest if lowest < 0.1 * float(np.mean(power)) else 0.0
    compensated = (power - floor) * frequencies**2
    level = float(np.mean(compensated[LOW_BINS]))
    above = np.flatnonzero(compensated > SHARE * level)
    return float(frequencies[above[-1]]) if level > 0 and len(above) else 0.0


def radial_power(luma: Float32[np.ndarray, "h w"]) -> Float64[np.ndarray, " n"]:
    """Return the mean power at 1/32, 2/32, ... of the Nyquist frequency, over windows of 128 pixels.

    The diagonal beyond the Nyquist frequency is left out.
    """
    power, radius, _ = measure_power(luma)
    bins = np.rint(radius * N_BINS).astype(int)
    sums = np.bincount(bins.ravel(), power.ravel(), minlength=N_BINS + 1)
    counts = np.bincount(bins.ravel(), minlength=N_BINS + 1)
    positions = np.flatnonzero(counts[1 : N_BINS + 1]) + 1
    return np.interp(np.arange(1, N_BINS + 1), positions, sums[positions] / counts[positions])


def measure_power(luma: Float32[np.ndarray, "h w"]) -> tuple[Plane, Plane, Plane]:
    """Return the mean power of windows of 128 pixels; radius, of the Nyquist frequency, and angle, 0 to pi, of each."""
    side = min(WINDOW_PX, *luma.shape)
    hann = np.hanning(side + 2)[1:-1]
    window = np.outer(hann, hann)
    total = np.zeros((side, side // 2 + 1))
    corners = window_corners(luma.shape[0], luma.shape[1], side)
    for top, left in corners:
        part = luma[top : top + side, left : left + side].astype(np.float64)
        total += np.abs(np.fft.rfft2((part - part.mean()) * window)) ** 2
    total /= len(corners) * (window**2).sum()
    down, across = 2 * np.fft.fftfreq(side)[:, None], 2 * np.fft.rfftfreq(side)[None]
    return total, np.hypot(down, across), np.arctan2(down, across) % math.pi


def measure_falloff(luma: Float32[np.ndarray, "h w"]) -> Float64[np.ndarray, " directions"]:
    """Measure how much less power a photograph has at high than at low frequencies, in eight directions.

    Returns:
        log10 of power times frequency squared at 0.2 to 0.5 of the Nyquist frequency over that at 0.05 to 0.15, less
        the floor of noise: about 0 for a sharp photograph, negative for a blurred one; 0 where a window has no such
        frequencies.

    Example:
        >>> rows = np.random.default_rng(0).random((256, 256), np.float32)
        >>> falloff = measure_falloff(rows + np.roll(rows, 1, 0) + np.roll(rows, 2, 0))
        >>> int(falloff.argmin()), int(falloff.argmax())
        (4, 0)
    """
    power, radius, angle = measure_power(luma)
    floor = np.percentile(power[radius > CORNER], FLOOR)
    compensated = np.maximum(power - floor, SMALLEST_POWER) * radius**2
    falloff = np.zeros(N_DIRECTIONS)
    for index in range(N_DIRECTIONS):
        apart = np.abs((angle - index * math.pi / N_DIRECTIONS + math.pi / 2) % math.pi - math.pi / 2)
        bands = [
            compensated[(apart <= math.pi / N_DIRECTIONS) & (radius >= low) & (radius < high)]
            for low, high in (HIGH, LOW)
        ]
        if all(len(band) for band in bands):
            falloff[index] = math.log10(bands[0].mean() / bands[1].mean())
    return falloff


def measure_peak(luma: Float32[np.ndarray, "h w"]) -> float:
    """Measure how far the spectrum stands out of what lies around it at the same radius.

    Returns:
        log10 of the fourth highest power over the median one, in the ring where that is most; about 0.5 for noise, over
        2 for stripes.

    Example:
        >>> noise = np.random.default_rng(0).random((256, 256), np.float32)
        >>> stripes = noise + np.sin(np.arange(256, dtype=np.float32))
        >>> round(measure_peak(noise), 1), round(measure_peak(stripes), 1)
        (0.4, 3.7)
    """
    power, radius, _ = measure_power(luma)
    rings = np.rint(radius * N_RINGS).astype(int)
    parts = [np.sort(power[rings == ring]) + SMALLEST_POWER for ring in range(RINGS.start, RINGS.stop)]
    return max(
        (math.log10(part[-N_PEAK] / np.median(part)) for part in parts if len(part) >= N_PEAK), default=0.0
    )


def window_corners(height: int, width: int, side: int) -> list[tuple[int, int]]:
    """Place windows evenly, half overlapping or wider apart, at most about 144.

    Example:
        >>> window_corners(256, 128, 128)
        [(0, 0), (64, 0), (128, 0)]
    """
    step = max(side // 2, math.ceil(math.sqrt(height * width / MOST_WINDOWS)))
    rows = range(0, height - side + 1, step)
    columns = range(0, width - side + 1, step)
    return list(itertools.product(rows, columns))
