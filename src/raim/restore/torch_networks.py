"""FFDNet and RRDBNet in torch: for devices that ncnn does not serve. Loaded at first use only.

Source: as in `ffdnet` and `rrdbnet`, whose weights they share.
"""

import functools
import importlib.util
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32

from raim.errors import InputError, MissingExtraError
from raim.restore.descriptor import Photograph

if importlib.util.find_spec("torch") is None:
    raise MissingExtraError("this device needs torch; install it with: pip install 'raim[torch]'")

import torch
from torch.nn import functional

Planes = Float32[np.ndarray, "_c _h _w"]
Tensors = Mapping[str, torch.Tensor]

SLOPE = 0.2  # of every leaky ReLU, and the share of every residual (ESRGAN, section 3.1)
N_BLOCKS = 23


def find_device(name: str) -> torch.device:
    """Find a device by torch's name for it.

    Raises:
        InputError: torch has no such device here.
    """
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"there is no device {name!r} here ({reason}); take --device cpu") from error
    return device


@functools.cache
def load_tensors(weights: str, device: str) -> dict[str, torch.Tensor]:
    """Bring a set of weights to a device, as float32; kept for the process."""
    from raim.weights import load_weights

    target = find_device(device)
    return {
        name: torch.from_numpy(array.astype(np.float32)).to(target).contiguous(memory_format=_layout(array))
        for name, array in load_weights(weights).items()
    }


def _layout(array: np.ndarray) -> torch.memory_format:
    """Choose the layout: channels last is the faster one for kernels."""
    return torch.channels_last if array.ndim == 4 else torch.contiguous_format


def convolve(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Apply one 3x3 convolution with zeros around."""
    return functional.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)


def ffdnet_convolutions(planes: Planes, *, device: str) -> Planes:
    """Apply FFDNet's twelve convolutions: (13, h, w) to (12, h, w)."""
    from raim.restore.ffdnet import CONVOLUTIONS, WEIGHTS

    tensors = load_tensors(WEIGHTS, device)
    with torch.inference_mode():
        x = to_device(planes, device)
        for name in CONVOLUTIONS[:-1]:
            x = functional.relu(convolve(tensors, name, x))
        return from_device(convolve(tensors, CONVOLUTIONS[-1], x))


def rrdbnet_enlarge(tile: Photograph, *, weights: str, device: str) -> Photograph:
    """Enlarge a tile four times."""
    tensors = load_tensors(weights, device)
    with torch.inference_mode():
        planes = from_device(rrdbnet_forward(tensors, to_device(tile.transpose(2, 0, 1), device)))
    return np.ascontiguousarray(planes.transpose(1, 2, 0))


def rrdbnet_forward(tensors: Tensors, x: torch.Tensor) -> torch.Tensor:
    """Run the whole net: (n, 3, h, w) to (n, 3, 4h, 4w)."""
    first = convolve(tensors, "conv_first", x)
    x = first
    for block in range(N_BLOCKS):
        x = _residual_block(tensors, f"body.{block}", x)
    x = first + convolve(tensors, "conv_body", x)
    for name in ("conv_up1", "conv_up2"):
        x = _activate(convolve(tensors, name, functional.interpolate(x, scale_factor=2, mode="nearest")))
    return convolve(tensors, "conv_last", _activate(convolve(tensors, "conv_hr", x)))


def _residual_block(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Three dense blocks and the way around them."""
    out = x
    for dense in (1, 2, 3):
        out = _dense_block(tensors, f"{name}.rdb{dense}", out)
    return x + SLOPE * out


def _dense_block(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Five convolutions, each seeing all before it."""
    features = [x]
    for index in range(1, 5):
        features.append(_activate(convolve(tensors, f"{name}.conv{index}", torch.cat(features, dim=1))))
    return x + SLOPE * convolve(tensors, f"{name}.conv5", torch.cat(features, dim=1))


def _activate(x: torch.Tensor) -> torch.Tensor:
    return functional.leaky_relu(x, SLOPE)


def to_device(planes: Planes, device: str) -> torch.Tensor:
    """Bring planes to a device as a batch of one, channels last."""
    tensor = torch.from_numpy(np.ascontiguousarray(planes))[None]
    return tensor.to(find_device(device), memory_format=torch.channels_last)


def from_device(x: torch.Tensor) -> Planes:
    """Bring a batch of one back."""
    planes: Planes = x[0].float().cpu().contiguous().numpy()
    return planes
