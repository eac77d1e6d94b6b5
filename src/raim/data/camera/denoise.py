"""Denoising that goes too far: fine texture is taken for noise and smoothed away, strong edges stay.

A guided filter on each of Y, Cb, Cr, guided by itself: in each window, with m and v its mean and variance,

    out = a x + (1 - a) m,    a = v / (v + strength^2)

so what varies less than `strength` goes, what varies more stays; a and (1 - a) m are averaged over the windows that
hold a pixel.

Source: He, Sun and Tang, "Guided Image Filtering", IEEE Transactions on Pattern Analysis and Machine Intelligence
35(6), 2013, equations 5, 6 and 8, section 3.3 (self-guided: edge-preserving smoothing).
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Plane, Scene, require_range
from raim.data.camera.luma import join_luma, split_luma


@dataclass(frozen=True, kw_only=True, slots=True)
class Denoise:
    """How hard the camera denoises.

    Attributes:
        radius_px: Half side of the window, 0 (off) to 50.
        luma_strength: Standard deviation, in encoded values, below which brightness counts as noise.
        chroma_strength: The same of Cb and Cr.
    """

    radius_px: int = 0
    luma_strength: float = 0.05
    chroma_strength: float = 0.1

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("denoise.radius_px", self.radius_px, 0, 50)
        require_range("denoise.luma_strength", self.luma_strength, 0, 1)
        require_range("denoise.chroma_strength", self.chroma_strength, 0, 1)


def smooth_noise(picture: Scene, stage: Denoise) -> Scene:
    """Smooth encoded values.

    Example:
        >>> noise = np.random.default_rng(0).normal(0.5, 0.02, (64, 64, 3)).astype(np.float32)
        >>> smoothed = smooth_noise(noise, Denoise(radius_px=3, luma_strength=0.1))
        >>> bool(smoothed.std() < 0.3 * noise.std())
        True
    """
    if stage.radius_px == 0:
        return picture
    planes = split_luma(picture)
    strengths = (stage.luma_strength, stage.chroma_strength, stage.chroma_strength)
    for channel, strength in enumerate(strengths):
        planes[..., channel] = _guided(planes[..., channel], stage.radius_px, strength)
    return join_luma(planes)


def _guided(plane: Plane, radius_px: int, strength: float) -> Plane:
    from scipy.ndimage import uniform_filter

    def average(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, 2 * radius_px + 1, mode="reflect")

    exact = plane.astype(np.float64)  # the variance is a difference of two near numbers
    mean = average(exact)
    variance = np.maximum(average(exact * exact) - mean * mean, 0)
    kept = variance / (variance + strength**2 + 1e-12)
    return (average(kept) * exact + average((1 - kept) * mean)).astype(np.float32)
