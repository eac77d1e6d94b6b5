"""The compiled Gaussian averages of SSIM and NIQE: of a plane and of its squares, with symmetric weights."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from raim.compilation import kernel

Line = Float64[np.ndarray, " n"]


def make_blurs(taps: int) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return the kernels that average `taps` rows of a plane, or values of a line; a constant unrolls their loops."""
    half = taps // 2

    @kernel
    def blur_down(
        rows: Float64[np.ndarray, "rows columns"], top: int, weights: Line, mean: Line, square: Line
    ) -> None:
        """Average the rows from `top` on, and their squares."""
        middle, weight = rows[top + half], weights[half]
        for x in range(mean.size):
            mean[x] = weight * middle[x]
            square[x] = weight * (middle[x] * middle[x])
        for k in range(half):
            above, below, weight = rows[top + k], rows[top + taps - 1 - k], weights[k]
            for x in range(mean.size):
                mean[x] += weight * (above[x] + below[x])
                square[x] += weight * (above[x] * above[x] + below[x] * below[x])

    @kernel
    def blur_along(line: Line, weights: Line, out: Line) -> None:
        for x in range(out.size):
            total = 0.0
            for k in range(taps):
                total += weights[k] * line[x + k]
            out[x] = total

    return blur_down, blur_along
