"""The Gaussian windows of SSIM and NIQE."""

import numpy as np
from jaxtyping import Float64


def gaussian_window(taps: int, deviation: float) -> Float64[np.ndarray, " taps"]:
    """Sample a Gaussian at integers around its centre and scale it to the sum 1.

    Example:
        >>> gaussian_window(3, 1.0).round(4).tolist()
        [0.2741, 0.4519, 0.2741]
    """
    offsets = np.arange(taps) - (taps - 1) / 2
    values = np.exp(-(offsets**2) / (2 * deviation**2))
    return values / values.sum()
