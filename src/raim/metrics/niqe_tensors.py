"""NIQE's features as differentiable tensors; definition as in `raim.metrics.niqe_features`. Needs the extra `torch`."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from raim.metrics.gradients import safe_power
from raim.metrics.niqe_features import BLOCK, DEVIATION, NIQE_WINDOW, Arithmetic, halving_weights, shape_table
from raim.metrics.ssim import blur_valid
from raim.metrics.windows import gaussian_window
from raim.networks.torch import convolve

NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # how far a block is rolled down and to the right


def block_feature_tensors(
    luma: Float[Tensor, "b h w"], arithmetic: Arithmetic
) -> Float[Tensor, "b blocks 36"]:
    """Compute the features of each block of luma on the scale of 255, in double precision, its size a multiple of 96.

    Where a fit has no value its features are NaN, with the gradient zero.
    """
    full = _fit_blocks(_normalise(luma, arithmetic), BLOCK)
    half = _fit_blocks(_normalise(_halve(luma, arithmetic), arithmetic), BLOCK // 2)
    return torch.cat([full, half], -1)


def _normalise(luma: Float[Tensor, "b h w"], arithmetic: Arithmetic) -> Float[Tensor, "b h w"]:
    window = torch.from_numpy(gaussian_window(NIQE_WINDOW, DEVIATION)).to(luma)
    padded = functional.pad(luma[:, None], (NIQE_WINDOW // 2,) * 4, mode="replicate")
    mean, square = blur_valid(padded, window)[:, 0], blur_valid(padded**2, window)[:, 0]
    if arithmetic.is_single:
        mean, square = mean.float().double(), square.float().double()
    mean, square = arithmetic.sum_of_window * mean, arithmetic.sum_of_window * square
    difference = luma - mean
    difference = torch.where(difference.abs() < arithmetic.snap, 0.0, difference)
    return difference / (safe_power((square - mean**2).abs(), 0.5) + 1)


def _halve(luma: Float[Tensor, "b h w"], arithmetic: Arithmetic) -> Float[Tensor, "b h2 w2"]:
    """Interpolate to half scale, columns first, with a mirrored border."""
    weights = torch.from_numpy(halving_weights()).to(luma)
    down = convolve(_mirror(luma, 1)[:, None], weights.reshape(1, 1, -1, 1), stride=(2, 1))[:, 0]
    if arithmetic.is_single:
        down = down.float().double()
    half = convolve(_mirror(down, 2)[:, None], weights.reshape(1, 1, 1, -1), stride=(1, 2))[:, 0]
    return half.float().double() if arithmetic.is_single else half


def _mirror(luma: Float[Tensor, "b h w"], dimension: int) -> Float[Tensor, "b h_padded w_padded"]:
    """Repeat three lines at each end, the outermost next to itself."""
    first, last = luma.narrow(dimension, 0, 3), luma.narrow(dimension, -3, 3)
    return torch.cat([first.flip(dimension), luma, last.flip(dimension)], dimension)


def _fit_blocks(structure: Float[Tensor, "b h w"], size: int) -> Float[Tensor, "b blocks 18"]:
    batch, height, width = structure.shape
    down, across = height // size, width // size
    blocks = structure.reshape(batch, down, size, across, size).transpose(2, 3)
    blocks = blocks.reshape(batch, down * across, size, size)
    shape, left, right, _ = _fit(blocks)
    features = [shape, (left + right) / 2]
    for shift in NEIGHBOURS:
        shape, left, right, ratio = _fit(blocks * blocks.roll(shift, (-2, -1)))
        features += [shape, (right - left) * ratio, left, right]
    return torch.stack(features, -1)


def _fit(values: Float[Tensor, "b blocks s s"]) -> tuple[Float[Tensor, "b blocks"], ...]:
    """Fit by moments: shape, left scale, right scale and Gamma(2/a) / Gamma(1/a)."""
    left, has_left = _root_mean_square(values, values < 0)
    right, has_right = _root_mean_square(values, values > 0)
    usable = has_left & has_right
    squares = torch.where(usable, (values**2).mean((-2, -1)), 1.0)
    g = left / right
    target = values.abs().mean((-2, -1)) ** 2 / squares * (g**3 + 1) * (g + 1) / (g**2 + 1) ** 2
    # As the originals: the first shape of the grid where a side is empty.
    shape = torch.where(usable, shape_of_ratio(target), float(shape_table()[0, 0]))
    one, two, three = (torch.lgamma(k / shape) for k in (1, 2, 3))
    scale = ((one - three) / 2).exp()
    left = torch.where(has_left, left * scale, torch.nan)
    right = torch.where(has_right, right * scale, torch.nan)
    return shape, left, right, (two - one).exp()


def _root_mean_square(
    values: Float[Tensor, "b blocks s s"], chosen: Bool[Tensor, "b blocks s s"]
) -> tuple[Float[Tensor, "b blocks"], Bool[Tensor, "b blocks"]]:
    """Average over the chosen values; 1 where there are none, and whether there are some."""
    count = chosen.sum((-2, -1))
    mean = (torch.where(chosen, values, 0.0) ** 2).sum((-2, -1)) / count.clamp(min=1)
    return torch.where(count > 0, mean, 1.0).sqrt(), count > 0


def shape_of_ratio(ratio: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Look up the shape whose ratio r(a) = Gamma(2/a)^2 / (Gamma(1/a) Gamma(3/a)) is nearest.

    A grid has no derivative: it is that of the function which the grid samples, 1 / r'(a), and 0 beyond the grid.

    Example:
        >>> round(shape_of_ratio(torch.tensor([2 / torch.pi], dtype=torch.float64)).item(), 6)
        2.0
    """
    shapes, ratios = (torch.from_numpy(row).to(ratio) for row in shape_table()[:2])
    exact = ratio.detach().contiguous()
    above = torch.searchsorted(ratios, exact).clamp(1, len(ratios) - 1)
    nearer_below = exact - ratios[above - 1] <= ratios[above] - exact
    shape = shapes[torch.where(nearer_below, above - 1, above)]
    one, two, three = (torch.lgamma(k / shape) for k in (1, 2, 3))
    slopes = torch.digamma(1 / shape) + 3 * torch.digamma(3 / shape) - 4 * torch.digamma(2 / shape)
    derivative = (2 * two - one - three).exp() * slopes / shape**2
    is_inside = (exact > ratios[0]) & (exact < ratios[-1])
    return shape + torch.where(is_inside, (ratio - exact) / derivative, 0.0)
