"""What a batch of photographs is, and its planes: channels and lumas (`raim.metrics.luma`).

A batch is a tensor (b, 3, h, w) of float32 or float64 with white at 1, on any device. Values are not checked: that
would wait for the device, and what a network gives leaves [0, 1] at times.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from raim.errors import InputError
from raim.metrics.luma import Plane

# Any shape: `check_batch` refuses a wrong one by an InputError with the real values.
Batch = Shaped[Tensor, "..."]


def check_batch(images: Batch, *, name: str = "images") -> None:
    """Refuse what is not a batch of photographs.

    Raises:
        InputError: If shape or type are not as stated.

    Example:
        >>> check_batch(torch.zeros(1, 2, 2, 3))
        Traceback (most recent call last):
        raim.errors.InputError: images has shape (1, 2, 2, 3), expected (b, 3, h, w)
    """
    if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
        raise InputError(f"{name} has shape {tuple(images.shape)}, expected (b, 3, h, w)")
    if images.dtype not in (torch.float32, torch.float64):
        raise InputError(
            f"{name} is of type {images.dtype}, expected torch.float32 or torch.float64 in [0, 1]"
        )


def check_batches(restored: Batch, reference: Batch) -> None:
    """Refuse two batches that cannot be compared.

    Raises:
        InputError: If one is not a batch, or their sizes, types or devices differ.

    Example:
        >>> check_batches(torch.zeros(1, 3, 2, 2), torch.zeros(2, 3, 2, 2))
        Traceback (most recent call last):
        raim.errors.InputError: restored is torch.float32 of shape (1, 3, 2, 2) on cpu, its reference
        torch.float32 of shape (2, 3, 2, 2) on cpu; they must agree
    """
    check_batch(restored, name="restored")
    check_batch(reference, name="reference")
    if (restored.shape, restored.dtype, restored.device) != (
        reference.shape,
        reference.dtype,
        reference.device,
    ):
        raise InputError(
            f"restored is {_describe(restored)}, its reference {_describe(reference)}; they must agree"
        )


def plane_of(images: Float[Tensor, "b 3 h w"], plane: Plane) -> Float[Tensor, "b h w"]:
    """Compute a plane on the scale where white is 255.

    Example:
        >>> from raim.metrics.luma import BT601
        >>> round(plane_of(torch.ones(1, 3, 1, 1), BT601).item(), 3)
        235.0
    """
    red, green, blue = plane.weights
    total = images[:, 0] * red + images[:, 1] * green + images[:, 2] * blue
    return total * 255 + plane.offset


def round_straight_through(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Round to integers, halves to even; the gradient is that of no rounding.

    Example:
        >>> round_straight_through(torch.tensor([0.5, 1.5, 1.7])).tolist()
        [0.0, 2.0, 2.0]
    """
    return values + (values.round() - values).detach()


def _describe(images: Batch) -> str:
    return f"{images.dtype} of shape {tuple(images.shape)} on {images.device}"
