"""DISTS: structure and texture similarity of two images in the features of VGG16 with L2 pooling.

With mx, my the spatial means of a feature channel, vx, vy its biased variances and cxy the covariance, over the raw
image in [0, 1] and relu1_2, 2_2, 3_3, 4_3, 5_3 (1475 channels in all):

    DISTS = 1 - sum of  alpha (2 mx my + c1) / (mx^2 + my^2 + c1)  +  beta (2 cxy + c2) / (vx + vy + c2)

with c1 = c2 = 1e-6 and learnt alpha, beta that sum to one together. Nothing is resized: the authors' command-line
script reduces the shorter side to 256, their module does not, and published tables follow the module.

Source: Ding, Ma, Wang, Simoncelli, "Image Quality Assessment: Unifying Structure and Texture Similarity", IEEE
TPAMI 2020, equations 6 to 8; constants and weights as in the authors' package dists-pytorch 0.1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from raim.metrics.arrays import Batch, PixelValues, Tensor, check_batches, unit_rows
from raim.metrics.features import STRIP_ROWS, stream_pair_taps
from raim.metrics.record import MeasureRecord
from raim.networks.features import load_engine
from raim.networks.nets import VGG16
from raim.networks.stream import Lines
from raim.weights import load_weights

C1 = C2 = 1e-6  # dists-pytorch 0.1

# ImageNet's mean and deviation of RGB in [0, 1], as torchvision's weights expect.
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def _similarities(mx: Any, my: Any, vx: Any, vy: Any, cxy: Any) -> tuple[Any, Any]:
    """Compare means (texture) and centred products (structure) of channels, arrays or tensors."""
    return (2 * mx * my + C1) / (mx**2 + my**2 + C1), (2 * cxy + C2) / (vx + vy + C2)


def dists_each(
    restored: Sequence[PixelValues],
    reference: PixelValues,
    *,
    engine: str = "auto",
    device: str = "cpu",
    strip_rows: int = STRIP_ROWS,
) -> list[float]:
    """Measure several restorations of one photograph in one pass, which computes the reference's features once.

    Args:
        restored: K images, each (h, w, 3), uint8, uint16 or float in [0, 1].
        reference: (h, w, 3) of the same size and type.
        engine: "ncnn", "torch" or "auto".
        device: "cpu", or a device of torch such as "cuda".
        strip_rows: Rows read at a time; changes memory and speed only.

    Returns:
        K distances, 0 for identical images, usually below 1; lower is better.

    Raises:
        InputError: If sizes or types differ, or there is no such device.
        UnknownNameError: If there is no such engine.

    Example:
        >>> import numpy as np
        >>> reference = np.zeros((64, 64, 3), np.uint8)
        >>> reference[::8] = 255
        >>> [round(value, 4) for value in dists_each([reference, reference // 2], reference)]
        [0.0, 0.1323]
    """
    computer = load_engine(engine, device=device)
    if not restored:
        return []
    backbone = VGG16["l2"]
    # Of each feature, the raw image's channels first: pixels, and sums over them of x, x^2, and x y with the reference.
    sums: list[list[Any]] = [[0, 0, 0, 0] for _ in range(1 + len(backbone.tap_channels))]

    def add(tap: int, lines: Lines) -> None:
        _add(sums[1 + tap], computer.pixels(lines), *computer.moments(lines))

    stream_pair_taps(
        computer,
        backbone,
        restored,
        reference,
        shift=MEAN,
        scale=DEVIATION,
        on_tap=add,
        strip_rows=strip_rows,
    )
    _add_pixels(sums[0], restored, reference, strip_rows)
    return [float(1 - value) for value in _weighted_similarity(sums)]


def dists(
    restored: PixelValues, reference: PixelValues, *, engine: str = "auto", device: str = "cpu"
) -> float:
    """Measure one restoration; arguments, range and errors as of `dists_each`."""
    return dists_each([restored], reference, engine=engine, device=device)[0]


def _add(sums: list[Any], *parts: Any) -> None:
    sums[:] = [total + part for total, part in zip(sums, parts, strict=True)]


def _add_pixels(
    sums: list[Any], restored: Sequence[PixelValues], reference: PixelValues, strip_rows: int
) -> None:
    from raim.networks import kernels

    height, width = reference.shape[:2]
    for top in range(0, height, strip_rows):
        strips = [unit_rows(image[top : top + strip_rows])[None] for image in (reference, *restored)]
        _add(sums, strips[0].shape[1] * width, *kernels.sum_moments(strips))


def _weighted_similarity(sums: list[list[Any]]) -> Float64[np.ndarray, " k"]:
    weights = load_weights("dists")
    alpha, beta = weights["alpha"].astype(np.float64), weights["beta"].astype(np.float64)
    total = alpha.sum() + beta.sum()
    parts, low = [], 0
    for pixels, first, second, cross in sums:
        mean = first / pixels
        variance = second / pixels - mean**2
        mx, my, vx, vy = mean[:1], mean[1:], variance[:1], variance[1:]
        texture, structure = _similarities(mx, my, vx, vy, cross / pixels - mx * my)
        own = slice(low, low := low + first.shape[1])
        parts.append((alpha[own] / total * texture + beta[own] / total * structure).sum(1))
    return np.sum(parts, axis=0)


def dists_batch(restored: Batch, reference: Batch) -> Float[Tensor, " b"]:
    """DISTS of each image of a batch, differentiable; arguments and errors as of `dists_each`.

    Example:
        >>> import torch
        >>> reference = torch.full((1, 3, 64, 64), 128 / 255)
        >>> restored = reference.clone()
        >>> restored[:, :, ::2] = 96 / 255
        >>> round(dists_batch(restored, reference).item(), 4)
        0.4061
    """
    import torch

    from raim.networks.torch import load_tensors
    from raim.networks.torch_features import tapped_features

    check_batches(restored=restored, reference=reference)
    shift, scale = (torch.tensor(values).to(restored) for values in (MEAN, DEVIATION))
    features = [
        [images, *tapped_features(images, VGG16["l2"], shift=shift, scale=scale)]
        for images in (restored, reference)
    ]
    weights = load_tensors("dists", restored.device, restored.dtype)
    alpha, beta = weights["alpha"], weights["beta"]
    similarity = torch.cat([_compare_tensors(x, y) for x, y in zip(*features, strict=True)], 2)
    return 1 - (torch.stack([alpha, beta])[:, None] * similarity).sum((0, 2)) / (alpha.sum() + beta.sum())


def _compare_tensors(x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"]) -> Float[Tensor, "2 b c"]:
    import torch

    mx, my = x.mean((2, 3)), y.mean((2, 3))
    x, y = x - mx[..., None, None], y - my[..., None, None]
    vx, vy, cxy = x.square().mean((2, 3)), y.square().mean((2, 3)), (x * y).mean((2, 3))
    return torch.stack(_similarities(mx, my, vx, vy, cxy))


DISTS = MeasureRecord(
    name="dists",
    title="DISTS",
    higher_is_better=False,
    value_range=(0.0, float("inf")),
    source="Ding, Ma, Wang, Simoncelli, IEEE TPAMI 2020; dists-pytorch 0.1",
    weights=lambda _: ("vgg16", "dists"),
    array_form=dists,
    each_form=dists_each,
    tensor_form=dists_batch,
)
