"""NIQE of a batch; definition and variants as in `raim.metrics.niqe`."""

import torch
from jaxtyping import Float
from torch import Tensor

from raim.devices import to_double
from raim.errors import UnscorableError, unknown_name
from raim.metrics.batched.niqe_features import block_features
from raim.metrics.batched.tensors import Batch, check_batch, plane_of, round_straight_through
from raim.metrics.niqe_features import BLOCK, VARIANTS, Arithmetic
from raim.weights import load_weights


def niqe(images: Batch, *, variant: str = "pyiqa") -> Float[Tensor, " b"]:
    """Measure how natural photographs look.

    Args:
        images: (b, 3, h, w), float32 or float64 in [0, 1]. Computed in double precision: on the processor where their
            device has none (Apple's MPS).
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
    luma = _check(images, variant, n_images=1)
    return niqe_of_luma(luma, VARIANTS[variant]).to(images)


def niqe_together(images: Batch, *, variant: str = "pyiqa") -> Float[Tensor, ""]:
    """Measure how natural the images of a batch look together: their blocks count as those of one photograph.

    The patches that a net learns from are too small for a NIQE each.

    Args:
        images: As of `niqe`; each of at least 96x96, two blocks of that size in all.
        variant: As of `niqe`.

    Returns:
        One distance; for a batch of one that of `niqe`.

    Raises:
        InputError: If the images are not as stated.
        UnknownNameError: If there is no such variant.
        UnscorableError: If there are fewer than two 96x96 blocks with structure.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
        >>> whole = torch.tensor(noise).movedim(2, 0)[None] / 255
        >>> round(niqe_together(whole).item(), 3)
        38.711
    """
    luma = _check(images, variant, n_images=len(images))
    return _distance(block_features(luma, VARIANTS[variant]).flatten(0, 1)).to(images)


def _check(images: Batch, variant: str, *, n_images: int) -> Float[Tensor, "b h w"]:
    """Give the luma of whole blocks, if there are two of them in so many images."""
    check_batch(images)
    if variant not in VARIANTS:
        raise unknown_name("NIQE variant", variant, VARIANTS)
    height, width = images.shape[2:]
    if (height // BLOCK) * (width // BLOCK) * n_images < 2:
        raise UnscorableError(
            f"the images are {width}x{height}, NIQE needs at least two blocks of {BLOCK}x{BLOCK}"
        )
    cropped = images[:, :, : height // BLOCK * BLOCK, : width // BLOCK * BLOCK]
    return _luma(cropped, VARIANTS[variant])


def niqe_of_luma(luma: Float[Tensor, "b h w"], arithmetic: Arithmetic) -> Float[Tensor, " b"]:
    """Measure luma on the scale of 255, in double precision, its size a multiple of 96."""
    features = block_features(luma, arithmetic)
    return torch.stack([_distance(values) for values in features])


def _luma(images: Float[Tensor, "b 3 h w"], arithmetic: Arithmetic) -> Float[Tensor, "b h w"]:
    images = images.float() if arithmetic.is_luma_single else to_double(images)
    return round_straight_through(to_double(plane_of(images, arithmetic.plane)))


def _distance(values: Float[Tensor, "blocks 36"]) -> Float[Tensor, ""]:
    complete = values[~values.isnan().any(1)]
    if len(complete) < 2:
        raise UnscorableError("NIQE has no value: fewer than two blocks of 96x96 have structure")
    model = load_weights("niqe")
    mean, covariance = (torch.tensor(model[key]).to(values) for key in ("mean", "covariance"))
    difference = mean - values.nanmean(0)
    pooled = (covariance + torch.cov(complete.T)) / 2
    return (difference @ torch.linalg.solve(pooled, difference)).sqrt()
