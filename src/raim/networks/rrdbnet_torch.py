"""RRDBNet in torch: for devices that ncnn does not serve. Loaded at first use only.

Source: as in `rrdbnet`, whose weights it shares.
"""

import functools
from collections.abc import Callable

import torch
from torch.nn import functional

from raim.devices import find_device
from raim.networks.rrdbnet import BLOCKS_IN_GROUP, SHARE, Apply, Parts
from raim.networks.torch import Tensors, apply_convolution, load_tensors

SLOPE = 0.2  # of every leaky ReLU (ESRGAN, section 3.1)
N_GROUPS = 23


def torch_parts(weights: str, device: str) -> Parts:
    """Return the parts of the net on a device of torch.

    Raises:
        InputError: torch has no such device here.
    """
    tensors = load_tensors(weights, device)
    target = find_device(device)

    def part(function: Callable[..., torch.Tensor], *options: str) -> Apply:
        return functools.partial(_run, functools.partial(function, tensors, *options))

    return Parts(
        load=lambda planes: torch.from_numpy(planes).to(target),
        save=lambda planes: planes.float().cpu().numpy(),
        join=lambda arrays, axis: torch.cat(list(arrays), dim=axis),
        first=part(apply_convolution, "conv_first"),
        dense=tuple(
            part(dense_block, f"body.{group}.rdb{block + 1}")
            for group in range(N_GROUPS)
            for block in range(BLOCKS_IN_GROUP)
        ),
        last=part(apply_convolution, "conv_body"),
        head=part(head),
    )


def _run(apply: Apply, planes: torch.Tensor) -> torch.Tensor:
    """Apply a part to planes (c, h, w), as a batch of one in the layout that is the fastest."""
    with torch.inference_mode():
        result: torch.Tensor = apply(planes[None].contiguous(memory_format=torch.channels_last))[0]
        return result


def dense_block(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Five convolutions, each seeing all before it, and the way around them."""
    features = [x]
    for index in range(1, 5):
        features.append(
            _activate(apply_convolution(tensors, f"{name}.conv{index}", torch.cat(features, dim=1)))
        )
    return x + SHARE * apply_convolution(tensors, f"{name}.conv5", torch.cat(features, dim=1))


def head(tensors: Tensors, x: torch.Tensor) -> torch.Tensor:
    """Two doublings and four convolutions: (n, 64, h, w) to (n, 3, 4h, 4w)."""
    for name in ("conv_up1", "conv_up2"):
        x = _activate(
            apply_convolution(tensors, name, functional.interpolate(x, scale_factor=2, mode="nearest"))
        )
    return apply_convolution(tensors, "conv_last", _activate(apply_convolution(tensors, "conv_hr", x)))


def _activate(x: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(x, SLOPE)
