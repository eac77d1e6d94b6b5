"""MS-SSIM: SSIM over five scales, contrast and structure at each, the means at the coarsest only.

With l and cs the two factors of SSIM (`raim.metrics.ssim`) and E the mean over the windows of a scale, where each scale
has half the side of the one before (blocks of 2x2 pixels are averaged; an odd last row or column counts twice):

    MS-SSIM = E5[l cs]^w5  *  product over scales 1 to 4 of  max(0, E[cs])^w

The value of "rgb" is the mean over the channels. A negative mean has no such power: it counts as 0, as in public
implementations.

Source: Wang, Simoncelli, Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003,
equation 7; weights of its section 3.2; borders and the product at the coarsest scale as in the authors' MATLAB release.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from raim.metrics.arrays import Batch, PixelValues, Tensor, check_batches, check_pair, white_level
from raim.metrics.gradients import safe_power
from raim.metrics.luma import COLOURS, find_planes, load_plane, planes_of
from raim.metrics.record import MeasureRecord
from raim.metrics.ssim import C1, WINDOW, count_windows, similarity_maps, window_sums
from raim.metrics.windows import halve

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
NO_MEANS = 1e300  # as C1: the factor of the means is 1


def ms_ssim(
    restored: PixelValues,
    reference: PixelValues,
    *,
    colour: str = "rgb",
    rounded_luma: bool = False,
    data_range: float | None = None,
) -> float:
    """Measure how alike two images are in structure at five scales.

    Arguments and errors as of `raim.metrics.ssim`; images have at least 161 pixels on each side.

    Returns:
        Similarity from 0 to 1 (identical images); higher is better.

    Example:
        >>> reference = np.zeros((176, 176, 3), np.uint8)
        >>> reference[:, 80:] = 200
        >>> ms_ssim(reference, reference), round(ms_ssim(reference // 2, reference), 6)
        (1.0, 0.888361)
    """
    check_pair(restored, reference, data_range=data_range)
    planes = find_planes(colour)
    MS_SSIM.check_size(*reference.shape[:2])
    white = white_level(reference, data_range)
    values = []
    for plane in planes:
        x, y = np.empty((2, *reference.shape[:2]))
        for image, out in ((restored, x), (reference, y)):
            load_plane(image, plane, white=white, rounded=rounded_luma and colour == "y", out=out)
        values.append(_compare(x, y))
    return sum(values) / len(values)


def _compare(x: np.ndarray, y: np.ndarray) -> float:
    value = 1.0
    for scale, weight in enumerate(WEIGHTS):
        x, y = (x, y) if scale == 0 else (_coarser(x), _coarser(y))
        c1 = C1 if scale == len(WEIGHTS) - 1 else NO_MEANS
        mean = sum(window_sums(x, y, _copy, c1=c1)) / count_windows(*x.shape)
        value *= max(mean, 0.0) ** weight
    return value


def _coarser(plane: np.ndarray) -> np.ndarray:
    return halve(np.pad(plane, [(0, side % 2) for side in plane.shape], mode="edge"))


def _copy(rows: np.ndarray, out: np.ndarray) -> None:
    out[:] = rows


def ms_ssim_batch(
    restored: Batch, reference: Batch, *, colour: str = "rgb", rounded_luma: bool = False
) -> Float[Tensor, " b"]:
    """MS-SSIM of each image of a batch, differentiable; arguments and errors as of `ms_ssim`.

    Example:
        >>> import torch
        >>> reference = torch.zeros(1, 3, 176, 176, dtype=torch.float64)
        >>> reference[..., 80:] = 200 / 255
        >>> round(ms_ssim_batch(reference / 2, reference).item(), 6)
        0.888361
    """
    from torch.nn import functional

    check_batches(restored=restored, reference=reference)
    MS_SSIM.check_size(*reference.shape[2:])
    x, y = (planes_of(images, colour, rounded_luma=rounded_luma) for images in (restored, reference))
    value: Any = 1.0
    for scale, weight in enumerate(WEIGHTS):
        if scale:
            odd = (0, x.shape[3] % 2, 0, x.shape[2] % 2)
            x, y = (halve(functional.pad(planes, odd, mode="replicate")) for planes in (x, y))
        luminance, similarity = similarity_maps(x, y)
        if scale == len(WEIGHTS) - 1:
            similarity = luminance * similarity
        value = value * safe_power(similarity.mean((2, 3)), weight)
    return value.mean(1)


MS_SSIM = MeasureRecord(
    name="ms_ssim",
    title="MS-SSIM",
    higher_is_better=True,
    value_range=(0.0, 1.0),
    source="Wang, Simoncelli, Bovik, Asilomar 2003",
    options={"colour": tuple(COLOURS), "rounded_luma": bool},
    block_px=lambda _: (WINDOW - 1) * 2 ** (len(WEIGHTS) - 1) + 1,
    array_form=ms_ssim,
    tensor_form=ms_ssim_batch,
)
