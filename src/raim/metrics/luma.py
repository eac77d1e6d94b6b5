"""Planes of a photograph: its channels, and the three lumas that published measures are defined on.

A plane is a weighted sum of R, G, B on the scale where white is 255, plus an offset:

    bt601      (65.481 R + 128.553 G + 24.966 B) / 255 + 16     16 (black) to 235 (white)
    yiq        0.299 R + 0.587 G + 0.114 B                      0 to 255
    rgb2gray   0.298936... R + 0.587043... G + 0.114020... B    0 to 255

Source: bt601: ITU-R BT.601-7, 2.5.1 to 2.5.3, in the form of MATLAB's rgb2ycbcr (Poynton). yiq: ITU-R BT.601-7,
2.5.1. rgb2gray: MATLAB's function of that name, the first row of the inverse of its YIQ matrix.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from raim.compilation import first_use
from raim.errors import unknown_name
from raim.metrics.arrays import PixelValues, Tensor, check_image, white_level
from raim.metrics.gradients import round_straight_through


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """A weighted sum of the channels.

    Attributes:
        name: How it is called.
        weights: Of R, G, B, for channels and result on the scale where white is 255.
        offset: Added to the sum, on the same scale.
    """

    name: str
    weights: tuple[float, float, float]
    offset: float = 0.0


RED = Plane(name="red", weights=(1.0, 0.0, 0.0))
GREEN = Plane(name="green", weights=(0.0, 1.0, 0.0))
BLUE = Plane(name="blue", weights=(0.0, 0.0, 1.0))
BT601 = Plane(name="bt601", weights=(65.481 / 255, 128.553 / 255, 24.966 / 255), offset=16.0)
YIQ = Plane(name="yiq", weights=(0.299, 0.587, 0.114))
RGB2GRAY = Plane(name="rgb2gray", weights=(0.298936021293775, 0.587043074451121, 0.114020904255103))

LUMAS = {plane.name: plane for plane in (BT601, YIQ, RGB2GRAY)}
COLOURS = {"rgb": (RED, GREEN, BLUE), "y": (BT601,)}


def luma(
    image: PixelValues, *, kind: str = "bt601", rounded: bool = False, data_range: float | None = None
) -> Float64[np.ndarray, "h w"]:
    """Compute the luma of a photograph.

    Args:
        image: (h, w, 3), uint8, uint16 or float in [0, 1].
        kind: "bt601", "yiq" or "rgb2gray".
        rounded: Round to the nearest integer, halves to even.
        data_range: The value of white; None for the type's own.

    Returns:
        Luma in double precision on the scale where the full range is 255, whatever the image's type.

    Raises:
        InputError: If the image is not as stated.
        UnknownNameError: If there is no such luma.

    Example:
        >>> white = np.full((1, 1, 3), 65535, np.uint16)
        >>> [round(float(luma(white, kind=kind)[0, 0]), 9) for kind in ("bt601", "yiq", "rgb2gray")]
        [235.0, 255.0, 255.0]
    """
    if kind not in LUMAS:
        raise unknown_name("luma", kind, LUMAS)
    check_image(image, data_range=data_range)
    out = np.empty(image.shape[:2])
    load_plane(image, LUMAS[kind], white=white_level(image, data_range), rounded=rounded, out=out)
    return out


def find_planes(colour: str) -> tuple[Plane, ...]:
    """Return the planes that a measure averages over: "rgb" the three channels, "y" the luma of BT.601.

    Raises:
        UnknownNameError: If it is neither.

    Example:
        >>> [plane.name for plane in find_planes("y")]
        ['bt601']
    """
    if colour not in COLOURS:
        raise unknown_name("colour", colour, COLOURS)
    return COLOURS[colour]


def load_plane(rows: PixelValues, plane: Plane, *, white: float, rounded: bool, out: np.ndarray) -> None:
    """Write a plane of some rows of a checked image.

    Args:
        rows: (n, w, 3).
        plane: Which one.
        white: The value of white in `rows`.
        rounded: Round to the nearest integer, halves to even.
        out: (n, w), written to; float64, or uint8 where `rounded`.
    """
    from raim.metrics.luma_kernels import weighted_sum

    weights = np.array(plane.weights) * (255.0 / white)
    packed = interleaved(rows)
    with first_use("plane", packed.dtype, packed.flags.c_contiguous, out.dtype, out.flags.c_contiguous):
        weighted_sum(packed, weights, plane.offset, rounded, out)


def load_plane_in_single(rows: PixelValues, plane: Plane, *, white: float, out: np.ndarray) -> None:
    """Write a rounded plane without offset as single precision gives it, as pyiqa 0.1.16 computes its luma.

    One pixel in a thousand of an 8-bit photograph has a YIQ luma of exactly one half more than an integer; which way
    it is rounded moves NIQE by up to 6e-3.

    Args:
        rows: (n, w, 3).
        plane: Which one.
        white: The value of white in `rows`.
        out: (n, w) of uint8, written to.
    """
    from raim.metrics.luma_kernels import weighted_sum_in_single

    weights = np.array(plane.weights, np.float32)
    packed = interleaved(rows)
    with first_use("single plane", packed.dtype, packed.flags.c_contiguous, out.flags.c_contiguous):
        weighted_sum_in_single(packed, weights, np.float32(white), out)


def plane_of(images: Float[Tensor, "b 3 h w"], plane: Plane) -> Float[Tensor, "b h w"]:
    """Compute a plane of a batch, on the scale where white is 255.

    Example:
        >>> import torch
        >>> round(plane_of(torch.ones(1, 3, 1, 1), BT601).item(), 3)
        235.0
    """
    red, green, blue = plane.weights
    total = images[:, 0] * red + images[:, 1] * green + images[:, 2] * blue
    return total * 255 + plane.offset


def planes_of(
    images: Float[Tensor, "b 3 h w"], colour: str, *, rounded_luma: bool = False
) -> Float[Tensor, "b c h w"]:
    """Compute the planes of a colour of a batch; luma rounded to integers where that is asked for."""
    import torch

    planes = torch.stack([plane_of(images, plane) for plane in find_planes(colour)], 1)
    return round_straight_through(planes) if rounded_luma and colour == "y" else planes


def interleaved(rows: PixelValues) -> np.ndarray:
    """See rows (n, w, 3) as (n, 3 w), without a copy unless pixels do not follow each other in memory.

    A kernel is compiled for each kind of array (read-only, ordered by columns, off the processor's alignment). All are
    made one kind, but for whether rows follow each other without a gap: `first_use` can name that.

    Example:
        >>> interleaved(np.zeros((6, 6, 3), np.uint8)[1:-1, 1:-1]).strides
        (18, 1)
    """
    packed = rows.reshape(rows.shape[0], -1)
    if not packed.flags.aligned or packed.strides[1] != packed.itemsize:
        packed = packed.copy(order="C")
    packed.flags.writeable = False  # of this view only
    return packed
