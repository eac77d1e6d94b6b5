"""The compiled loops behind `raim.metrics.luma`."""

import numpy as np
from jaxtyping import Float32, Float64, Shaped

from raim.compilation import kernel, strict_kernel


@kernel
def weighted_sum(
    packed: Shaped[np.ndarray, "rows w3"],
    weights: Float64[np.ndarray, "3"],
    offset: float,
    rounded: bool,  # noqa: FBT001 - compiled functions take arguments by position
    out: Shaped[np.ndarray, "rows w"],
) -> None:
    """Write weights . (R, G, B) + offset of interleaved pixels, rounded to even halves if asked."""
    red, green, blue = weights[0], weights[1], weights[2]
    rows, width = out.shape
    line = np.empty(width)
    for y in range(rows):
        for x in range(width):
            line[x] = (
                red * packed[y, 3 * x] + green * packed[y, 3 * x + 1] + blue * packed[y, 3 * x + 2] + offset
            )
        if rounded:
            for x in range(width):
                line[x] = np.rint(line[x])
        for x in range(width):
            out[y, x] = line[x]


@strict_kernel
def weighted_sum_in_single(
    packed: Shaped[np.ndarray, "rows w3"],
    weights: Float32[np.ndarray, "3"],
    white: np.float32,
    out: Shaped[np.ndarray, "rows w"],
) -> None:
    """Write 255 (weights . (R, G, B) / white), each step in single precision, rounded to even halves."""
    red, green, blue = weights[0], weights[1], weights[2]
    rows, width = out.shape
    line = np.empty(width, np.float32)
    for y in range(rows):
        for x in range(width):
            r, g = np.float32(packed[y, 3 * x]) / white, np.float32(packed[y, 3 * x + 1]) / white
            b = np.float32(packed[y, 3 * x + 2]) / white
            line[x] = (red * r + green * g + blue * b) * np.float32(255)
        for x in range(width):
            line[x] = np.rint(line[x])
        for x in range(width):
            out[y, x] = line[x]
