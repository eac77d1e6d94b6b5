"""NIQE of a batch; definition and variants as in `raim.metrics.niqe`."""

import torch
from jaxtyping import Float
from torch import Tensor

from raim.errors import UnscorableError, unknown_name
from raim.metrics.batched.niqe_features import block_features
from raim.metrics.batched.tensors import Batch, check_batch, plane_of, round_straight_through
from raim.metrics.niqe_features import BLOCK, VARIANTS, Arithmetic
from raim.weights import load_weights

HIGHER_IS_BETTER = False


def niqe(images: Batch, *, variant: str = "pyiqa") -> Float[Tensor, " b"]:
    """Measure how natural photographs look.

    Args:
        images: (b, 3, h, w), float32 or float64 in [0, 1]. Computed in double precision, which the device must have.
        variant: "pyiqa", "basicsr" or "matlab".

    Returns:
        (b,) distances of the images' type, from 0 upwards; lower is better. The gradient passes through the rounding
        of luma; of the shapes, which come from a grid, it is that of the function which the grid samples.

    Raises:
        InputError: If the images are not as stated.
        UnknownNameError: If there is no such variant.
        UnscorableError: If fewer than two 96x96 blocks fit, or too many blocks of an image are flat.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
        >>> round(niqe(torch.tensor(noise).movedim(2, 0)[None] / 255).item(), 3)
        38.711
    """
    check_batch(images)
    if variant not in VARIANTS:
        raise unknown_name("NIQE variant", variant, VARIANTS)
    height, width = images.shape[2:]
    if (height // BLOCK) * (width // BLOCK) < 2:
        raise UnscorableError(
            f"the images are {width}x{height}, NIQE needs at least two blocks of {BLOCK}x{BLOCK}"
        )
    cropped = images[:, :, : height // BLOCK * BLOCK, : width // BLOCK * BLOCK]
    luma = _luma(cropped, VARIANTS[variant])
    return niqe_of_luma(luma, VARIANTS[variant]).to(images.dtype)


def niqe_of_luma(luma: Float[Tensor, "b h w"], arithmetic: Arithmetic) -> Float[Tensor, " b"]:
    """Measure luma on the scale of 255, in double precision, its size a multiple of 96."""
    features = block_features(luma, arithmetic)
    return torch.stack([_distance(values) for values in features])


def _luma(images: Float[Tensor, "b 3 h w"], arithmetic: Arithmetic) -> Float[Tensor, "b h w"]:
    images = images.float() if arithmetic.is_luma_single else images.double()
    return round_straight_through(plane_of(images, arithmetic.plane).double())


def _distance(values: Float[Tensor, "blocks 36"]) -> Float[Tensor, ""]:
    complete = values[~values.isnan().any(1)]
    if len(complete) < 2:
        raise UnscorableError("NIQE has no value: fewer than two blocks of 96x96 have structure")
    model = load_weights("niqe")
    mean, covariance = (torch.tensor(model[key]).to(values) for key in ("mean", "covariance"))
    difference = mean - values.nanmean(0)
    pooled = (covariance + torch.cov(complete.T)) / 2
    return (difference @ torch.linalg.solve(pooled, difference)).sqrt()
