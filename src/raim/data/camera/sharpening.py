"""Sharpening by unsharp mask: edges overshoot on both sides, which shows as halos.

    Y' = Y + amount (Y - G(Y))

On a step of height h with a wide G the overshoot tends to amount h / 2 on each side.

Source: Polesel, Ramponi and Mathews, "Image Enhancement via Adaptive Unsharp Masking", IEEE Transactions on Image
Processing 9(3), 2000, equation 1 (the linear form).
"""

from dataclasses import dataclass

import numpy as np

from raim.data.camera.arrays import Scene, require_range
from raim.data.camera.convolution import blur_gaussian
from raim.data.camera.luma import join_luma, split_luma


@dataclass(frozen=True, kw_only=True, slots=True)
class Sharpening:
    """How much the camera sharpens.

    Attributes:
        amount: 0 is off; cameras use 0.5 to 2, 5 is grotesque.
        radius_px: Standard deviation of the Gaussian.
    """

    amount: float = 0.0
    radius_px: float = 1.0

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("sharpening.amount", self.amount, 0, 10)
        require_range("sharpening.radius_px", self.radius_px, 0.1, 100)


def sharpen(picture: Scene, stage: Sharpening) -> Scene:
    """Sharpen the brightness of encoded values; what leaves [0, 1] is cut.

    Example:
        >>> step = np.repeat(np.array([0.25, 0.75], np.float32), 32)[None, :, None].repeat(3, 2).repeat(8, 0)
        >>> round(float(sharpen(step, Sharpening(amount=0.4, radius_px=4.0)).max()), 2)  # 0.75 + 0.4 * 0.5 / 2
        0.84
    """
    if stage.amount == 0:
        return picture
    planes = split_luma(picture)
    luma = np.ascontiguousarray(planes[..., 0])
    planes[..., 0] += np.float32(stage.amount) * (luma - blur_gaussian(luma, stage.radius_px))
    return join_luma(planes)
