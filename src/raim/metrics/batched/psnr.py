"""PSNR of a batch; definition and options as in `raim.metrics.psnr`."""

import torch
from jaxtyping import Float
from torch import Tensor

from raim.metrics.batched.tensors import Batch, check_batches, plane_of
from raim.metrics.luma import find_planes


def psnr(
    restored: Batch, reference: Batch, *, colour: str = "rgb", epsilon: float = 0.0
) -> Float[Tensor, " b"]:
    """Measure how far restorations are from their references, pixel by pixel.

    Args:
        restored: (b, 3, h, w), float32 or float64 in [0, 1].
        reference: (b, 3, h, w) of the same size, type and device.
        colour: "rgb" or "y".
        epsilon: Added to the mean squared error; for training take 1e-8, which keeps the gradient finite.

    Returns:
        (b,) decibels; higher is better; infinite for identical images where `epsilon` is 0.

    Raises:
        InputError: If sizes, types or devices differ.
        UnknownNameError: If there is no such colour.

    Example:
        >>> reference = torch.zeros(1, 3, 2, 2)
        >>> round(psnr(reference + 0.1, reference).item(), 4)
        20.0
    """
    check_batches(restored, reference)
    planes = find_planes(colour)
    squares = [(plane_of(restored, plane) - plane_of(reference, plane)) ** 2 for plane in planes]
    error = torch.stack(squares, 1).mean((1, 2, 3)) / 255**2
    return -10 * torch.log10(error + epsilon)
