"""What measures average over: Gaussian windows, and blocks of four pixels."""

from typing import Any

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


def halve(planes: Any) -> Any:
    """Average blocks of 2x2 pixels of planes (..., h, w), arrays or tensors, of even height and width.

    Example:
        >>> halve(np.arange(8.0).reshape(2, 4)).tolist()
        [[2.5, 4.5]]
    """
    down = planes[..., ::2, :] + planes[..., 1::2, :]
    return (down[..., ::2] + down[..., 1::2]) / 4
