"""The five measures that a profile can name: how each is computed for several candidates, and what it depends on."""

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from raim.errors import InputError, RaimError, UnexpectedError, UnscorableError, item_error, unknown_name
from raim.metrics.arrays import PixelArray

Options = Mapping[str, str | float | bool]

# Above this share of flat pixels a result says how unsure its NIQE is (DESIGN: up to 0.5 on flat areas).
FLAT_FRACTION_TO_TELL = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One measure of one candidate: a value, or the reason why there is none.

    Attributes:
        value: The measured value; None if it could not be measured.
        unscored: The reason, if so.
        warning: What the reader should know of the value.
        fault: What failed; None where there is a value, or where the image cannot have one.
    """

    value: float | None = None
    unscored: str | None = None
    warning: str | None = None
    fault: RaimError | None = None


Measure = Callable[[Sequence[PixelArray], PixelArray, Options, str], list[Measured]]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureEntry:
    """How a measure is computed.

    Attributes:
        measure: Takes K candidates, the reference, the options and the device.
        options: What each of its options may be: one of several words, bool, or float for a number from 0 up.
        block_px: Squares of this side must fit into an image, side by side, for it to have a value.
        n_blocks: So many of them.
        has_reference: Whether the value depends on the reference.
        weights: Gives the names of the pretrained weights that it uses, from its options.
        has_engine: Whether an engine of `raim.metrics.trunk` computes it, for several candidates in one pass.
    """

    measure: Measure
    options: Mapping[str, tuple[str, ...] | type] = field(default_factory=dict)
    block_px: Callable[[Options], int] = lambda options: 1  # noqa: ARG005 - the options are for others
    n_blocks: int = 1
    has_reference: bool = True
    weights: Callable[[Options], tuple[str, ...]] = lambda options: ()  # noqa: ARG005
    has_engine: bool = False


def measure_candidates(
    name: str,
    options: Options,
    restored: Sequence[PixelArray],
    reference: PixelArray,
    *,
    border_px: int = 0,
    device: str = "cpu",
) -> list[Measured]:
    """Measure K candidates of one photograph; what fails for one of them leaves the others their values.

    Args:
        name: The measure.
        options: Its options.
        restored: K images (h, w, 3), of the reference's size and type.
        reference: (h, w, 3).
        border_px: What was cut off each side of them, for reasons.
        device: "cpu", or a device of torch for the measures that run there.

    Raises:
        RaimError: One that concerns all candidates (`RaimError.concerns_all`).
        UnknownNameError: If there is no such measure.

    Example:
        >>> import numpy as np
        >>> reference = np.zeros((8, 8, 3), np.uint8)
        >>> [each.value for each in measure_candidates("psnr", {}, [reference + 255, reference], reference)]
        [0.0, inf]
    """
    entry = find_measure(name)
    height, width = reference.shape[:2]
    reason = why_too_small(name, options, width + 2 * border_px, height + 2 * border_px, border_px)
    if reason is not None:
        return [Measured(unscored=reason) for _ in restored]

    def measure(images: Sequence[PixelArray]) -> list[Measured]:
        return entry.measure(images, reference, options, device)

    groups = [restored] if entry.has_engine else [[image] for image in restored]
    return [measured for group in groups for measured in _attempt(measure, group)]


def _attempt(
    measure: Callable[[Sequence[PixelArray]], list[Measured]], images: Sequence[PixelArray]
) -> list[Measured]:
    """Measure images together; where that fails, each alone, so that a failure is that of its image."""
    try:
        return [_refuse_nan(measured) for measured in measure(images)]
    except UnscorableError as error:
        failed = Measured(unscored=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this image's
        failed = fail(error)
    if len(images) == 1:
        return [failed]
    return [measured for image in images for measured in _attempt(measure, [image])]


def fail(error: Exception) -> Measured:
    """Make the record of what failed, and let go of what was in memory then.

    Raises:
        RaimError: The error concerns all candidates.
    """
    fault = item_error(error)
    if fault.concerns_all:
        raise fault
    traceback.clear_frames(error.__traceback__)
    return Measured(unscored=str(fault), fault=fault)


def _refuse_nan(measured: Measured) -> Measured:
    if measured.value is None or not math.isnan(measured.value):
        return measured
    fault = UnexpectedError("it gave no number (NaN); please report it")
    return Measured(unscored=str(fault), fault=fault)


def find_measure(name: str) -> MeasureEntry:
    """Give the measure of that name.

    Raises:
        UnknownNameError: If there is none; the nearest is named.
    """
    if name not in MEASURES:
        raise unknown_name("measure", name, MEASURES)
    return MEASURES[name]


def check_options(name: str, options: Options) -> None:
    """Refuse options that a measure does not have, and values that they cannot have.

    Raises:
        InputError: A value is none of those that its option takes.
        UnknownNameError: There is no such measure or option; the nearest is named.

    Example:
        >>> check_options("psnr", {"color": "y"})
        Traceback (most recent call last):
        raim.errors.UnknownNameError: no option of psnr named 'color'; did you mean 'colour'? (known: colour, epsilon)
        >>> check_options("lpips", {"net": "vgg"})
        Traceback (most recent call last):
        raim.errors.InputError: the option net of lpips is 'vgg', expected 'alexnet' or 'vgg16'
    """
    known = find_measure(name).options
    for key, value in options.items():
        if key not in known:
            raise unknown_name(f"option of {name}", key, known)
        allowed = known[key]
        if isinstance(allowed, tuple):
            fits, expected = value in allowed, " or ".join(map(repr, allowed))
        elif allowed is bool:
            fits, expected = isinstance(value, bool), "True or False"
        else:
            fits, expected = _is_number(value) and 0 <= float(value) < math.inf, "a number from 0 up"
        if not fits:
            raise InputError(f"the option {key} of {name} is {value!r}, expected {expected}")


def _is_number(value: str | float | bool) -> bool:  # noqa: FBT001 - an option's value
    return isinstance(value, int | float) and not isinstance(value, bool)


def why_too_small(name: str, options: Options, width: int, height: int, border_px: int = 0) -> str | None:
    """Say why no image of that size has a value of a measure once its border is cut off; None where one may have.

    Example:
        >>> why_too_small("lpips", {}, 36, 36, border_px=4)
        'the image is 36x36 (28x28 once 4 px are cut off each side), LPIPS needs at least 31x31'
        >>> why_too_small("lpips", {}, 30, 200)
        'the image is 30x200, LPIPS needs at least 31x31'
        >>> why_too_small("niqe", {}, 191, 191), why_too_small("niqe", {}, 96, 192)
        ('the image is 191x191, NIQE needs at least 2 blocks of 96x96', None)
    """
    entry = find_measure(name)
    side = entry.block_px(options)
    inner = (width - 2 * border_px, height - 2 * border_px)
    if (inner[0] // side) * (inner[1] // side) >= entry.n_blocks:
        return None
    blocks = f"{entry.n_blocks} blocks of " if entry.n_blocks > 1 else ""
    cut = f" ({inner[0]}x{inner[1]} once {border_px} px are cut off each side)" if border_px else ""
    return f"the image is {width}x{height}{cut}, {name.upper()} needs at least {blocks}{side}x{side}"


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
    return [Measured(value=ssim(image, reference, **_keywords(options))) for image in restored]


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
    from raim.metrics.niqe import niqe_details

    del reference, device
    results = [niqe_details(image, **_keywords(options)) for image in restored]
    return [
        Measured(value=result.value, warning=_describe_flatness(result.flat_fraction)) for result in results
    ]


def _describe_flatness(flat_fraction: float) -> str | None:
    if flat_fraction <= FLAT_FRACTION_TO_TELL:
        return None
    return f"{flat_fraction:.0%} of the pixels are flat: NIQE there follows rounding noise, by up to 0.5"


def _keywords(options: Options) -> dict[str, Any]:
    return dict(options)


def _lpips_net(options: Options) -> str:
    return str(options.get("net", "alexnet"))


def _lpips_weights(options: Options) -> tuple[str, ...]:
    net = _lpips_net(options)
    return net, f"lpips-heads-{net}"


COLOURS = ("rgb", "y")
LPIPS_SIDES = {"alexnet": 31, "vgg16": 16}  # smaller images leave no pixel of the last feature

MEASURES: Mapping[str, MeasureEntry] = MappingProxyType(
    {
        "psnr": MeasureEntry(measure=_psnr, options={"colour": COLOURS, "epsilon": float}),
        "ssim": MeasureEntry(
            measure=_ssim,
            options={"colour": COLOURS, "rounded_luma": bool, "clip_contrast": bool},
            block_px=lambda _: 11,  # its window
        ),
        "lpips": MeasureEntry(
            measure=_lpips,
            options={"net": tuple(LPIPS_SIDES)},
            block_px=lambda options: LPIPS_SIDES[_lpips_net(options)],
            weights=_lpips_weights,
            has_engine=True,
        ),
        "dists": MeasureEntry(measure=_dists, weights=lambda _: ("vgg16", "dists"), has_engine=True),
        "niqe": MeasureEntry(
            measure=_niqe,
            options={"variant": ("pyiqa", "basicsr", "matlab")},
            block_px=lambda _: 96,
            n_blocks=2,
            weights=lambda _: ("niqe",),
            has_reference=False,
        ),
    }
)
