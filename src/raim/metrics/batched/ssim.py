"""SSIM of a batch; definition and options as in `raim.metrics.ssim`."""

import torch
from jaxtyping import Float
from torch import Tensor

from raim.errors import UnscorableError
from raim.metrics.batched.tensors import Batch, check_batches, plane_of, round_straight_through
from raim.metrics.luma import find_planes
from raim.metrics.ssim import C1, C2, DEVIATION, WINDOW
from raim.metrics.trunk.torch_engine import convolve
from raim.metrics.windows import gaussian_window


def ssim(
    restored: Batch,
    reference: Batch,
    *,
    colour: str = "rgb",
    rounded_luma: bool = False,
    clip_contrast: bool = False,
) -> Float[Tensor, " b"]:
    """Measure how alike images are in local structure.

    Args:
        restored: (b, 3, h, w), float32 or float64 in [0, 1].
        reference: (b, 3, h, w) of the same size, type and device.
        colour: "rgb" or "y".
        rounded_luma: Round luma to integers of 0 to 255; the gradient passes through.
        clip_contrast: Put zero where the contrast-structure factor is negative.

    Returns:
        (b,) similarities, at most 1; higher is better.

    Raises:
        InputError: If sizes, types or devices differ.
        UnknownNameError: If there is no such colour.
        UnscorableError: If the window does not fit into the images.

    Example:
        >>> reference = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
        >>> reference[..., 8:] = 200 / 255
        >>> round(ssim(reference / 2, reference).item(), 6)
        0.644002
    """
    check_batches(restored, reference)
    planes = find_planes(colour)
    height, width = reference.shape[2:]
    if min(height, width) < WINDOW:
        raise UnscorableError(
            f"the images are {width}x{height}, SSIM averages over windows of {WINDOW}x{WINDOW}: none fits"
        )
    x, y = (torch.stack([plane_of(batch, plane) for plane in planes], 1) for batch in (restored, reference))
    if rounded_luma and colour == "y":
        x, y = round_straight_through(x), round_straight_through(y)
    return _similarity(x, y, clip_contrast=clip_contrast).mean((1, 2, 3))


def blur_valid(
    planes: Float[Tensor, "b c h w"], window: Float[Tensor, " taps"]
) -> Float[Tensor, "b c h_out w_out"]:
    """Average over the windows that lie wholly inside.

    Example:
        >>> blur_valid(torch.ones(1, 1, 5, 4), torch.full((3,), 1 / 3)).shape
        torch.Size([1, 1, 3, 2])
    """
    batch, channels, height, width = planes.shape
    single = planes.reshape(batch * channels, 1, height, width)
    down = convolve(single, window.reshape(1, 1, -1, 1))
    both = convolve(down, window.reshape(1, 1, 1, -1))
    return both.reshape(batch, channels, *both.shape[2:])


def _similarity(
    x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"], *, clip_contrast: bool
) -> Float[Tensor, "b c h_out w_out"]:
    window = torch.from_numpy(gaussian_window(WINDOW, DEVIATION)).to(x)
    mx, my = blur_valid(x, window), blur_valid(y, window)
    variances = blur_valid(x * x + y * y, window) - mx * mx - my * my
    covariance = blur_valid(x * y, window) - mx * my
    contrast = (2 * covariance + C2) / (variances + C2)
    if clip_contrast:
        contrast = contrast.clamp(min=0)
    return (2 * mx * my + C1) / (mx * mx + my * my + C1) * contrast
