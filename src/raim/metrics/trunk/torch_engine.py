"""The trunks on torch: GPUs, and machines without an ncnn wheel. Features are (images, channels, rows, columns)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor
from torch.nn import functional

from raim.devices import exact_convolutions, find_device, to_double
from raim.metrics.trunk.architecture import Convolution, Layer, Pooling, Trunk
from raim.metrics.trunk.engines import Operator
from raim.metrics.trunk.kernels import L2_EPSILON, NORM_EPSILON
from raim.weights import load_weights


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, **options: Any) -> Tensor:
    """Convolve as `torch.nn.functional.conv2d` does, in the tensors' own precision whatever the user has set.

    All convolutions of measures are this one: neither TF32 nor autocast rounds what they compute.
    """
    with exact_convolutions(), torch.autocast(x.device.type, enabled=False):
        return functional.conv2d(x, weight, bias, **options)


def hann_window(channels: int, like: Tensor) -> Tensor:
    """Make DISTS's 3x3 pooling weights, [1 2 1]^T [1 2 1] / 16, for each channel: (c, 1, 3, 3)."""
    line = torch.tensor([1.0, 2.0, 1.0], dtype=like.dtype, device=like.device) / 4
    return torch.outer(line, line).expand(channels, 1, 3, 3).contiguous()


def l2_pool(x: Tensor, padding: int) -> Tensor:
    """Take the square root of the Hann-weighted mean of squares over 3x3 windows with stride 2."""
    squares = convolve(x * x, hann_window(x.shape[1], x), stride=2, padding=padding, groups=x.shape[1])
    return (squares + float(L2_EPSILON)).sqrt()


def unit_features(x: Tensor) -> Tensor:
    """Scale each pixel's feature to length one over the channels."""
    return x / (x.square().sum(1, keepdim=True).sqrt() + NORM_EPSILON)


class TensorWindow:
    """See `engines.Window`."""

    def __init__(self, layer: Layer, *, width: int, n_images: int, device: torch.device) -> None:
        self.padding = layer.padding
        self.rows = torch.zeros(n_images, layer.inputs, 0, width + 2 * layer.padding, device=device)

    @property
    def n_rows(self) -> int:
        """Rows that are here."""
        return self.rows.shape[2]

    def append(self, rows: Tensor, start: int, stop: int) -> None:
        """Add rows `start` to `stop` of a block at the bottom."""
        new = functional.pad(rows[:, :, start:stop], (self.padding, self.padding))
        self.rows = torch.cat([self.rows, new], 2)

    def discard(self, n_rows: int) -> None:
        """Forget rows at the top."""
        self.rows = self.rows[:, :, n_rows:].clone()


class TorchEngine:
    """See `engines.Engine`."""

    name = "torch"

    def __init__(self, device: str) -> None:
        self.device = find_device(device)
        self._convolutions: dict[tuple[str, int], tuple[Tensor, Tensor]] = {}

    def load(self, strips: Sequence[Float32[np.ndarray, "rows w 3"]]) -> Tensor:
        """Bring the same rows of every image into (n, 3, rows, w)."""
        return torch.from_numpy(np.stack(strips)).permute(0, 3, 1, 2).to(self.device).contiguous()

    def window(self, layer: Layer, *, width: int, n_images: int, capacity: int) -> TensorWindow:
        """Make an empty window; tensors are joined, so that room kept ahead (`capacity`) would not help."""
        del capacity
        return TensorWindow(layer, width=width, n_images=n_images, device=self.device)

    def operator(self, trunk: Trunk, index: int) -> Operator:
        """Give the function that applies layer `index`."""
        layer = trunk.layers[index]
        if isinstance(layer, Convolution):
            number = sum(isinstance(before, Convolution) for before in trunk.layers[:index])
            return self._convolution(layer, *self._weights(trunk.weights, number))
        return self._pooling(layer)

    def _weights(self, name: str, number: int) -> tuple[Tensor, Tensor]:
        if (name, number) not in self._convolutions:
            weights = load_weights(name)
            pair = tuple(
                torch.from_numpy(weights[f"conv{number}.{part}"].copy()).to(self.device)
                for part in ("weight", "bias")
            )
            self._convolutions[name, number] = (pair[0], pair[1])
        return self._convolutions[name, number]

    @staticmethod
    def _convolution(layer: Convolution, weight: Tensor, bias: Tensor) -> Operator:
        @torch.inference_mode()
        def apply(window: TensorWindow, n_out: int) -> Tensor:
            n_in = (n_out - 1) * layer.stride + layer.kernel
            return convolve(window.rows[:, :, :n_in], weight, bias, stride=layer.stride).relu_()

        return apply

    @staticmethod
    def _pooling(layer: Pooling) -> Operator:
        @torch.inference_mode()
        def pool(window: TensorWindow, n_out: int) -> Tensor:
            rows = window.rows[:, :, : (n_out - 1) * layer.stride + layer.kernel]
            if layer.kind == "l2":
                return l2_pool(rows, padding=0)
            return functional.max_pool2d(rows, layer.kernel, layer.stride)

        return pool

    def height(self, rows: Tensor) -> int:
        """Count the rows of a block."""
        return rows.shape[2]

    def zero_rows(self, rows: Tensor, height: int) -> Tensor:
        """Make a block of zeros like `rows`, of another height."""
        return rows.new_zeros(*rows.shape[:2], height, rows.shape[3])

    def pixels(self, rows: Tensor) -> int:
        """Count the pixels of one image's rows."""
        return rows.shape[2] * rows.shape[3]

    @torch.inference_mode()
    def moments(
        self, rows: Tensor
    ) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"], Float64[np.ndarray, "k c"]]:
        """Sum x, x^2 and x y over the pixels; see `engines.Engine`."""
        flat = to_double(rows.flatten(2))
        cross = (flat[:1] * flat[1:]).sum(2)
        return flat.sum(2).cpu().numpy(), flat.square().sum(2).cpu().numpy(), cross.cpu().numpy()

    @torch.inference_mode()
    def head_distances(self, rows: Tensor, head: Float32[np.ndarray, " c"]) -> Float64[np.ndarray, " k"]:
        """Sum the weighted squared differences of unit features; see `engines.Engine`."""
        unit = unit_features(to_double(rows))
        weights = torch.from_numpy(head.astype(np.float64)).to(unit.device).view(1, -1, 1, 1)
        return ((unit[:1] - unit[1:]).square() * weights).sum((1, 2, 3)).cpu().numpy()
