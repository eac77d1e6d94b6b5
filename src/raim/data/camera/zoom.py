"""The size in which a pair is delivered: digital zoom, or the reference made as small as the sensor.

Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE Transactions on Acoustics, Speech and
Signal Processing 29(6), 1981 (bicubic, a = -1/2 as Pillow has it; when making smaller the kernel is widened by the
factor, which is the low-pass filter that the sensor lacks).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from raim.data.camera.arrays import Scene
from raim.errors import unknown_name

Filter = Literal["bilinear", "bicubic", "lanczos"]
FILTERS = ("bilinear", "bicubic", "lanczos")
DELIVERIES = ("scene", "sensor", "small")


@dataclass(frozen=True, kw_only=True, slots=True)
class Zoom:
    """Which sizes input and reference have.

    Attributes:
        deliver: "scene": the input is enlarged to the clean photograph's size. "sensor": the reference is reduced to
            the sensor's size, free of aliasing. "small": the input stays small, the reference large.
        filter: That enlarges the input: "bilinear", "bicubic" or "lanczos".
    """

    deliver: Literal["scene", "sensor", "small"] = "scene"
    filter: Filter = "bicubic"

    def __post_init__(self) -> None:
        """Refuse unknown names."""
        if self.deliver not in DELIVERIES:
            raise unknown_name("delivery", self.deliver, DELIVERIES)
        if self.filter not in FILTERS:
            raise unknown_name("filter", self.filter, FILTERS)


def resize(
    picture: Scene, height: int, width: int, filter_name: Filter
) -> Float32[np.ndarray, "{height} {width} 3"]:
    """Give a picture another size; when it becomes smaller, details finer than its pixels are filtered out first.

    Example:
        >>> resize(np.ones((2, 4, 3), np.float32), 4, 8, "bicubic").shape
        (4, 8, 3)
    """
    from PIL import Image

    if picture.shape[:2] == (height, width):
        return picture
    resample = Image.Resampling[filter_name.upper()]
    planes = (Image.fromarray(np.ascontiguousarray(picture[..., channel])) for channel in range(3))
    return np.stack([np.asarray(plane.resize((width, height), resample)) for plane in planes], axis=2)
