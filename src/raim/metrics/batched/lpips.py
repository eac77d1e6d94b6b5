"""LPIPS of a batch; definition as in `raim.metrics.lpips`."""

import torch
from jaxtyping import Float
from torch import Tensor

from raim.errors import unknown_name
from raim.metrics.batched.tensors import Batch, check_batches
from raim.metrics.batched.trunk import tapped_features
from raim.metrics.lpips import SCALE, SHIFT, TRUNKS
from raim.metrics.trunk.torch_engine import unit_features
from raim.weights import load_weights


def lpips(restored: Batch, reference: Batch, *, net: str = "alexnet") -> Float[Tensor, " b"]:
    """Measure how far restorations are from their references in the features of an image classifier.

    Args:
        restored: (b, 3, h, w), float32 or float64 in [0, 1].
        reference: (b, 3, h, w) of the same size, type and device.
        net: The trunk, "alexnet" or "vgg16".

    Returns:
        (b,) distances from 0 upwards; lower is better.

    Raises:
        InputError: If sizes, types or devices differ.
        UnknownNameError: If there is no such net.
        UnscorableError: If the images are too small for the trunk.

    Example:
        >>> reference = torch.full((1, 3, 64, 64), 128 / 255)
        >>> restored = reference.clone()
        >>> restored[:, :, ::2] = 96 / 255
        >>> round(lpips(restored, reference).item(), 4)
        0.518
    """
    check_batches(restored, reference)
    if net not in TRUNKS:
        raise unknown_name("LPIPS net", net, TRUNKS)
    shift, scale = (
        torch.tensor(values, dtype=restored.dtype, device=restored.device) for values in (SHIFT, SCALE)
    )
    features = [
        tapped_features(images, TRUNKS[net], shift=(1 + shift) / 2, scale=scale / 2)
        for images in (restored, reference)
    ]
    heads = load_weights(f"lpips-heads-{net}")
    distances = []
    for tap, (x, y) in enumerate(zip(*features, strict=True)):
        head = torch.tensor(heads[f"lin{tap}"], dtype=x.dtype, device=x.device).view(1, -1, 1, 1)
        difference = (unit_features(x) - unit_features(y)).square() * head
        distances.append(difference.sum(1).mean((1, 2)))
    return torch.stack(distances).sum(0)
