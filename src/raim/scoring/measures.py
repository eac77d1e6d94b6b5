"""The five measures as a profile names them: how each is computed for several candidates, and what it depends on."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from raim.errors import UnscorableError, unknown_name
from raim.metrics.arrays import PixelArray
from raim.scoring.profiles import MeasureChoice, Options

# Above this share of flat pixels a result says how unsure its NIQE is (DESIGN: up to 0.5 on flat areas).
FLAT_FRACTION_TO_TELL = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One measure of one candidate: a value, or the reason why there is none.

    Attributes:
        value: The measured value; None if it could not be measured.
        unscored: The reason, if so.
        warning: What the reader should know of the value.
    """

    value: float | None = None
    unscored: str | None = None
    warning: str | None = None


Measure = Callable[[Sequence[PixelArray], PixelArray, Options, str], list[Measured]]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureEntry:
    """How a measure is computed.

    Attributes:
        measure: Takes K candidates, the reference, the options and the device.
        has_reference: Whether the value depends on the reference.
        weights: Gives the names of the pretrained weights that it uses, from its options.
        has_engine: Whether an engine of `raim.metrics.trunk` computes it.
    """

    measure: Measure
    has_reference: bool = True
    weights: Callable[[Options], tuple[str, ...]] = lambda options: ()  # noqa: ARG005 - the options are for others
    has_engine: bool = False


def measure_candidates(
    choice: MeasureChoice, restored: Sequence[PixelArray], reference: PixelArray, *, device: str = "cpu"
) -> list[Measured]:
    """Measure K candidates of one photograph as a profile's choice says.

    Args:
        choice: The measure and its options.
        restored: K images (h, w, 3), of the reference's size and type.
        reference: (h, w, 3).
        device: "cpu", or a device of torch for the measures that run there.

    Raises:
        UnknownNameError: If there is no such measure.

    Example:
        >>> import numpy as np
        >>> reference = np.zeros((8, 8, 3), np.uint8)
        >>> choice = MeasureChoice(name="psnr", weight=20, zero_at=0, one_at=50)
        >>> [measured.value for measured in measure_candidates(choice, [reference + 255, reference], reference)]
        [0.0, inf]
    """
    return find_measure(choice.name).measure(restored, reference, choice.options, device)


def find_measure(name: str) -> MeasureEntry:
    """Give the measure of that name.

    Raises:
        UnknownNameError: If there is none; the nearest is named.
    """
    if name not in MEASURES:
        raise unknown_name("measure", name, MEASURES)
    return MEASURES[name]


def _psnr(
    restored: Sequence[PixelArray], reference: PixelArray, options: Options, device: str
) -> list[Measured]:
    from raim.metrics.psnr import psnr

    del device
    return [Measured(value=psnr(image, reference, **_keywords(options))) for image in restored]


def _ssim(
    restored: Sequence[PixelArray], reference: PixelArray, options: Options, device: str
) -> list[Measured]:
    from raim.metrics.ssim import ssim

    del device
    return [_attempt(functools.partial(ssim, image, reference, **_keywords(options))) for image in restored]


def _lpips(
    restored: Sequence[PixelArray], reference: PixelArray, options: Options, device: str
) -> list[Measured]:
    from raim.metrics.lpips import lpips_each

    values = lpips_each(restored, reference, device=device, **_keywords(options))
    return [Measured(value=value) for value in values]


def _dists(
    restored: Sequence[PixelArray], reference: PixelArray, options: Options, device: str
) -> list[Measured]:
    from raim.metrics.dists import dists_each

    values = dists_each(restored, reference, device=device, **_keywords(options))
    return [Measured(value=value) for value in values]


def _niqe(
    restored: Sequence[PixelArray], reference: PixelArray, options: Options, device: str
) -> list[Measured]:
    del reference, device
    return [_niqe_of_one(image, options) for image in restored]


def _niqe_of_one(image: PixelArray, options: Options) -> Measured:
    from raim.metrics.niqe import niqe_details

    try:
        result = niqe_details(image, **_keywords(options))
    except UnscorableError as error:
        return Measured(unscored=str(error))
    warning = None
    if result.flat_fraction > FLAT_FRACTION_TO_TELL:
        warning = f"{result.flat_fraction:.0%} of the pixels are flat: NIQE there follows rounding noise, by up to 0.5"
    return Measured(value=result.value, warning=warning)


def _attempt(measure: Callable[[], float]) -> Measured:
    try:
        return Measured(value=measure())
    except UnscorableError as error:
        return Measured(unscored=str(error))


def _keywords(options: Options) -> dict[str, Any]:
    return dict(options)


def _lpips_weights(options: Options) -> tuple[str, ...]:
    net = str(options.get("net", "alexnet"))
    return net, f"lpips-heads-{net}"


MEASURES: Mapping[str, MeasureEntry] = MappingProxyType(
    {
        "psnr": MeasureEntry(measure=_psnr),
        "ssim": MeasureEntry(measure=_ssim),
        "lpips": MeasureEntry(measure=_lpips, weights=_lpips_weights, has_engine=True),
        "dists": MeasureEntry(measure=_dists, weights=lambda _: ("vgg16", "dists"), has_engine=True),
        "niqe": MeasureEntry(measure=_niqe, weights=lambda _: ("niqe",), has_reference=False),
    }
)
