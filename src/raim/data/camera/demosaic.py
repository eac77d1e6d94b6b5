"""Demosaicing: three colours for each photosite out of the one that it has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float32

from raim.data.camera.arrays import Channel, Rgb
from raim.data.camera.stage import CameraStage, choice

Method = Literal["malvar", "bilinear"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Demosaic(CameraStage):
    """How colours are interpolated.

    `bilinear` averages the nearest photosites of a colour. `malvar` adds to that the Laplacian of the colour that the
    photosite has seen, in the parts alpha = 1/2, beta = 5/8, gamma = 3/4 that are best in the Wiener sense.

    Source: Malvar, He and Cutler, "High-quality Linear Interpolation for Demosaicing of Bayer-patterned Color Images",
    ICASSP 2004, figure 2 (the four kernels, in eighths).
    """

    method: Method = choice("malvar", get_args(Method), "of interpolation")


def _eighths(rows: str) -> Float32[np.ndarray, "5 5"]:
    return np.array([row.split() for row in rows.split("/")], np.float32) / 8


# Of each method: green at red and at blue; red or blue at a green that has it left and right (transposed: above and
# below); red at blue, and blue at red.
KERNELS: Mapping[str, tuple[Float32[np.ndarray, "5 5"], ...]] = MappingProxyType(
    {
        "malvar": (
            _eighths("0 0 -1 0 0 / 0 0 2 0 0 / -1 2 4 2 -1 / 0 0 2 0 0 / 0 0 -1 0 0"),
            _eighths("0 0 0.5 0 0 / 0 -1 0 -1 0 / -1 4 5 4 -1 / 0 -1 0 -1 0 / 0 0 0.5 0 0"),
            _eighths("0 0 -1.5 0 0 / 0 2 0 2 0 / -1.5 0 6 0 -1.5 / 0 2 0 2 0 / 0 0 -1.5 0 0"),
        ),
        "bilinear": (
            _eighths("0 0 0 0 0 / 0 0 2 0 0 / 0 2 0 2 0 / 0 0 2 0 0 / 0 0 0 0 0"),
            _eighths("0 0 0 0 0 / 0 0 0 0 0 / 0 4 0 4 0 / 0 0 0 0 0 / 0 0 0 0 0"),
            _eighths("0 0 0 0 0 / 0 2 0 2 0 / 0 0 0 0 0 / 0 2 0 2 0 / 0 0 0 0 0"),
        ),
    }
)


def demosaic(raw: Channel, stage: Demosaic, *, red_gain: float = 1.0, blue_gain: float = 1.0) -> Rgb:
    """Return the colours of a mosaic R G over G B; what was seen is kept, up to the white of each colour.

    Neighbouring colours are compared under the white balance of the two gains, which is undone in the result.
    """
    from scipy.ndimage import convolve

    balanced = raw.copy()
    balanced[0::2, 0::2] *= np.float32(red_gain)
    balanced[1::2, 1::2] *= np.float32(blue_gain)
    # Colours saturate one after the other; between them a Laplacian would speckle the edges of blown highlights.
    np.minimum(balanced, 1, out=balanced)
    at_green, along_row, at_opposite = KERNELS[stage.method]
    # "mirror" leaves out the border's own row, so the colours' order goes on outside.
    green, row, column, opposite = (
        convolve(balanced, kernel, mode="mirror")
        for kernel in (at_green, along_row, along_row.T, at_opposite)
    )
    colours = np.repeat(balanced[..., None], 3, axis=2)
    at_red, at_green_of_red = np.s_[0::2, 0::2], np.s_[0::2, 1::2]
    at_green_of_blue, at_blue = np.s_[1::2, 0::2], np.s_[1::2, 1::2]
    for place, channel, found in (
        (at_red, 1, green), (at_blue, 1, green),
        (at_green_of_red, 0, row), (at_green_of_blue, 0, column), (at_blue, 0, opposite),
        (at_green_of_blue, 2, row), (at_green_of_red, 2, column), (at_red, 2, opposite),
    ):  # fmt: skip
        colours[(*place, channel)] = found[place]
    return colours / np.array([red_gain, 1, blue_gain], np.float32)
