"""Nets on torch: for devices that ncnn does not serve, and for nets that only torch has. Loaded at first use only."""

import functools
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32

from raim.devices import exact_convolutions, find_device
from raim.errors import need_extra
from raim.networks.nets import Chain
from raim.networks.tiles import Image, Network, Tiling, run_tiled
from raim.weights import load_weights

need_extra("this device", "torch", "torch")

import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Planes = Float32[np.ndarray, "_c _h _w"]
Tensors = Mapping[str, torch.Tensor]
Device = Any  # torch.device, or its name


@functools.cache
@torch.inference_mode(mode=False)
def load_tensors(
    weights: str, device: Device, dtype: torch.dtype = torch.float32, *, is_channels_last: bool = True
) -> dict[str, torch.Tensor]:
    """Bring a set of weights to a device; kept for the process.

    Args:
        weights: The entry of `raim.weights`.
        device: torch's name for it, or the device.
        dtype: Of the tensors.
        is_channels_last: Whether kernels lie with their channels together, which is faster where pictures do too.
    """
    target = find_device(device) if isinstance(device, str) else device
    return {
        name: torch.from_numpy(array.astype(np.float32))
        .to(target, dtype)
        .contiguous(
            memory_format=torch.channels_last
            if is_channels_last and array.ndim == 4
            else torch.contiguous_format
        )
        for name, array in load_weights(weights).items()
    }


def convolve(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, **options: Any
) -> torch.Tensor:
    """Convolve as `torch.nn.functional.conv2d` does, in the tensors' own precision whatever the user has set.

    Neither TF32 nor autocast rounds: measures would move by 5e-5, photographs by levels of 8 bits.
    """
    with exact_convolutions(), torch.autocast(x.device.type, enabled=False):
        return functional.conv2d(x, weight, bias, **options)


def apply_convolution(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    """Apply the 3x3 convolution of that name, with zeros around."""
    return convolve(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)


def run_chain(chain: Chain, planes: Planes, *, device: str) -> Planes:
    """Apply the convolutions of a chain, with ReLUs between."""
    tensors = load_tensors(chain.weights, device)
    with torch.inference_mode():
        x = to_device(planes, device)
        for name in chain.convolutions[:-1]:
            x = functional.relu(apply_convolution(tensors, name, x))
        return from_device(apply_convolution(tensors, chain.convolutions[-1], x))


def run_torch_tiled(
    image: Image, network: Network, tiling: Tiling, *, threads: int, on_progress: Callable[[float], None]
) -> Image:
    """Run a net of torch in tiles, one at a time: torch itself uses the threads.

    Its convolutions and products are exact, and it keeps no gradients; else as `run_tiled`.
    """

    def restore_tile(tile: Image) -> Image:
        with torch.inference_mode(), exact_convolutions():
            return network(tile)

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return np.ascontiguousarray(run_tiled(image, restore_tile, tiling, on_progress=on_progress))
    finally:
        torch.set_num_threads(before)


def to_device(planes: Planes, device: str) -> torch.Tensor:
    """Bring planes to a device as a batch of one, channels last."""
    tensor = torch.from_numpy(np.ascontiguousarray(planes))[None]
    return tensor.to(find_device(device), memory_format=torch.channels_last)


def from_device(x: torch.Tensor) -> Planes:
    """Bring a batch of one back."""
    planes: Planes = x[0].float().cpu().contiguous().numpy()
    return planes


class _Counting(TorchDispatchMode):  # type: ignore[misc]
    """Counts the bytes of the tensors that live at once, each storage when it is first given and when it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        self._take(args, share=0)  # weights and what was there before
        result = function(*args, **(kwargs or {}))
        self._take(result, share=1)
        return result

    def _take(self, tensors: Any, *, share: int) -> None:
        for leaf in tree_leaves(tensors):
            if isinstance(leaf, torch.Tensor) and leaf.untyped_storage()._cdata not in self.known:  # noqa: SLF001
                storage = leaf.untyped_storage()
                key, n_bytes = storage._cdata, share * storage.nbytes()  # noqa: SLF001
                self.known.add(key)
                self.now += n_bytes
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self._drop, key, n_bytes)

    def _drop(self, key: int, n_bytes: int) -> None:
        self.known.discard(key)
        self.now -= n_bytes


def count_peak(work: Callable[[], object]) -> int:
    """Count the bytes of the tensors that live at once while something runs, those that it makes itself.

    Example:
        >>> count_peak(lambda: torch.ones(1000).add(1).mul(2))
        8000
    """
    with _Counting() as counting:
        work()
    return counting.peak
