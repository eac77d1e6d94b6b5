"""The form in which a pair is delivered: its sizes, and JPEG."""

import io
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float32, UInt8

from raim.data.camera.arrays import Rgb
from raim.data.camera.stage import CameraStage, choice, number

Filter = Literal["bilinear", "bicubic", "lanczos"]
Delivery = Literal["scene", "sensor", "small"]
Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Zoom(CameraStage):
    """Digital zoom: the sizes of input and reference.

    "scene": the input is enlarged to the clean photograph's size. "sensor": the reference is reduced to the sensor's
    size, free of aliasing. "small": the input stays small, the reference large.

    Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", IEEE Transactions on Acoustics, Speech
    and Signal Processing 29(6), 1981 (bicubic, a = -1/2 as Pillow has it; when making smaller the kernel is widened by
    the factor, which is the low-pass filter that the sensor does not have).
    """

    deliver: Delivery = choice("scene", get_args(Delivery), "whose size input and reference have")
    filter: Filter = choice("bicubic", get_args(Filter), "that enlarges the input")


@dataclass(frozen=True, kw_only=True, slots=True)
class Compression(CameraStage):
    """JPEG: blocks of 8 x 8 pixels, ringing and coarse colour.

    Source: ITU-T Recommendation T.81; quality as libjpeg scales the tables of its annex K (Pillow, libjpeg-turbo).
    """

    quality: int = number(0, 0, 100, "of JPEG; 0 does not compress")
    subsampling: Subsampling = choice("4:2:0", get_args(Subsampling), "of colour")


def resize(
    picture: Rgb, height: int, width: int, filter_name: Filter
) -> Float32[np.ndarray, "{height} {width} 3"]:
    """Return a picture in another size; when it becomes smaller, details finer than its pixels are filtered out."""
    from PIL import Image

    if picture.shape[:2] == (height, width):
        return picture
    resample = Image.Resampling[filter_name.upper()]
    planes = (Image.fromarray(np.ascontiguousarray(picture[..., channel])) for channel in range(3))
    return np.stack([np.asarray(plane.resize((width, height), resample)) for plane in planes], axis=2)


def compress(pixels: UInt8[np.ndarray, "h w 3"], stage: Compression) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture compressed as JPEG and decoded again."""
    from PIL import Image

    if stage.quality == 0:
        return pixels
    stream = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.save(stream, format="JPEG", quality=stage.quality, subsampling=stage.subsampling)
    return np.asarray(Image.open(stream, formats=["JPEG"]))
