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
from jaxtyping import Float

from raim.compilation import first_use
from raim.metrics.arrays import Batch, PixelValues, Tensor, check_batches, check_pair, white_level
from raim.metrics.luma import COLOURS, find_planes, load_plane, planes_of
from raim.metrics.record import MeasureRecord
from raim.metrics.windows import gaussian_window

WINDOW = 11  # Wang et al. 2004, section III.C, as are the three below
DEVIATION = 1.5
C1 = (0.01 * 255) ** 2
C2 = (0.03 * 255) ** 2

STRIP_ROWS = 32  # rows of windows at a time: four strips of a wide photograph fit a processor's cache


def ssim(
    restored: PixelValues,
    reference: PixelValues,
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
    SSIM.check_size(*reference.shape[:2])
    load = functools.partial(
        load_plane, white=white_level(reference, data_range), rounded=rounded_luma and colour == "y"
    )
    total = 0.0
    for plane in planes:
        written = functools.partial(load, plane=plane)
        for value in window_sums(restored, reference, written, clip=clip_contrast, strip_rows=strip_rows):
            total += value
    return total / (len(planes) * count_windows(*reference.shape[:2]))


def count_windows(height: int, width: int) -> int:
    """Count the windows that lie wholly inside an image."""
    return (height - WINDOW + 1) * (width - WINDOW + 1)


def window_sums(
    restored: PixelValues,
    reference: PixelValues,
    load: Callable[..., None],
    *,
    c1: float = C1,
    clip: bool = False,
    strip_rows: int = STRIP_ROWS,
) -> Iterator[float]:
    """Sum SSIM over the windows of each strip of one plane.

    Args:
        restored: (h, w, ...).
        reference: The same.
        load: Writes the plane of some of their rows, on the scale of 0 to 255, to `out`.
        c1: Of the factor of the means, which is 1 where this outweighs all means.
        clip: Put zero where the contrast-structure factor is negative.
        strip_rows: Rows of windows in a strip.
    """
    from raim.metrics.ssim_kernels import ssim_sum

    height, width = reference.shape[:2]
    window = gaussian_window(WINDOW, DEVIATION)
    # Rows an odd number of cache lines apart: at a power of two, 11 rows would compete for few places of the cache.
    # They have some zeros behind their values.
    buffers = np.zeros((2, strip_rows + WINDOW - 1, 8 * (-(-width // 8) | 1)))
    for top in range(0, height - WINDOW + 1, strip_rows):
        rows = slice(top, min(top + strip_rows + WINDOW - 1, height))
        x, y = buffers[:, : rows.stop - rows.start]
        load(restored[rows], out=x[:, :width])
        load(reference[rows], out=y[:, :width])
        x += y  # in place: x + y, then x + y - 2 y
        y *= -2
        y += x
        with first_use("ssim"):
            yield float(ssim_sum(x, y, window, (c1, C2, clip), width))


def ssim_batch(
    restored: Batch,
    reference: Batch,
    *,
    colour: str = "rgb",
    rounded_luma: bool = False,
    clip_contrast: bool = False,
) -> Float[Tensor, " b"]:
    """SSIM of each image of a batch, differentiable (through the rounding, too); arguments and errors as of `ssim`.

    Example:
        >>> import torch
        >>> reference = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
        >>> reference[..., 8:] = 200 / 255
        >>> round(ssim_batch(reference / 2, reference).item(), 6)
        0.644002
    """
    check_batches(restored=restored, reference=reference)
    SSIM.check_size(*reference.shape[2:])
    x, y = (planes_of(images, colour, rounded_luma=rounded_luma) for images in (restored, reference))
    luminance, contrast = similarity_maps(x, y)
    if clip_contrast:
        contrast = contrast.clamp(min=0)
    return (luminance * contrast).mean((1, 2, 3))


def similarity_maps(
    x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"]
) -> tuple[Float[Tensor, "b c h_out w_out"], Float[Tensor, "b c h_out w_out"]]:
    """Return both factors of SSIM, luminance and contrast-structure, for each window of planes of 0 to 255."""
    import torch

    window = torch.from_numpy(gaussian_window(WINDOW, DEVIATION)).to(x)
    mx, my = blur_valid(x, window), blur_valid(y, window)
    variances = blur_valid(x * x + y * y, window) - mx * mx - my * my
    covariance = blur_valid(x * y, window) - mx * my
    return (2 * mx * my + C1) / (mx * mx + my * my + C1), (2 * covariance + C2) / (variances + C2)


def blur_valid(
    planes: Float[Tensor, "b c h w"], window: Float[Tensor, " taps"]
) -> Float[Tensor, "b c h_out w_out"]:
    """Average over the windows that lie wholly inside.

    Example:
        >>> import torch
        >>> blur_valid(torch.ones(1, 1, 5, 4), torch.full((3,), 1 / 3)).shape
        torch.Size([1, 1, 3, 2])
    """
    from raim.networks.torch import convolve

    batch, channels, height, width = planes.shape
    single = planes.reshape(batch * channels, 1, height, width)
    down = convolve(single, window.reshape(1, 1, -1, 1))
    both = convolve(down, window.reshape(1, 1, 1, -1))
    return both.reshape(batch, channels, *both.shape[2:])


SSIM = MeasureRecord(
    name="ssim",
    title="SSIM",
    higher_is_better=True,
    value_range=(-1.0, 1.0),
    source="Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004",
    options={"colour": tuple(COLOURS), "rounded_luma": bool, "clip_contrast": bool},
    block_px=lambda _: WINDOW,
    array_form=ssim,
    tensor_form=ssim_batch,
)
