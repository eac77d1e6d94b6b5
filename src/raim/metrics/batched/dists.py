"""DISTS of a batch; definition as in `raim.metrics.dists`."""

import torch
from jaxtyping import Float
from torch import Tensor

from raim.metrics.batched.tensors import Batch, check_batches
from raim.metrics.batched.trunk import tapped_features
from raim.metrics.dists import C1, C2, DEVIATION, MEAN
from raim.metrics.trunk import VGG16
from raim.weights import load_weights


def dists(restored: Batch, reference: Batch) -> Float[Tensor, " b"]:
    """Measure the difference of structure and texture in the features of VGG16.

    Args:
        restored: (b, 3, h, w), float32 or float64 in [0, 1].
        reference: (b, 3, h, w) of the same size, type and device.

    Returns:
        (b,) distances, 0 for identical images; lower is better.

    Raises:
        InputError: If sizes, types or devices differ.

    Example:
        >>> reference = torch.full((1, 3, 64, 64), 128 / 255)
        >>> restored = reference.clone()
        >>> restored[:, :, ::2] = 96 / 255
        >>> round(dists(restored, reference).item(), 4)
        0.4061
    """
    check_batches(restored, reference)
    shift, scale = (
        torch.tensor(values, dtype=restored.dtype, device=restored.device) for values in (MEAN, DEVIATION)
    )
    features = [
        [images, *tapped_features(images, VGG16["l2"], shift=shift, scale=scale)]
        for images in (restored, reference)
    ]
    weights = load_weights("dists")
    alpha, beta = (
        torch.tensor(weights[key], dtype=restored.dtype, device=restored.device) for key in ("alpha", "beta")
    )
    similarity = torch.cat([_similarities(x, y) for x, y in zip(*features, strict=True)], 2)
    return 1 - (torch.stack([alpha, beta])[:, None] * similarity).sum((0, 2)) / (alpha.sum() + beta.sum())


def _similarities(x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"]) -> Float[Tensor, "2 b c"]:
    """Compare means (texture) and centred products (structure) of each channel."""
    mx, my = x.mean((2, 3)), y.mean((2, 3))
    x, y = x - mx[..., None, None], y - my[..., None, None]
    vx, vy, cxy = x.square().mean((2, 3)), y.square().mean((2, 3)), (x * y).mean((2, 3))
    texture = (2 * mx * my + C1) / (mx.square() + my.square() + C1)
    structure = (2 * cxy + C2) / (vx + vy + C2)
    return torch.stack([texture, structure])
