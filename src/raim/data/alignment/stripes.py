"""Stripes that one of two pictures has: found in the spectrum of their difference, and attenuated in both.

Least squares weigh a difference by the inverse of its noise. Noise that is alike over many pixels, as stripes are,
has its power at a few frequencies, and there the weight has to fall. With S(f) the power of the difference of two
aligned pictures (Welch's mean over tiles) and L(|f|) the lower quartile of S over all directions at one frequency,
which is the level of what has no direction, both pictures go through

    G(f) = min(1, sqrt(4 L(|f|) / S(f)))

whose square is the weight of a frequency. What stands out by less than 4 times is left alone.

Source: Welch, IEEE Transactions on Audio and Electroacoustics 15(2), 1967 (S); Aitken, Proceedings of the Royal
Society of Edinburgh 55, 1935 (least squares with noise that hangs together are those of whitened values).
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from raim.data.alignment.planes import Plane, apply_window, draw_window

SIDE_PX = 64  # of a tile: a few periods of the widest stripes
QUANTILE = 0.25  # stripes of three channels hold less than three quarters of a ring of frequencies
PROMINENCE = 4.0  # times the level: a mean over tens of tiles seldom stands out by as much by chance
LOWEST = 1.5  # cycles per tile: the window spreads the mean up to here
SEAM_PX = 32  # mirrored around a picture before it is filtered


def suppress_stripes(plane: Plane, reference: Plane, usable: Bool[np.ndarray, "_ _"]) -> tuple[Plane, Plane]:
    """Return two aligned pictures, input and reference, with the stripes by which they differ attenuated.

    Args:
        plane: The input.
        reference: On its grid, of the same brightness and sharpness.
        usable: Pixels that both show and that have not moved; elsewhere the reference stands in for the input.
    """
    own = np.where(usable, plane, reference)
    gain = _find_gain(_measure_power(own - reference))
    return _filter(own, gain), _filter(reference, gain)


def _measure_power(difference: Plane) -> Float64[np.ndarray, "side side"]:
    """Return the mean power over tiles that overlap by half."""
    side = min(SIDE_PX, *difference.shape)
    window = draw_window(side, side)
    total, step = np.zeros((side, side)), max(1, side // 2)
    for y in range(0, difference.shape[0] - side + 1, step):
        for x in range(0, difference.shape[1] - side + 1, step):
            tile = difference[y : y + side, x : x + side]
            total += np.abs(np.fft.fft2(apply_window(tile, window))) ** 2
    return total


def _find_gain(power: Float64[np.ndarray, "side side"]) -> Float64[np.ndarray, "side side"]:
    steps = np.fft.fftfreq(len(power)) * len(power)
    radius = np.hypot(*np.meshgrid(steps, steps))
    ring = np.rint(radius).astype(np.intp)
    levels = np.array([np.quantile(power[ring == each], QUANTILE) for each in range(ring.max() + 1)])
    gain = np.sqrt(np.minimum(1, PROMINENCE * levels[ring] / np.maximum(power, 1e-30)))
    return np.where((radius <= LOWEST) | (power <= 1e-30), 1.0, gain)


def _filter(plane: Plane, gain: Float64[np.ndarray, "side side"]) -> Plane:
    """Multiply a picture's transform by a gain that is known at fewer frequencies."""
    framed = cv2.copyMakeBorder(plane, SEAM_PX, SEAM_PX, SEAM_PX, SEAM_PX, cv2.BORDER_REFLECT_101)
    filtered = np.fft.irfft2(np.fft.rfft2(framed) * _interpolate(gain, framed.shape), s=framed.shape)
    return filtered[SEAM_PX:-SEAM_PX, SEAM_PX:-SEAM_PX].astype(np.float32)


def _interpolate(
    gain: Float64[np.ndarray, "side side"], shape: tuple[int, ...]
) -> Float32[np.ndarray, "h w"]:
    """Return the gain at the frequencies of the real transform of a picture of this shape."""
    side, middle = len(gain), len(gain) // 2
    x, y = np.meshgrid(
        np.fft.rfftfreq(shape[1]) * side + middle, np.fft.fftfreq(shape[0]) * side + middle, indexing="xy"
    )
    table = np.fft.fftshift(gain).astype(np.float32)
    return cv2.remap(
        table, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
