"""The bandwidth of a photograph: up to which frequency it holds more than noise and interpolation.

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

# Rec. ITU-R BT.601-7, section 2.5.1.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
WINDOW_PX = 128
MOST_WINDOWS = 144
N_BINS = 32  # from 1/32 of the Nyquist frequency to all of it
LOW_BINS = slice(1, 5)  # 2/32 to 5/32: below it a window holds too few periods
SHARE = 0.03  # 15 dB below the level of low frequencies


def bandwidth(luma: Float32[np.ndarray, "h w"]) -> float:
    """Measure the bandwidth of a photograph's luma.

    Args:
        luma: (h, w), at least 8x8.

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
    """Give the mean power at 1/32, 2/32, ... of the Nyquist frequency, over windows of 128 pixels.

    The diagonal beyond the Nyquist frequency is left out.
    """
    side = min(WINDOW_PX, *luma.shape)
    hann = np.hanning(side + 2)[1:-1]
    window = np.outer(hann, hann)
    total = np.zeros((side, side // 2 + 1))
    corners = window_corners(luma.shape[0], luma.shape[1], side)
    for top, left in corners:
        part = luma[top : top + side, left : left + side].astype(np.float64)
        total += np.abs(np.fft.rfft2((part - part.mean()) * window)) ** 2
    total /= len(corners) * (window**2).sum()
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    bins = np.rint(2 * radius * N_BINS).astype(int)
    sums = np.bincount(bins.ravel(), total.ravel(), minlength=N_BINS + 1)
    counts = np.bincount(bins.ravel(), minlength=N_BINS + 1)
    positions = np.flatnonzero(counts[1 : N_BINS + 1]) + 1
    return np.interp(np.arange(1, N_BINS + 1), positions, sums[positions] / counts[positions])


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
