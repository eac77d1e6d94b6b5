"""Demosaicing: three colours for each photosite out of the one that it has seen.

`bilinear` averages the nearest photosites of a colour. `malvar` adds to that the Laplacian of the colour that the
photosite has seen, in the parts alpha = 1/2, beta = 5/8, gamma = 3/4 that are best in the Wiener sense.

Source: Malvar, He and Cutler, "High-quality Linear Interpolation for Demosaicing of Bayer-patterned Color Images",
ICASSP 2004, figure 2 (the four kernels, in eighths).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Float32

from raim.data.camera.arrays import Plane, Scene
from raim.errors import unknown_name

Method = Literal["malvar", "bilinear"]
Kernel = Float32[np.ndarray, "5 5"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Demosaic:
    """How colours are interpolated.

    Attributes:
        method: "malvar" or "bilinear".
    """

    method: Method = "malvar"

    def __post_init__(self) -> None:
        """Refuse an unknown method."""
        if self.method not in KERNELS:
            raise unknown_name("demosaicing method", self.method, KERNELS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpolation:
    """The kernels that find a colour where another was seen.

    Attributes:
        green: Green at red and at blue.
        along_row: Red or blue at a green that has it left and right (transposed: above and below).
        opposite: Red at blue, and blue at red.
    """

    green: Kernel
    along_row: Kernel
    opposite: Kernel


def _eighths(*rows: tuple[float, ...]) -> Kernel:
    return np.array(rows, np.float32) / 8


KERNELS: Mapping[str, Interpolation] = MappingProxyType(
    {
        "malvar": Interpolation(
            green=_eighths(
                (0, 0, -1, 0, 0), (0, 0, 2, 0, 0), (-1, 2, 4, 2, -1), (0, 0, 2, 0, 0), (0, 0, -1, 0, 0)
            ),
            along_row=_eighths(
                (0, 0, 0.5, 0, 0), (0, -1, 0, -1, 0), (-1, 4, 5, 4, -1), (0, -1, 0, -1, 0), (0, 0, 0.5, 0, 0)
            ),
            opposite=_eighths(
                (0, 0, -1.5, 0, 0),
                (0, 2, 0, 2, 0),
                (-1.5, 0, 6, 0, -1.5),
                (0, 2, 0, 2, 0),
                (0, 0, -1.5, 0, 0),
            ),
        ),
        "bilinear": Interpolation(
            green=_eighths(
                (0, 0, 0, 0, 0), (0, 0, 2, 0, 0), (0, 2, 0, 2, 0), (0, 0, 2, 0, 0), (0, 0, 0, 0, 0)
            ),
            along_row=_eighths(
                (0, 0, 0, 0, 0), (0, 0, 0, 0, 0), (0, 4, 0, 4, 0), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0)
            ),
            opposite=_eighths(
                (0, 0, 0, 0, 0), (0, 2, 0, 2, 0), (0, 0, 0, 0, 0), (0, 2, 0, 2, 0), (0, 0, 0, 0, 0)
            ),
        ),
    }
)


def demosaic(raw: Plane, stage: Demosaic, *, red_gain: float = 1.0, blue_gain: float = 1.0) -> Scene:
    """Interpolate the colours of a mosaic R G over G B.

    Args:
        raw: One value for each photosite, at least 3 along each side.
        stage: The method.
        red_gain: White balance under which neighbouring colours are compared; undone in the result.
        blue_gain: The same of blue.

    Returns:
        (h, w, 3); what was seen is kept, up to the white of each colour.

    Example:
        >>> demosaic(np.full((4, 4), 0.5, np.float32), Demosaic())[1, 1].tolist()
        [0.5, 0.5, 0.5]
    """
    from scipy.ndimage import convolve

    balanced = raw.copy()
    balanced[0::2, 0::2] *= np.float32(red_gain)
    balanced[1::2, 1::2] *= np.float32(blue_gain)
    # Colours saturate one after the other; between them a Laplacian would speckle the edges of blown highlights.
    np.minimum(balanced, 1, out=balanced)
    kernels = KERNELS[stage.method]
    # "mirror" leaves out the border's own row, so the colours' order goes on outside.
    green, row, column, opposite = (
        convolve(balanced, kernel, mode="mirror")
        for kernel in (kernels.green, kernels.along_row, kernels.along_row.T, kernels.opposite)
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
