"""JPEG: blocks of 8 x 8 pixels, ringing and coarse colour.

Source: ITU-T Recommendation T.81; quality as libjpeg scales the tables of its annex K (Pillow, libjpeg-turbo).
"""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from raim.data.camera.arrays import require_range
from raim.errors import unknown_name

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Compression:
    """How the camera compresses.

    Attributes:
        quality: Of JPEG, 1 to 100; 0 does not compress.
        subsampling: Of colour: "4:4:4", "4:2:2" or "4:2:0".
    """

    quality: int = 0
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"

    def __post_init__(self) -> None:
        """Refuse numbers outside their ranges."""
        require_range("compression.quality", self.quality, 0, 100)
        if self.subsampling not in SUBSAMPLINGS:
            raise unknown_name("subsampling", self.subsampling, SUBSAMPLINGS)


def compress(pixels: UInt8[np.ndarray, "h w 3"], stage: Compression) -> UInt8[np.ndarray, "h w 3"]:
    """Compress as JPEG and decode again.

    Example:
        >>> grey = np.full((16, 16, 3), 128, np.uint8)
        >>> bool((compress(grey, Compression(quality=50)) == 128).all())
        True
    """
    from PIL import Image

    if stage.quality == 0:
        return pixels
    stream = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.save(stream, format="JPEG", quality=stage.quality, subsampling=stage.subsampling)
    return np.asarray(Image.open(stream, formats=["JPEG"]))
