"""The compiled sum behind `raim.metrics.ssim`.

The two planes are read as their sum s = x + y and difference d = x - y, because with E the Gaussian mean

    2 E[xy] = (E[s^2] - E[d^2]) / 2,    E[x^2] + E[y^2] = (E[s^2] + E[d^2]) / 2

so that four maps are blurred in place of five, and each of them is a mean or a mean square of one plane.
"""

import numpy as np
from jaxtyping import Float64

from raim.compilation import kernel
from raim.metrics.blur_kernels import make_blurs

TAPS = 11
_blur_down, _blur_along = make_blurs(TAPS)


@kernel
def ssim_sum(
    sums: Float64[np.ndarray, "n padded"],
    differences: Float64[np.ndarray, "n padded"],
    weights: Float64[np.ndarray, "11"],
    constants: tuple[float, float, bool],
    width: int,
) -> float:
    """Add up SSIM over the (n - 10) x (width - 10) windows that lie inside.

    Args:
        sums: x + y; only the first `width` values of a row count.
        differences: x - y.
        weights: Gaussian weights.
        constants: C1, C2, and whether the contrast-structure factor is clipped at zero.
        width: Of the image.
    """
    c1, c2, clip_contrast = constants
    down = np.empty((4, width))
    blurred = np.empty((4, width - TAPS + 1))
    total = 0.0
    for top in range(sums.shape[0] - TAPS + 1):
        _blur_down(sums, top, weights, down[0], down[1])
        _blur_down(differences, top, weights, down[2], down[3])
        for plane in range(4):
            _blur_along(down[plane], weights, blurred[plane])
        mean_s, square_s, mean_d, square_d = blurred[0], blurred[1], blurred[2], blurred[3]
        for x in range(width - TAPS + 1):
            ms, md = mean_s[x] * mean_s[x], mean_d[x] * mean_d[x]
            mean_product, mean_squares = (ms - md) / 2, (ms + md) / 2  # 2 mx my, mx^2 + my^2
            covariance = (square_s[x] - square_d[x]) / 2 - mean_product  # 2 cov(x, y)
            variances = (square_s[x] + square_d[x]) / 2 - mean_squares  # var x + var y
            contrast = (covariance + c2) / (variances + c2)
            if clip_contrast:
                contrast = max(contrast, 0.0)
            total += (mean_product + c1) / (mean_squares + c1) * contrast
    return total
