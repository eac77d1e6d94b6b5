"""What can be measured in a photograph without a reference: noise, sharpness in all directions, JPEG blocks, patterns.

What blurs a photograph takes from its fine detail: how steeply the spectrum falls says how much, whether in one
direction more than in the others says whether it moved. Noise differs from texture by its being everywhere, and alike
at all scales. The interference of a screen stands out of the spectrum as peaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float32

from raim.restore.descriptor import Photograph
from raim.restore.noise import estimate_flat_noise, estimate_noise, measure_residuals
from raim.restore.reduction import reduce
from raim.restore.spectrum import LUMA, bandwidth, measure_falloff, measure_peak

BLOCK_PX = 8  # of JPEG
# Rec. ITU-R BT.601-7, section 2.5.2.
COLOURS = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32).T
FINE = 5  # percentile of residuals
TYPICAL = 50
COARSE = 4  # the reduction at which blur and noise no longer show
SMALLEST_STEP = 1e-4  # of full range


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """What was measured.

    Attributes:
        width: Pixels.
        height: Pixels.
        noise: Sigma of white noise, of 255.
        flat_noise: What is left of noise in the flattest places at half the size, of 255: nearly sigma for white
            noise, larger than `noise` where a camera or JPEG has smoothed it, as they nearly all do.
        fine_noise: The same in the very flattest places at full size.
        texture: Residual at half the size in the middle place over that in the very flattest ones; 1 to 2 for noise
            alone, far more for texture.
        bandwidth: Highest frequency with detail, of the Nyquist frequency.
        falloff: Power at high over power at low frequencies, times frequency squared, in powers of 10: near 0 where a
            photograph is sharp, -2 where it is blurred or was enlarged; the mean over all directions.
        anisotropy: The falloff in the sharpest direction less that in the least sharp one.
        gradient: Mean step from pixel to pixel, of 255.
        fineness: The gradient over that at a quarter of the size.
        colour: Steps of the colour differences over those of luma.
        peak: How far the spectrum stands out at its highest peak, in powers of 10: over 2 for regular patterns.
        blockiness: Steps at the borders of 8x8 blocks over steps elsewhere; 1 without JPEG.
        clipped: Share of the pixels with all channels at 0 or all at full.
    """

    width: int
    height: int
    noise: float
    flat_noise: float
    fine_noise: float
    texture: float
    bandwidth: float
    falloff: float
    anisotropy: float
    gradient: float
    fineness: float
    colour: float
    peak: float
    blockiness: float
    clipped: float

    def describe(self) -> str:
        """Return it as one line.

        Example:
            >>> inspect_photograph(np.zeros((64, 64, 3), np.float32)).describe()
            '64x64, noise sigma 0.0 (in flat places 0.0), bandwidth 0.00, blockiness 1.00, clipped 100 %'
        """
        return (
            f"{self.width}x{self.height}, noise sigma {self.noise:.1f} (in flat places {self.flat_noise:.1f}), "
            f"bandwidth {self.bandwidth:.2f}, blockiness {self.blockiness:.2f}, clipped {100 * self.clipped:.0f} %"
        )


def inspect_photograph(image: Photograph) -> Inspection:
    """Measure a photograph.

    Args:
        image: (h, w, 3) in [0, 1], at least 8x8.

    Example:
        >>> image = np.random.default_rng(0).random((64, 64, 3), np.float32)
        >>> inspect_photograph(image).bandwidth
        1.0
    """
    luma = image @ LUMA
    falloff = measure_falloff(luma)
    residuals = measure_residuals(reduce(image, 2), (FINE, TYPICAL))
    gradient = measure_gradient(luma)
    return Inspection(
        width=image.shape[1],
        height=image.shape[0],
        noise=estimate_noise(image),
        flat_noise=estimate_flat_noise(image),
        fine_noise=measure_residuals(image, (FINE,))[0],
        texture=(2 * residuals[1] + 0.1) / (2 * residuals[0] + 0.1),
        bandwidth=bandwidth(luma),
        falloff=float(falloff.mean()),
        anisotropy=float(np.ptp(falloff)),
        gradient=255 * gradient,
        fineness=(gradient + SMALLEST_STEP)
        / (measure_gradient(reduce(image, COARSE) @ LUMA) + SMALLEST_STEP),
        colour=(sum(measure_gradient(image @ each) for each in COLOURS.T) + SMALLEST_STEP)
        / (2 * gradient + SMALLEST_STEP),
        peak=measure_peak(luma),
        blockiness=measure_blockiness(luma),
        clipped=float(np.mean((image.min(axis=2) >= 254.5 / 255) | (image.max(axis=2) <= 0.5 / 255))),
    )


def take_median(parts: Sequence[Inspection], *, width: int, height: int) -> Inspection:
    """Return what is typical of a photograph, from its parts, at least one.

    Example:
        >>> parts = [inspect_photograph(np.full((16, 16, 3), grey, np.float32)) for grey in (0.5, 0.5, 1)]
        >>> take_median(parts, width=48, height=16).describe()[:5]
        '48x16'
    """
    medians: dict[str, Any] = {
        each.name: float(np.median([getattr(part, each.name) for part in parts]))
        for each in fields(Inspection)
    }
    return Inspection(**{**medians, "width": width, "height": height})


def measure_gradient(luma: Float32[np.ndarray, "h w"]) -> float:
    """Return the mean step from pixel to pixel, of full range.

    Example:
        >>> measure_gradient(np.arange(16, dtype=np.float32).reshape(4, 4) / 16)
        0.15625
    """
    steps = [np.abs(np.diff(luma, axis=axis)) for axis in (0, 1)]
    return float(np.mean([step.mean() if step.size else 0.0 for step in steps]))


def measure_blockiness(luma: Float32[np.ndarray, "h w"]) -> float:
    """Compare steps between columns and rows at the borders of 8x8 blocks with those elsewhere.

    Source: the horizontal and vertical blockiness of Wang, Sheikh, Bovik, "No-reference perceptual quality
    assessment of JPEG compressed images", ICIP 2002, as a ratio.

    Example:
        >>> blocks = np.random.default_rng(0).random((16, 16), np.float32).repeat(8, 0).repeat(8, 1)
        >>> measure_blockiness(blocks) > 100
        True
    """
    steps = [np.abs(np.diff(luma, axis=axis)).mean(axis=1 - axis) for axis in (0, 1)]
    across = np.concatenate([step[BLOCK_PX - 1 :: BLOCK_PX] for step in steps])
    within = np.concatenate([np.delete(step, np.s_[BLOCK_PX - 1 :: BLOCK_PX]) for step in steps])
    if not len(across):
        return 1.0
    return float((across.mean() + SMALLEST_STEP) / (within.mean() + SMALLEST_STEP))
