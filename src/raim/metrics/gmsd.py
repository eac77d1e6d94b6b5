"""GMSD: how unevenly the edges of an image are changed, the deviation of the similarity of gradients.

With gx, gy the magnitudes of the gradients (Prewitt's) of luma on the scale of 255, averaged over blocks of 2x2 pixels:

    similarity = (2 gx gy + T) / (gx^2 + gy^2 + T),  T = 170        GMSD = standard deviation of similarity

Beyond the border luma is zero. The deviation is that of a sample (n - 1).

Source: Xue, Zhang, Mou, Bovik, "Gradient Magnitude Similarity Deviation: A Highly Efficient Perceptual Image Quality
Index", IEEE TIP 2014, equations 1 to 6; luma, borders and n - 1 as in the authors' MATLAB release.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from raim.metrics.arrays import Batch, PixelValues, Tensor, check_batches, check_pair
from raim.metrics.gradients import round_straight_through, safe_power
from raim.metrics.luma import RGB2GRAY, luma, plane_of
from raim.metrics.record import MeasureRecord
from raim.metrics.windows import halve

T = 170.0


def gmsd(
    restored: PixelValues,
    reference: PixelValues,
    *,
    rounded_luma: bool = False,
    data_range: float | None = None,
) -> float:
    """Measure how unevenly a restoration changes the edges of its reference.

    Args:
        restored: (h, w, 3), uint8, uint16 or float in [0, 1]. Grey images are expanded by the caller.
        reference: (h, w, 3) of the same size and type.
        rounded_luma: Round luma to integers of 0 to 255, as MATLAB's rgb2gray does for 8-bit images.
        data_range: The value of white; None for the type's own (255, 65535, 1).

    Returns:
        A deviation from 0 (identical images), below about 0.5; lower is better.

    Raises:
        InputError: If sizes or types differ, or a value is outside the range.
        UnscorableError: If the images are smaller than 6x6.

    Example:
        >>> reference = np.zeros((16, 16, 3), np.uint8)
        >>> reference[:, 8:] = 200
        >>> gmsd(reference, reference), round(gmsd(reference // 2, reference), 6)
        (0.0, 0.099636)
    """
    check_pair(restored, reference, data_range=data_range)
    GMSD.check_size(*reference.shape[:2])
    x, y = (
        _find_edges(luma(image, kind="rgb2gray", rounded=rounded_luma, data_range=data_range))
        for image in (restored, reference)
    )
    return float(_similarity(x, y, np.sqrt).std(ddof=1))


def _find_edges(plane: np.ndarray) -> np.ndarray:
    return _squared_gradients(np.pad(halve(np.pad(plane, [(0, side % 2) for side in plane.shape])), 1))


def _squared_gradients(planes: Any) -> Any:
    """Return gx^2 + gy^2 of planes (..., h + 2, w + 2), arrays or tensors, without their outermost pixels."""
    down = planes[..., :-2, :] + planes[..., 1:-1, :] + planes[..., 2:, :]
    across = planes[..., :-2] + planes[..., 1:-1] + planes[..., 2:]
    horizontal = (down[..., :-2] - down[..., 2:]) / 3
    vertical = (across[..., :-2, :] - across[..., 2:, :]) / 3
    return horizontal * horizontal + vertical * vertical


def _similarity(x: Any, y: Any, root: Callable[[Any], Any]) -> Any:
    """Compare squared gradients."""
    return (2 * root(x * y) + T) / (x + y + T)


def gmsd_batch(restored: Batch, reference: Batch, *, rounded_luma: bool = False) -> Float[Tensor, " b"]:
    """GMSD of each image of a batch, differentiable; arguments and errors as of `gmsd`.

    Example:
        >>> import torch
        >>> reference = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
        >>> reference[..., 8:] = 200 / 255
        >>> round(gmsd_batch(reference / 2, reference).item(), 6)
        0.099636
    """
    from torch.nn import functional

    check_batches(restored=restored, reference=reference)
    GMSD.check_size(*reference.shape[2:])
    edges = []
    for images in (restored, reference):
        planes = plane_of(images, RGB2GRAY)
        planes = round_straight_through(planes) if rounded_luma else planes
        even = functional.pad(planes, (0, planes.shape[2] % 2, 0, planes.shape[1] % 2))
        edges.append(_squared_gradients(functional.pad(halve(even), (1, 1, 1, 1))))
    similarity = _similarity(edges[0], edges[1], lambda squares: safe_power(squares, 0.5))
    return safe_power(similarity.var((1, 2)), 0.5)


GMSD = MeasureRecord(
    name="gmsd",
    title="GMSD",
    higher_is_better=False,
    value_range=(0.0, 1.0),
    source="Xue, Zhang, Mou, Bovik, IEEE TIP 2014",
    options={"rounded_luma": bool},
    block_px=lambda _: 6,  # three pixels each way, of which one has neighbours all around
    array_form=gmsd,
    tensor_form=gmsd_batch,
)
