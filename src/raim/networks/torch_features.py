"""Features on torch: GPUs, machines without an ncnn wheel, and whole batches with gradients.

Features are (images, channels, rows, columns).
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor
from torch.nn import functional

from raim.devices import find_device, to_double
from raim.networks.kernels import L2_EPSILON, NORM_EPSILON
from raim.networks.nets import Backbone, Convolution, Layer
from raim.networks.stream import Operator
from raim.networks.torch import convolve, load_tensors
from raim.processes import count_cores


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


def tapped_features(
    images: Float[Tensor, "b 3 h w"],
    backbone: Backbone,
    *,
    shift: Float[Tensor, "3"],
    scale: Float[Tensor, "3"],
) -> list[Tensor]:
    """Return each tapped feature (b, c, h', w') of whole images in [0, 1], normalised as (x - shift) / scale.

    Raises:
        UnscorableError: The images are too small for the net.
    """
    backbone.check_size(*images.shape[2:])
    x = (images - shift.view(1, 3, 1, 1)) / scale.view(1, 3, 1, 1)
    taps = []
    for index, layer in enumerate(backbone.layers):
        x = _apply_layer(x, backbone, index, padding=layer.padding)
        if isinstance(layer, Convolution) and layer.is_tap:
            taps.append(x)
    return taps


def _apply_layer(x: Tensor, backbone: Backbone, index: int, *, padding: int) -> Tensor:
    layer = backbone.layers[index]
    if isinstance(layer, Convolution):
        tensors = load_tensors(backbone.weights, x.device, x.dtype, is_channels_last=False)
        weight, bias = (tensors[f"conv{backbone.number_of(index)}.{part}"] for part in ("weight", "bias"))
        return convolve(x, weight, bias, stride=layer.stride, padding=padding).relu()
    if layer.kind == "l2":
        return l2_pool(x, padding)
    return functional.max_pool2d(x, layer.kernel, layer.stride)


class TensorWindow:
    """Rows of all images, with the padding of columns in place; see `stream.Window`."""

    def __init__(self, layer: Layer, *, width: int, n_images: int, device: torch.device) -> None:
        self.padding = layer.padding
        self.rows = torch.zeros(n_images, layer.inputs, 0, width + 2 * layer.padding, device=device)

    @property
    def n_lines(self) -> int:
        """Rows that are here."""
        return self.rows.shape[2]

    def append(self, lines: Tensor, start: int) -> None:
        """Take all rows."""
        del start
        self.rows = torch.cat([self.rows, functional.pad(lines, (self.padding, self.padding))], 2)

    def pad(self, n_lines: int) -> None:
        """Take rows of zeros."""
        self.rows = functional.pad(self.rows, (0, 0, 0, n_lines))

    def discard(self, n_lines: int) -> None:
        """Forget rows at the top."""
        self.rows = self.rows[:, :, n_lines:].clone()


class TorchEngine:
    """See `features.Engine`."""

    name = "torch"

    def __init__(self, device: str) -> None:
        self.device = find_device(device)
        # torch looks at the processors that it may run on, not at what a container grants.
        torch.set_num_threads(min(torch.get_num_threads(), count_cores()))

    def load(self, strips: Sequence[Float32[np.ndarray, "rows w 3"]]) -> Tensor:
        """Bring the same rows of every image into (n, 3, rows, w)."""
        return torch.from_numpy(np.stack(strips)).permute(0, 3, 1, 2).to(self.device).contiguous()

    def window(self, layer: Layer, *, width: int, n_images: int, room: int) -> TensorWindow:
        """Make an empty window; tensors are joined, so that room kept ahead would not help."""
        del room
        return TensorWindow(layer, width=width, n_images=n_images, device=self.device)

    def operator(self, backbone: Backbone, index: int) -> Operator:
        """Return the function that applies layer `index`."""
        layer = backbone.layers[index]

        @torch.inference_mode()
        def apply(window: TensorWindow, n_lines: int) -> Tensor:
            rows = window.rows[:, :, : (n_lines - 1) * layer.stride + layer.kernel]
            return _apply_layer(rows, backbone, index, padding=0)

        return apply

    def pixels(self, lines: Tensor) -> int:
        """Count the pixels of one image's lines."""
        return lines.shape[2] * lines.shape[3]

    @torch.inference_mode()
    def moments(
        self, lines: Tensor
    ) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"], Float64[np.ndarray, "k c"]]:
        """Sum x, x^2 and x y over the pixels; see `features.Engine`."""
        flat = to_double(lines.flatten(2))
        cross = (flat[:1] * flat[1:]).sum(2)
        return flat.sum(2).cpu().numpy(), flat.square().sum(2).cpu().numpy(), cross.cpu().numpy()

    @torch.inference_mode()
    def head_distances(self, lines: Tensor, head: Float32[np.ndarray, " c"]) -> Float64[np.ndarray, " k"]:
        """Sum the weighted squared differences of unit features; see `features.Engine`."""
        unit = unit_features(to_double(lines))
        weights = torch.from_numpy(head.astype(np.float64)).to(unit.device).view(1, -1, 1, 1)
        return ((unit[:1] - unit[1:]).square() * weights).sum((1, 2, 3)).cpu().numpy()
