"""PSNR: peak signal-to-noise ratio, the mean squared error on a logarithmic scale.

With x the restored and y the reference image on the scale where white is 1, and n their values:

    PSNR = -10 log10( 1/n  sum of (x - y)^2  +  epsilon )     dB

Over R, G, B it is exact: squares of integers are summed as integers. Over luma (`colour="y"`) x and y are the luma
of BT.601, unrounded, in units of 255, so that white is 235/255: the ratio stays that of the full range.

Source: for epsilon = 0 the definition of ISO/IEC 29170-1 and of all public tools. The challenge's public scripts
use pyiqa 0.1.16, which adds epsilon = 1e-8, so that no pair exceeds 80 dB.
"""

import math

import numpy as np
from jaxtyping import Float

from raim.compilation import first_use
from raim.errors import InputError
from raim.metrics.arrays import Batch, PixelValues, Tensor, check_batches, check_pair, white_level
from raim.metrics.luma import BT601, COLOURS, find_planes, interleaved, planes_of
from raim.metrics.record import MeasureRecord


def psnr(
    restored: PixelValues,
    reference: PixelValues,
    *,
    colour: str = "rgb",
    epsilon: float = 0.0,
    data_range: float | None = None,
) -> float:
    """Measure how far a restoration is from its reference, pixel by pixel.

    Args:
        restored: (h, w, 3), uint8, uint16 or float in [0, 1]. Grey images are expanded by the caller.
        reference: (h, w, 3) of the same size and type.
        colour: "rgb", the error over all three channels, or "y", the error of luma.
        epsilon: Added to the mean squared error on the scale where white is 1.
        data_range: The value of white; None for the type's own (255, 65535, 1).

    Returns:
        Decibels; higher is better; infinite for identical images where `epsilon` is 0.

    Raises:
        InputError: If sizes or types differ, a value is outside the range, or `epsilon` is negative.
        UnknownNameError: If there is no such colour.

    Example:
        >>> reference = np.zeros((2, 2, 3), np.uint8)
        >>> restored = reference.copy()
        >>> restored[0, 0] = 51
        >>> round(psnr(restored, reference), 6)
        20.0
        >>> psnr(reference, reference), psnr(reference, reference, epsilon=1e-8)
        (inf, 80.0)
    """
    check_pair(restored, reference, data_range=data_range)
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise InputError(f"epsilon is {epsilon}, expected a number that is not negative, such as 1e-8")
    error = _mean_squared_error(restored, reference, colour, white_level(restored, data_range)) + epsilon
    return math.inf if error == 0 else 0.0 - 10 * math.log10(error)


def _mean_squared_error(restored: PixelValues, reference: PixelValues, colour: str, white: float) -> float:
    """Average the squared error over pixels and planes, on the scale where white is 1."""
    from raim.metrics import psnr_kernels

    planes = find_planes(colour)
    x, y = interleaved(restored), interleaved(reference)
    with first_use("psnr", colour, x.dtype, x.flags.c_contiguous, y.flags.c_contiguous):
        if planes == (BT601,):
            total = psnr_kernels.weighted_squares(x, y, np.array(BT601.weights))
        elif x.dtype.kind == "f":
            total = psnr_kernels.float_squares(x, y)
        else:
            total = psnr_kernels.integer_squares(x, y)
    return float(total) / (restored.shape[0] * restored.shape[1] * len(planes) * white**2)


def psnr_batch(
    restored: Batch, reference: Batch, *, colour: str = "rgb", epsilon: float = 0.0
) -> Float[Tensor, " b"]:
    """PSNR of each image of a batch, differentiable; arguments and errors as of `psnr`.

    For training take an `epsilon` of 1e-8, which keeps the gradient finite.

    Example:
        >>> import torch
        >>> reference = torch.zeros(1, 3, 2, 2)
        >>> round(psnr_batch(reference + 0.1, reference).item(), 4)
        20.0
    """
    import torch

    check_batches(restored=restored, reference=reference)
    error = (planes_of(restored, colour) - planes_of(reference, colour)) ** 2
    return -10 * torch.log10(error.mean((1, 2, 3)) / 255**2 + epsilon)


PSNR = MeasureRecord(
    name="psnr",
    title="PSNR",
    unit="dB",
    decimals=2,
    higher_is_better=True,
    value_range=(0.0, math.inf),
    source="ISO/IEC 29170-1",
    options={"colour": tuple(COLOURS), "epsilon": float},
    array_form=psnr,
    tensor_form=psnr_batch,
)
