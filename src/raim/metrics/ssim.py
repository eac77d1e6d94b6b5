"""SSIM: structural similarity, the agreement of local mean, contrast and structure.

With mx, my the means, vx, vy the population variances and cxy the covariance of x and y in a Gaussian window
(11 x 11, deviation 1.5), averaged over the windows that lie wholly inside the image and over the planes:

    SSIM = (2 mx my + C1) / (mx^2 + my^2 + C1)  *  (2 cxy + C2) / (vx + vy + C2)

with C1 = (0.01 L)^2, C2 = (0.03 L)^2 and L = 255. Double precision throughout; nothing is downsampled.

Source: Wang, Bovik, Sheikh, Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity",
IEEE TIP 2004, equations 13 to 17. The challenge's public scripts use pyiqa 0.1.16, which rounds luma to integers
(`rounded_luma`) and clips the second factor at zero (`clip_contrast`).
"""

import functools
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float64

from raim.errors import UnscorableError
from raim.metrics.arrays import PixelArray, check_pair, white_level
from raim.metrics.compilation import first_use
from raim.metrics.luma import find_planes, load_plane
from raim.metrics.windows import gaussian_window

WINDOW = 11  # Wang et al. 2004, section III.C, as are the three below
DEVIATION = 1.5
C1 = (0.01 * 255) ** 2
C2 = (0.03 * 255) ** 2

STRIP_ROWS = 32  # rows of windows at a time: four strips of a wide photograph fit a processor's cache


def ssim(
    restored: PixelArray,
    reference: PixelArray,
    *,
    colour: str = "rgb",
    rounded_luma: bool = False,
    clip_contrast: bool = False,
    data_range: float | None = None,
    strip_rows: int = STRIP_ROWS,
) -> float:
    """Measure how alike two images are in local structure.

    Args:
        restored: (h, w, 3), uint8, uint16 or float in [0, 1]. Grey images are expanded by the caller.
        reference: (h, w, 3) of the same size and type.
        colour: "rgb", the mean over the three channels, or "y", luma of BT.601.
        rounded_luma: Round luma to integers of 0 to 255; has no effect on "rgb".
        clip_contrast: Put zero where the contrast-structure factor is negative.
        data_range: The value of white; None for the type's own (255, 65535, 1).
        strip_rows: Rows of windows computed at a time; changes memory and speed only.

    Returns:
        Similarity, at most 1 (identical images), rarely below 0; higher is better.

    Raises:
        InputError: If sizes or types differ, or a value is outside the range.
        UnknownNameError: If there is no such colour.
        UnscorableError: If the window does not fit into the image.

    Example:
        >>> reference = np.zeros((16, 16, 3), np.uint8)
        >>> reference[:, 8:] = 200
        >>> ssim(reference, reference), round(ssim(reference // 2, reference), 6)
        (1.0, 0.644002)
    """
    check_pair(restored, reference, data_range=data_range)
    planes = find_planes(colour)
    height, width = reference.shape[:2]
    if min(height, width) < WINDOW:
        raise UnscorableError(
            f"the image is {width}x{height}, SSIM averages over windows of {WINDOW}x{WINDOW}: none fits"
        )
    load = functools.partial(
        load_plane, white=white_level(reference, data_range), rounded=rounded_luma and colour == "y"
    )
    total = 0.0
    for plane in planes:
        for sums, differences in _strips(
            restored, reference, functools.partial(load, plane=plane), strip_rows
        ):
            total += _sum_over_windows(sums, differences, width, clip=clip_contrast)
    return total / (len(planes) * (height - WINDOW + 1) * (width - WINDOW + 1))


def _strips(
    restored: PixelArray, reference: PixelArray, load: Callable[..., None], strip_rows: int
) -> Iterator[tuple[Float64[np.ndarray, "n padded"], Float64[np.ndarray, "n padded"]]]:
    """Give x + y and x - y of the plane that `load` writes, strip by strip, each with the rows its windows need.

    Rows have some zeros behind their w values.
    """
    height, width = reference.shape[:2]
    # Rows an odd number of cache lines apart: at a power of two, 11 rows would compete for few places of the cache.
    buffers = np.zeros((2, strip_rows + WINDOW - 1, 8 * (-(-width // 8) | 1)))
    for top in range(0, height - WINDOW + 1, strip_rows):
        rows = slice(top, min(top + strip_rows + WINDOW - 1, height))
        x, y = buffers[:, : rows.stop - rows.start]
        load(restored[rows], out=x[:, :width])
        load(reference[rows], out=y[:, :width])
        x += y  # in place: x + y, then x + y - 2 y
        y *= -2
        y += x
        yield x, y


def _sum_over_windows(
    sums: Float64[np.ndarray, "n padded"],
    differences: Float64[np.ndarray, "n padded"],
    width: int,
    *,
    clip: bool,
) -> float:
    from raim.metrics.ssim_kernels import ssim_sum

    with first_use("ssim"):
        return float(ssim_sum(sums, differences, gaussian_window(WINDOW, DEVIATION), (C1, C2, clip), width))
