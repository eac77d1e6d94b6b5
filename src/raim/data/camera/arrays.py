"""The arrays that the stages of the camera hand on; mixing their channels, and brightness apart from colour.

Source: ITU-T Recommendation T.871 (JFIF), section 7: full-range BT.601, here with Cb and Cr about 0.
"""

import numpy as np
from jaxtyping import Float, Float32

# Linear light (or, after `develop`, encoded values) of three channels; 1 is white.
Rgb = Float32[np.ndarray, "h w 3"]
# One number for each photosite, linear; 1 is the saturation of the sensor.
Channel = Float32[np.ndarray, "h w"]
# Anything that is blurred: one plane, or planes side by side along the last axis.
Layers = Float32[np.ndarray, "h w *channels"]

TO_LUMA = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.299 / 1.772, -0.587 / 1.772, 0.886 / 1.772],
        [0.701 / 1.402, -0.587 / 1.402, -0.114 / 1.402],
    ]
)
_TO_RGB = np.linalg.inv(TO_LUMA)


def mix_channels(picture: Rgb, matrix: Float[np.ndarray, "3 3"]) -> Rgb:
    """Return a picture with the three channels of each pixel multiplied by a matrix."""
    # Not a matrix product: how that rounds depends on the number of its threads, and pairs must not.
    weights = matrix.astype(np.float32)
    mixed = np.empty_like(picture)
    for channel in range(3):
        red, green, blue = (picture[..., index] * weights[channel, index] for index in range(3))
        mixed[..., channel] = red + green + blue
    return mixed


def split_luma(rgb: Rgb) -> Rgb:
    """Return Y in [0, 1] and Cb, Cr in [-0.5, 0.5] of encoded values."""
    return mix_channels(rgb, TO_LUMA)


def join_luma(planes: Rgb) -> Rgb:
    """Return the encoded values of `split_luma`'s planes; what lies outside [0, 1] is cut."""
    return np.clip(mix_channels(planes, _TO_RGB), 0, 1)
