"""Compiled sums of squared differences behind `raim.metrics.psnr`."""

import numpy as np
from jaxtyping import Float64, Shaped

from raim.compilation import kernel, strict_kernel

Packed = Shaped[np.ndarray, "h w3"]


@kernel
def integer_squares(restored: Packed, reference: Packed) -> np.int64:
    """Sum (restored - reference)^2 of 8- or 16-bit integers, exactly."""
    total = np.int64(0)
    for y in range(restored.shape[0]):
        for x in range(restored.shape[1]):
            # 32-bit differences and 64-bit products are one vector instruction.
            difference = np.int32(np.int32(restored[y, x]) - np.int32(reference[y, x]))
            total += np.int64(difference) * np.int64(difference)
    return total


@kernel
def float_squares(restored: Packed, reference: Packed) -> float:
    """Sum (restored - reference)^2 in double precision."""
    total = 0.0
    for y in range(restored.shape[0]):
        for x in range(restored.shape[1]):
            difference = np.float64(restored[y, x]) - np.float64(reference[y, x])
            total += difference * difference
    return total


# Strict: else the last bit differs between processors, and between a picture and a view of it. A sum for each column
# fills vector registers all the same.
@strict_kernel
def weighted_squares(restored: Packed, reference: Packed, weights: Float64[np.ndarray, "3"]) -> float:
    """Sum (weights . (restored - reference))^2 over interleaved pixels, in double precision."""
    red, green, blue = weights[0], weights[1], weights[2]
    columns = np.zeros(restored.shape[1] // 3)
    for y in range(restored.shape[0]):
        for x in range(len(columns)):
            difference = red * (np.float64(restored[y, 3 * x]) - np.float64(reference[y, 3 * x]))
            difference += green * (np.float64(restored[y, 3 * x + 1]) - np.float64(reference[y, 3 * x + 1]))
            difference += blue * (np.float64(restored[y, 3 * x + 2]) - np.float64(reference[y, 3 * x + 2]))
            columns[x] += difference * difference
    total = 0.0
    for column in columns:
        total += column
    return total
