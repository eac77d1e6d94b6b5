"""Which pixels of a pair may be used: those within the reference, unsaturated, unmoved, and of known position.

A pixel has moved where input and aligned reference differ by more than noise and the smallest misalignment explain.
With D their smoothed difference, n(v) its robust deviation at brightness v and g the smoothed gradient,

    |D| > 4 n(v) + 0.35 g + 2/255

Places smaller than 40 px are noise; the rest grows by 5 px, for the soft edges of what moved.

Source: the form noise plus gradient times misalignment, Brown, "A Survey of Image Registration Techniques", ACM
Computing Surveys 24(4), 1992, section 4, and Radke et al., "Image Change Detection Algorithms", IEEE TIP 14(3),
2005, section V (significance against noise).
"""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from raim.data.alignment.planes import Colour, Plane, measure_noise, smooth, to_luma
from raim.data.alignment.refinement import find_gradient

OUTSIDE, UNDETERMINED, MOVED, SATURATED, USABLE = 0, 43, 85, 170, 255  # values of a mask's pixels

DEVIATIONS = 4.0
MISALIGNED_PX = 0.35
STEP = 2 / 255
SMOOTHING_PX = 2.0
SMALLEST_PX = 40
GROWTH_PX = 5
N_LEVELS = 16
WHITE = 254 / 255  # from here on a channel is taken for clipped


def find_moved(colour: Colour, reference: Colour, inside: Bool[np.ndarray, "_ _"]) -> Bool[np.ndarray, "_ _"]:
    """Return where something has moved between the input and the simulated one, among what the reference shows."""
    found = np.zeros(inside.shape, bool)
    level = to_luma(reference)
    for channel in range(colour.shape[2]):
        own, other = (np.ascontiguousarray(each[..., channel]) for each in (colour, reference))
        difference = smooth(own - other, SMOOTHING_PX)
        slope = smooth(np.hypot(*find_gradient(other)), SMOOTHING_PX)
        noise = _measure_noises(difference, level, inside)
        found |= np.abs(difference) > DEVIATIONS * noise + MISALIGNED_PX * slope + STEP
    return _grow(found & inside)


def find_saturated(colour: Colour, reference: Colour) -> Bool[np.ndarray, "_ _"]:
    """Return the pixels with a channel at white in one of the two, where tone and detail are lost."""
    return (colour.max(axis=2) >= WHITE) | (reference.max(axis=2) >= WHITE)


def draw_mask(
    inside: Bool[np.ndarray, "h w"],
    *,
    undetermined: Bool[np.ndarray, "h w"],
    moved: Bool[np.ndarray, "h w"],
    saturated: Bool[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "h w"]:
    """Return the mask: 255 usable, 170 saturated, 85 moved, 43 position undetermined, 0 outside the reference."""
    mask = np.full(inside.shape, USABLE, np.uint8)
    mask[saturated] = SATURATED
    mask[undetermined] = UNDETERMINED
    mask[moved] = MOVED
    mask[~inside] = OUTSIDE
    return mask


def _measure_noises(difference: Plane, level: Plane, inside: np.ndarray) -> Plane:
    """Return for each pixel the robust deviation of the differences at its brightness."""
    bins = np.clip((level * N_LEVELS).astype(np.intp), 0, N_LEVELS - 1)
    overall = measure_noise(difference[inside]) if inside.any() else 0.0
    deviations = np.full(N_LEVELS, overall, np.float32)
    for each in range(N_LEVELS):
        values = difference[inside & (bins == each)]
        # Of few pixels at one brightness, all may have moved.
        if values.size > 0.02 * inside.sum():
            deviations[each] = min(measure_noise(values), 3 * overall)
    return deviations[bins]


def _grow(found: np.ndarray) -> np.ndarray:
    n_places, labels, statistics, _ = cv2.connectedComponentsWithStats(found.astype(np.uint8), connectivity=8)
    large = np.zeros(n_places, bool)
    large[1:] = statistics[1:, cv2.CC_STAT_AREA] >= SMALLEST_PX
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * GROWTH_PX + 1, 2 * GROWTH_PX + 1))
    return cv2.dilate(large[labels].astype(np.uint8), disc) > 0
