"""The taps of a trunk for a batch of tensors: whole images, differentiable; for strips see `raim.metrics.trunk`."""

import functools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from raim.metrics.arrays import Batch
from raim.metrics.trunk.architecture import Convolution, Trunk
from raim.metrics.trunk.torch_engine import convolve, l2_pool
from raim.weights import load_weights


def tapped_features(
    images: Batch, trunk: Trunk, *, shift: Float[Tensor, "3"], scale: Float[Tensor, "3"]
) -> list[Tensor]:
    """Give each tapped feature (b, c, h', w') of images in [0, 1], normalised as (x - shift) / scale.

    Raises:
        UnscorableError: The images are too small for the trunk.
    """
    trunk.check_size(*images.shape[2:])
    x = (images - shift.view(1, 3, 1, 1)) / scale.view(1, 3, 1, 1)
    taps, number = [], 0
    for layer in trunk.layers:
        if isinstance(layer, Convolution):
            weight, bias = _convolution(trunk.weights, number, x.device, x.dtype)
            x = convolve(x, weight, bias, stride=layer.stride, padding=layer.padding).relu()
            number += 1
            if layer.is_tap:
                taps.append(x)
        elif layer.kind == "l2":
            x = l2_pool(x, layer.padding)
        else:
            x = functional.max_pool2d(x, layer.kernel, layer.stride)
    return taps


@functools.lru_cache(maxsize=64)
def _convolution(name: str, number: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    weights = load_weights(name)
    pair = [
        torch.tensor(weights[f"conv{number}.{part}"], device=device, dtype=dtype)
        for part in ("weight", "bias")
    ]
    return pair[0], pair[1]
