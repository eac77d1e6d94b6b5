"""The layers of MAXIM in torch; pictures and features are (n, h, w, c), so that matrices act on what lies together.

    grid gating    u (W v + b): v mixed over g x g cells, with all pixels of the same place in their cells (far)
    block gating   u (W v + b): v mixed over the pixels of blocks of b x b, the same in every block (near)

Source: Tu et al., "MAXIM: Multi-Axis MLP for Image Processing", CVPR 2022 (arXiv 2201.02973), section 3; names of
weights are those of google-research/maxim, maxim/models/maxim.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-6  # of normalisation, as in flax
SLOPE = 0.2  # of the leaky ReLU

Mix = Callable[[Tensor, "Part", int], Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The weights of a net whose names begin with a path.

    Attributes:
        tensors: All of the net, by name.
        path: The path, "" for the whole net.
    """

    tensors: Mapping[str, Tensor]
    path: str = ""

    def __getitem__(self, name: str) -> "Part":
        return Part(tensors=self.tensors, path=f"{self.path}.{name}" if self.path else name)

    @property
    def weight(self) -> Tensor:
        """The weight of a layer."""
        return self.tensors[f"{self.path}.weight"]

    @property
    def bias(self) -> Tensor:
        """The bias of a layer."""
        return self.tensors[f"{self.path}.bias"]


def apply_linear(layer: Part, x: Tensor) -> Tensor:
    """Multiply the channels of every pixel by a matrix; also a convolution of 1x1."""
    return functional.linear(x, layer.weight, layer.bias)


def apply_joined(layer: Part, parts: Sequence[Tensor]) -> Tensor:
    """Multiply the channels of several features together, without joining them first."""
    widths = [part.shape[-1] for part in parts]
    weights = layer.weight.split(widths, dim=1)
    total = functional.linear(parts[0], weights[0], layer.bias)
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        total.view(-1, total.shape[-1]).addmm_(part.reshape(-1, part.shape[-1]), weight.t())
    return total


def normalise(layer: Part, x: Tensor) -> Tensor:
    """Normalise the channels of every pixel."""
    return functional.layer_norm(x, x.shape[-1:], layer.weight, layer.bias, EPSILON)


def convolve_features(layer: Part, x: Tensor, *, stride: int = 1) -> Tensor:
    """Apply a convolution with zeros around."""
    planes = functional.conv2d(x.permute(0, 3, 1, 2), layer.weight, layer.bias, stride=stride, padding=1)
    return planes.permute(0, 2, 3, 1)


def double(layer: Part, x: Tensor) -> Tensor:
    """Enlarge two times by a transposed convolution of 2x2."""
    planes = functional.conv_transpose2d(x.permute(0, 3, 1, 2), layer.weight, layer.bias, stride=2)
    return planes.permute(0, 2, 3, 1)


def rescale(layer: Part, x: Tensor, height: int) -> Tensor:
    """Bring features to another height, bilinear, and to other channels; the steps commute, the smaller comes first."""
    factor = height / x.shape[1]
    if factor == 1:
        return apply_linear(layer["Conv_0"], x)
    if factor > 1:
        x = apply_linear(layer["Conv_0"], x)
    planes = functional.interpolate(
        x.permute(0, 3, 1, 2), scale_factor=factor, mode="bilinear", antialias=factor < 1
    )
    resized = planes.permute(0, 2, 3, 1)
    return resized if factor > 1 else apply_linear(layer["Conv_0"], resized)


def activate(x: Tensor) -> Tensor:
    """Apply GELU by its tanh form, as flax does."""
    return functional.gelu(x, approximate="tanh")


def split_activated(layer: Part, x: Tensor) -> tuple[Tensor, Tensor]:
    """Multiply the channels, apply GELU, and give both halves, each in one piece."""
    (u, v), (a, b) = layer.weight.chunk(2), layer.bias.chunk(2)
    return activate(functional.linear(x, u, a)), activate(functional.linear(x, v, b))


def mix_grid(x: Tensor, layer: Part, cells: int) -> Tensor:
    """Mix each pixel with those of the same place in the other of cells x cells cells."""
    n, height, width, channels = x.shape
    rows, columns = height // cells, width // cells
    apart = x.view(n, cells, rows, cells, columns, channels).permute(0, 1, 3, 2, 4, 5)
    mixed = _mix(apart.reshape(n, cells * cells, -1), layer)
    together = mixed.view(n, cells, cells, rows, columns, channels).permute(0, 1, 3, 2, 4, 5)
    return together.reshape(x.shape)


def mix_block(x: Tensor, layer: Part, side: int) -> Tensor:
    """Mix each pixel with the others of its block of side x side."""
    n, height, width, channels = x.shape
    rows, columns = height // side, width // side
    apart = x.view(n, rows, side, columns, side, channels).permute(0, 1, 3, 2, 4, 5)
    mixed = _mix(apart.reshape(n * rows * columns, side * side, channels), layer)
    together = mixed.view(n, rows, columns, side, side, channels).permute(0, 1, 3, 2, 4, 5)
    return together.reshape(x.shape)


def _mix(x: Tensor, layer: Part) -> Tensor:
    return torch.matmul(layer.weight, x).add_(layer.bias[:, None])


def gate(part: Part, x: Tensor, size: int, kind: str, mix: Mix) -> Tensor:
    """Gated MLP along one axis: half of the channels, mixed over places, multiplies the other half."""
    u, v = split_activated(part["in_project"], normalise(part["LayerNorm"], x))
    unit = part[f"{kind}GatingUnit"]
    mixed = mix(normalise(unit["intermediate_layernorm"], v), unit["Dense_0"], size)
    return apply_linear(part["out_project"], mixed.add_(1).mul_(u)).add_(x)


def gate_axes(part: Part, x: Tensor, size: int) -> Tensor:
    """Multi-axis gated MLP: grid gating of half of the channels, block gating of the other."""
    u, v = split_activated(part["in_project"], normalise(part["LayerNorm_in"], x))
    parts = (
        gate(part["GridGmlpLayer"], u, size, "Grid", mix_grid),
        gate(part["BlockGmlpLayer"], v, size, "Block", mix_block),
    )
    return apply_joined(part["out_project"], parts).add_(x)


def weigh_channels(part: Part, x: Tensor) -> Tensor:
    """Weigh the channels by what is in them on the whole (squeeze and excitation)."""
    mean = x.mean((1, 2), keepdim=True)
    return x * torch.sigmoid(
        apply_linear(part["Conv_1"], functional.relu(apply_linear(part["Conv_0"], mean)))
    )


def add_convolutions(part: Part, x: Tensor) -> Tensor:
    """Add two convolutions, their channels weighed."""
    y = convolve_features(part["conv1"], normalise(part["LayerNorm"], x))
    y = convolve_features(part["conv2"], functional.leaky_relu(y, SLOPE))
    return x + weigh_channels(part["channel_attention"], y)


def add_mixing(part: Part, x: Tensor) -> Tensor:
    """Add two matrices on the channels, weighed."""
    mixing = part["channel_mixing"]
    y = activate(apply_linear(mixing["Dense_0"], normalise(part["LayerNorm"], x)))
    return x + weigh_channels(part["channel_attention"], apply_linear(mixing["Dense_1"], y))


def gate_across(part: Part, x: Tensor, y: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Cross-gating: each of two features, mixed over places, multiplies the other; give both."""
    a = activate(apply_linear(part["in_project_x"], normalise(part["LayerNorm_x"], x)))
    b = activate(apply_linear(part["in_project_y"], normalise(part["LayerNorm_y"], y)))
    gate_a = _mix_axes(part["SplitHeadMultiAxisGating_x"], a, size)
    gate_b = _mix_axes(part["SplitHeadMultiAxisGating_y"], b, size)
    y = apply_linear(part["out_project_y"], gate_a.mul_(b)).add_(y)
    x = apply_linear(part["out_project_x"], gate_b.mul_(a)).add_(x).add_(y)
    return x, y


def _mix_axes(part: Part, x: Tensor, size: int) -> Tensor:
    u, v = split_activated(part["in_project"], normalise(part["LayerNorm_in"], x))
    parts = mix_grid(u, part["Dense_0"], size), mix_block(v, part["Dense_1"], size)
    return apply_joined(part["out_project"], parts)
