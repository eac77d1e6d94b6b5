"""Compiled poolings and sums over packed features (channels / pack, rows, columns, pack).

L2 pooling: sqrt(hann3x3 * x^2 + 1e-12) with stride 2, hann3x3 = [1 2 1]^T [1 2 1] / 16.
Source: Ding et al. 2020, section 3.1, and its published code's constants.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from raim.compilation import first_use, kernel
from raim.networks.packing import Packed

L2_EPSILON = np.float32(1e-12)  # keeps the square root differentiable at 0 (DISTS)
NORM_EPSILON = 1e-10  # keeps a zero feature zero when it is normalised (LPIPS)


@kernel
def l2_pool(x: Packed, rows_out: int, width_out: int) -> Packed:
    """Pool 3x3 windows with stride 2; `x` has the padding already."""
    groups, _, _, pack = x.shape
    out = np.empty((groups, rows_out, width_out, pack), np.float32)
    one, two = np.float32(1 / 16), np.float32(2 / 16)
    for g in range(groups):
        for y in range(rows_out):
            for c in range(width_out):
                for p in range(pack):
                    a, b, d = x[g, 2 * y, 2 * c, p], x[g, 2 * y, 2 * c + 1, p], x[g, 2 * y, 2 * c + 2, p]
                    e, f, h = (
                        x[g, 2 * y + 1, 2 * c, p],
                        x[g, 2 * y + 1, 2 * c + 1, p],
                        x[g, 2 * y + 1, 2 * c + 2, p],
                    )
                    i, j, k = (
                        x[g, 2 * y + 2, 2 * c, p],
                        x[g, 2 * y + 2, 2 * c + 1, p],
                        x[g, 2 * y + 2, 2 * c + 2, p],
                    )
                    outer = a * a + d * d + i * i + k * k
                    middle = b * b + e * e + h * h + j * j
                    total = one * outer + two * middle + np.float32(0.25) * (f * f)
                    out[g, y, c, p] = math.sqrt(total + L2_EPSILON)
    return out


@kernel
def max_pool(x: Packed, rows_out: int, width_out: int, side: int) -> Packed:
    """Take the largest value of each window with stride 2."""
    groups, _, _, pack = x.shape
    out = np.empty((groups, rows_out, width_out, pack), np.float32)
    for g in range(groups):
        for y in range(rows_out):
            for c in range(width_out):
                for p in range(pack):
                    out[g, y, c, p] = x[g, 2 * y, 2 * c, p]
                for k in range(1, side * side):
                    row, column = 2 * y + k // side, 2 * c + k % side
                    for p in range(pack):
                        out[g, y, c, p] = max(out[g, y, c, p], x[g, row, column, p])
    return out


@kernel
def sums(x: Packed) -> Float64[np.ndarray, "2 c"]:
    """Sum x and x^2 of each channel over the pixels, in float64."""
    groups, rows, width, pack = x.shape
    out = np.zeros((2, groups * pack))
    for g in range(groups):
        first, second = out[0, g * pack : (g + 1) * pack], out[1, g * pack : (g + 1) * pack]
        for y in range(rows):
            for c in range(width):
                for p in range(pack):
                    value = np.float64(x[g, y, c, p])
                    first[p] += value
                    second[p] += value * value
    return out


@kernel
def sums_beside(x: Packed, y: Packed) -> Float64[np.ndarray, "3 c"]:
    """Sum y, y^2 and x y of each channel over the pixels, in float64, in one pass."""
    groups, rows, width, pack = x.shape
    out = np.zeros((3, groups * pack))
    for g in range(groups):
        channels = slice(g * pack, (g + 1) * pack)
        first, second, cross = out[0, channels], out[1, channels], out[2, channels]
        for row in range(rows):
            for c in range(width):
                for p in range(pack):
                    value = np.float64(y[g, row, c, p])
                    first[p] += value
                    second[p] += value * value
                    cross[p] += np.float64(x[g, row, c, p]) * value
    return out


def sum_moments(
    images: Sequence[Packed],
) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"], Float64[np.ndarray, "k c"]]:
    """Sum x and x^2 of each of n images, and x y of each candidate with the first."""
    first = sums(images[0])
    others = np.array([sums_beside(images[0], image) for image in images[1:]]).reshape(-1, 3, first.shape[1])
    own = np.concatenate([first[None], others[:, :2]])
    return own[:, 0], own[:, 1], others[:, 2]


@kernel
def head_distance(x: Packed, y: Packed, head: Float64[np.ndarray, "groups pack"]) -> float:
    """Sum over the pixels head . (x / |x| - y / |y|)^2, where |.| is the length over the channels."""
    groups, rows, width, pack = x.shape
    total = 0.0
    for row in range(rows):
        for c in range(width):
            xx = yy = 0.0
            for g in range(groups):
                for p in range(pack):
                    xx += np.float64(x[g, row, c, p]) * np.float64(x[g, row, c, p])
                    yy += np.float64(y[g, row, c, p]) * np.float64(y[g, row, c, p])
            x_scale = 1.0 / (math.sqrt(xx) + NORM_EPSILON)
            y_scale = 1.0 / (math.sqrt(yy) + NORM_EPSILON)
            for g in range(groups):
                for p in range(pack):
                    difference = x[g, row, c, p] * x_scale - y[g, row, c, p] * y_scale
                    total += head[g, p] * difference * difference
    return total


def compile_kernels() -> None:
    """Compile every kernel, or load its machine code, while other processes wait."""
    with first_use("features"):
        tiny = np.ones((1, 3, 3, 1), np.float32)
        l2_pool(tiny, 1, 1)
        max_pool(tiny, 1, 1, 2)
        sums(tiny)
        sums_beside(tiny, tiny)
        head_distance(tiny, tiny, np.ones((1, 1)))
