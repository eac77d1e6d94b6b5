"""What can be measured in a photograph without a reference: noise, bandwidth, JPEG blocks, clipping, size."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from raim.restore.descriptor import Photograph
from raim.restore.noise import estimate_flat_noise, estimate_noise
from raim.restore.spectrum import LUMA, bandwidth

BLOCK_PX = 8  # of JPEG


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """What was measured.

    Attributes:
        width: Pixels.
        height: Pixels.
        noise: Sigma of white noise, of 255.
        flat_noise: What is left of noise in the flattest places at half the size, of 255: nearly sigma for white
            noise, larger than `noise` where a camera or JPEG has smoothed it, as they nearly all do.
        bandwidth: Highest frequency with detail, of the Nyquist frequency.
        blockiness: Steps at the borders of 8x8 blocks over steps elsewhere; 1 without JPEG.
        clipped: Share of the pixels with all channels at 0 or all at full.
    """

    width: int
    height: int
    noise: float
    flat_noise: float
    bandwidth: float
    blockiness: float
    clipped: float

    def describe(self) -> str:
        """Say it in one line.

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
    return Inspection(
        width=image.shape[1],
        height=image.shape[0],
        noise=estimate_noise(image),
        flat_noise=estimate_flat_noise(image),
        bandwidth=bandwidth(luma),
        blockiness=measure_blockiness(luma),
        clipped=float(np.mean((image.min(axis=2) >= 254.5 / 255) | (image.max(axis=2) <= 0.5 / 255))),
    )


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
    smallest = 1e-4  # of full range: a flat image has no blocks
    if not len(across):
        return 1.0
    return float((across.mean() + smallest) / (within.mean() + smallest))
