"""Tone and colour of the camera, and their exact inverse: from encoded sRGB to linear camera light and back.

Developing a raw photograph, per pixel (white is 1 throughout):

    c = min(w * raw, 1)          white balance, w = (red_gain, 1, blue_gain)
    l = A^-1 c                   colour matrix; A mixes the channels as overlapping colour filters do
    v = E(clip(l, 0, 1))         transfer function E of sRGB
    out = (1 - s) v + s (3 v^2 - 2 v^3)     tone curve of strength s

`unprocess` inverts each step. A = (1 - 3k) I + k 1, with crosstalk k: its rows sum to 1, so that white stays white, and
its inverse has the form of a camera's colour matrix (k = 0.15: 1.55 on the diagonal, -0.27 beside it).

Source: Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, section 3 (order of the steps,
smoothstep as tone curve, ranges of the gains); IEC 61966-2-1:1999, section 5.2 (E). The inverse of the tone curve is
the trigonometric root of the cubic, which for s = 1 is Brooks' equation for the inverse smoothstep.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32

from raim.data.camera.arrays import Rgb, mix_channels
from raim.data.camera.stage import CameraStage, number
from raim.images import PixelArray

# IEC 61966-2-1, section 5.2: the linear piece near black and the power above it.
LINEAR_SLOPE, LINEAR_END, OFFSET, EXPONENT = 12.92, 0.0031308, 0.055, 2.4
LEAST_TONE = 1e-6  # bends by 1e-7 at most; below it the terms of the root grow without bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Colour(CameraStage):
    """Tone and colour of a camera, the same for input and reference."""

    red_gain: float = number(1.0, 1, 8, "white balance gain of red, relative to green")
    blue_gain: float = number(1.0, 1, 8, "the same of blue")
    crosstalk: float = number(0.0, 0, 0.25, "k, the part of each other channel that a filter lets through")
    tone: float = number(0.0, 0, 1, "s, strength of the tone curve: 0 none, 1 smoothstep")

    @property
    def gains(self) -> Float[np.ndarray, "3"]:
        """White balance of the three channels."""
        return np.array([self.red_gain, 1.0, self.blue_gain])


def decode_srgb(encoded: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Return the linear light of encoded sRGB values, both in [0, 1] (IEC 61966-2-1, section 5.2)."""
    low = encoded / LINEAR_SLOPE
    high = ((np.maximum(encoded, 0) + OFFSET) / (1 + OFFSET)) ** EXPONENT
    return np.where(encoded <= LINEAR_SLOPE * LINEAR_END, low, high)


def encode_srgb(linear: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """Return the encoded sRGB values of linear light, both in [0, 1]; the inverse of `decode_srgb`."""
    high = (1 + OFFSET) * np.maximum(linear, LINEAR_END) ** (1 / EXPONENT) - OFFSET
    return np.where(linear <= LINEAR_END, linear * LINEAR_SLOPE, high)


def apply_tone(values: Float[np.ndarray, "*shape"], strength: float) -> Float[np.ndarray, "*shape"]:
    """Return encoded values in [0, 1] through the tone curve of a strength in [0, 1]."""
    return values * (1 - strength + strength * values * (3 - 2 * values))


def invert_tone(values: Float[np.ndarray, "*shape"], strength: float) -> Float[np.ndarray, "*shape"]:
    """Return what `apply_tone` was given: t = x - 1/2 is the middle root of 2 s t^3 - (1 + s/2) t + y - 1/2 = 0."""
    if strength < LEAST_TONE:
        return values
    radius = np.sqrt((1 + strength / 2) / (6 * strength))
    sine = np.clip((values - 0.5) / (4 * strength * radius**3), -1, 1)
    return 0.5 + 2 * radius * np.sin(np.arcsin(sine) / 3)


def mixing_matrix(crosstalk: float) -> Float[np.ndarray, "3 3"]:
    """Return A, which makes camera light from linear sRGB; its inverse is the camera's colour matrix."""
    return (1 - 3 * crosstalk) * np.eye(3) + crosstalk


def unprocess(clean: PixelArray, colour: Colour) -> Rgb:
    """Return the linear camera light behind a developed photograph; white is 1 over the gains."""
    linear = _linear_table(np.iinfo(clean.dtype).max, colour.tone)[clean]
    if linear.ndim == 2:
        linear = np.repeat(linear[..., None], 3, axis=2)
    camera = mixing_matrix(colour.crosstalk) / colour.gains[:, None]
    return mix_channels(linear, camera)


def develop(raw: Rgb, colour: Colour) -> Rgb:
    """Return the encoded values, in [0, 1], of linear camera light; what is brighter than white is cut."""
    balanced = np.minimum(raw * colour.gains.astype(np.float32), np.float32(1))
    matrix = np.linalg.inv(mixing_matrix(colour.crosstalk))
    linear = np.clip(mix_channels(balanced, matrix), 0, 1)
    return apply_tone(encode_srgb(linear), colour.tone)


@lru_cache(maxsize=8)
def _linear_table(largest: int, tone: float) -> Float32[np.ndarray, " n"]:
    """Return the linear light of each whole number from 0 to the largest."""
    encoded = np.arange(largest + 1) / largest
    return decode_srgb(invert_tone(encoded, tone)).astype(np.float32)
