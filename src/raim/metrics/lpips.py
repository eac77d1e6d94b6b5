"""LPIPS v0.1: how far two images are apart in the features of an image classifier.

With f the channel-unit-normalised feature of tap l at pixel p, h x w the tap's size, and head >= 0 a learnt
weight per channel:

    LPIPS = sum over l of  1 / (h_l w_l)  sum over p, c of  head_lc (f_lpc(restored) - f_lpc(reference))^2

Images enter as (2 x - 1 - shift) / scale; the backbone is AlexNet (the field's default) or VGG16.

Source: Zhang, Isola, Efros, Shechtman, Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric", CVPR 2018, equation 1; constants and weights as in the authors' package lpips 0.1.4.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from raim.errors import unknown_name
from raim.metrics.arrays import Batch, PixelValues, Tensor, check_batches
from raim.metrics.features import STRIP_ROWS, stream_pair_taps
from raim.metrics.record import MeasureRecord, Options
from raim.networks.features import load_engine
from raim.networks.nets import ALEXNET, VGG16
from raim.networks.stream import Lines
from raim.weights import load_weights

BACKBONES = {"alexnet": ALEXNET, "vgg16": VGG16["max"]}

# lpips 0.1.4, class ScalingLayer, for images in [-1, 1]: 2 x - 1 - SHIFT = 2 (x - (1 + SHIFT) / 2).
SHIFT = np.array([-0.030, -0.088, -0.188])
SCALE = np.array([0.458, 0.448, 0.450])


def lpips_each(
    restored: Sequence[PixelValues],
    reference: PixelValues,
    *,
    net: str = "alexnet",
    engine: str = "auto",
    device: str = "cpu",
    strip_rows: int = STRIP_ROWS,
) -> list[float]:
    """Measure several restorations of one photograph in one pass, which computes the reference's features once.

    Args:
        restored: K images, each (h, w, 3), uint8, uint16 or float in [0, 1].
        reference: (h, w, 3) of the same size and type.
        net: The backbone, "alexnet" or "vgg16".
        engine: "ncnn", "torch" or "auto".
        device: "cpu", or a device of torch such as "cuda".
        strip_rows: Rows read at a time; changes memory and speed only.

    Returns:
        K distances, from 0 (same features) upwards, usually below 1; lower is better.

    Raises:
        InputError: If sizes or types differ, or there is no such device.
        UnknownNameError: If there is no such net or engine.
        UnscorableError: If the images are too small for the backbone: below 31 pixels for AlexNet, 16 for VGG16.

    Example:
        >>> import numpy as np
        >>> reference = np.zeros((64, 64, 3), np.uint8)
        >>> reference[::8] = 255
        >>> [round(value, 4) for value in lpips_each([reference, reference // 2], reference)]
        [0.0, 0.0245]
    """
    if net not in BACKBONES:
        raise unknown_name("LPIPS net", net, BACKBONES)
    computer = load_engine(engine, device=device)
    if not restored:
        return []
    backbone = BACKBONES[net]
    heads = load_weights(f"lpips-heads-{net}")
    sums = np.zeros((len(backbone.tap_channels), len(restored)))
    pixels = np.zeros((len(backbone.tap_channels), 1))

    def add(tap: int, lines: Lines) -> None:
        sums[tap] += computer.head_distances(lines, heads[f"lin{tap}"])
        pixels[tap] += computer.pixels(lines)

    stream_pair_taps(
        computer,
        backbone,
        restored,
        reference,
        shift=((1 + SHIFT) / 2).astype(np.float32),
        scale=(SCALE / 2).astype(np.float32),
        on_tap=add,
        strip_rows=strip_rows,
    )
    return [float(value) for value in (sums / pixels).sum(0)]


def lpips(
    restored: PixelValues,
    reference: PixelValues,
    *,
    net: str = "alexnet",
    engine: str = "auto",
    device: str = "cpu",
) -> float:
    """Measure one restoration; arguments, range and errors as of `lpips_each`."""
    return lpips_each([restored], reference, net=net, engine=engine, device=device)[0]


def lpips_batch(restored: Batch, reference: Batch, *, net: str = "alexnet") -> Float[Tensor, " b"]:
    """LPIPS of each image of a batch, differentiable; arguments and errors as of `lpips_each`.

    Example:
        >>> import torch
        >>> reference = torch.full((1, 3, 64, 64), 128 / 255)
        >>> restored = reference.clone()
        >>> restored[:, :, ::2] = 96 / 255
        >>> round(lpips_batch(restored, reference).item(), 4)
        0.518
    """
    import torch

    from raim.networks.torch import load_tensors
    from raim.networks.torch_features import tapped_features, unit_features

    check_batches(restored=restored, reference=reference)
    if net not in BACKBONES:
        raise unknown_name("LPIPS net", net, BACKBONES)
    shift, scale = (torch.tensor(values).to(restored) for values in (SHIFT, SCALE))
    features = [
        tapped_features(images, BACKBONES[net], shift=(1 + shift) / 2, scale=scale / 2)
        for images in (restored, reference)
    ]
    heads = load_tensors(f"lpips-heads-{net}", restored.device, restored.dtype)
    distances = []
    for tap, (x, y) in enumerate(zip(*features, strict=True)):
        difference = (unit_features(x) - unit_features(y)).square() * heads[f"lin{tap}"].view(1, -1, 1, 1)
        distances.append(difference.sum(1).mean((1, 2)))
    return torch.stack(distances).sum(0)


def _net(options: Options) -> str:
    return str(options.get("net", "alexnet"))


LPIPS = MeasureRecord(
    name="lpips",
    title="LPIPS",
    higher_is_better=False,
    value_range=(0.0, float("inf")),
    source="Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018; lpips 0.1.4",
    options={"net": tuple(BACKBONES)},
    block_px=lambda options: BACKBONES[_net(options)].smallest_px,
    weights=lambda options: (_net(options), f"lpips-heads-{_net(options)}"),
    array_form=lpips,
    each_form=lpips_each,
    tensor_form=lpips_batch,
)
