"""Brightness and colour apart, as image processors and JPEG hold them.

Source: ITU-T Recommendation T.871 (JFIF), section 7: full-range BT.601, here with Cb and Cr about 0.
"""

import numpy as np
from jaxtyping import Float32

from raim.data.camera.arrays import Scene, mix_channels

TO_LUMA = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.299 / 1.772, -0.587 / 1.772, 0.886 / 1.772],
        [0.701 / 1.402, -0.587 / 1.402, -0.114 / 1.402],
    ]
)
_TO_RGB = np.linalg.inv(TO_LUMA)


def split_luma(rgb: Scene) -> Float32[np.ndarray, "h w 3"]:
    """Give Y in [0, 1] and Cb, Cr in [-0.5, 0.5] of encoded values.

    Example:
        >>> split_luma(np.ones((1, 1, 3), np.float32))[0, 0].round(4).tolist()
        [1.0, 0.0, 0.0]
    """
    return mix_channels(rgb, TO_LUMA)


def join_luma(planes: Float32[np.ndarray, "h w 3"]) -> Scene:
    """Undo `split_luma`; values outside [0, 1] are cut.

    Example:
        >>> join_luma(np.array([[[0.5, 0, 0]]], np.float32))[0, 0].round(4).tolist()
        [0.5, 0.5, 0.5]
    """
    return np.clip(mix_channels(planes, _TO_RGB), 0, 1)
