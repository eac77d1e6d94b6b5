"""Arrays to records: candidates and their reference are measured and scored, or refused with the reason."""

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from raim.errors import RaimError, UnexpectedError, UnscorableError, item_error
from raim.metrics import find_measure
from raim.metrics.arrays import PixelValues, check_pair, match_arrays
from raim.metrics.record import Options
from raim.metrics.sources import Source, read_source
from raim.scoring.profiles import Profile, find_profile
from raim.scoring.records import ImageScore


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One measure of one candidate: a value, or the reason why there is none."""

    value: float | None = None  # None if it could not be measured
    unscored: str | None = None  # the reason, if so
    warning: str | None = None  # what the reader should know of the value
    # what failed; None where there is a value, or where the image cannot have one
    fault: RaimError | None = None


def measure_candidates(
    name: str,
    options: Options,
    restored: Sequence[PixelValues],
    reference: PixelValues,
    *,
    border_px: int = 0,
    device: str = "cpu",
    engine: str = "auto",
) -> list[Measured]:
    """Measure K candidates of one photograph; what fails for one of them leaves the others their values.

    All are (h, w, 3), of one size and type; `border_px` is what was cut off each side of them, for reasons; `engine`
    computes convolutions (`raim.networks.features.choose_engine`).

    Example:
        >>> import numpy as np
        >>> reference = np.zeros((8, 8, 3), np.uint8)
        >>> [each.value for each in measure_candidates("psnr", {}, [reference + 255, reference], reference)]
        [0.0, inf]
    """
    record = find_measure(name)
    height, width = reference.shape[:2]
    reason = record.why_too_small(options, width + 2 * border_px, height + 2 * border_px, border_px)
    if reason is not None:
        return [Measured(unscored=reason) for _ in restored]

    def measure(images: Sequence[PixelValues]) -> list[Measured]:
        found = record.measure_arrays(images, reference, options, device, engine)
        return [Measured(value=value, warning=warning) for value, warning in found]

    groups = [restored] if record.each_form is not None else [[image] for image in restored]
    return [measured for group in groups for measured in _attempt(measure, group)]


def _attempt(
    measure: Callable[[Sequence[PixelValues]], list[Measured]], images: Sequence[PixelValues]
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
    """Make the record of what failed, and let go of what was in memory then."""
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


def score_pair(
    restored: Source,
    reference: Source,
    profile: Profile | str = "raim-2024",
    *,
    name: str = "",
    device: str = "cpu",
    engine: str = "auto",
) -> ImageScore:
    """Measure one restored image against its reference and join the measures to a SCORE.

    Args:
        restored: A file, a PIL image, or an array (h, w, 3) or (h, w), uint8, uint16 or float in [0, 1].
        reference: Of the same size.
        profile: The choices, or the name of a profile.
        name: How the record calls the image.
        device: "cpu", or a device of torch such as "cuda".
        engine: Of LPIPS and DISTS: "auto" (the faster exact one), "ncnn", "winograd", "torch", or "fast".

    Returns:
        The record; where a measure has no value, `unscored` says why and there is no score.

    Raises:
        ImageError: If a file cannot be used as it is.
        InputError: If the arrays are not images of the same size.
        UnscorableError: If one is grey and the other is not, or they are smaller than the profile's border.
        UnknownNameError: If there is no such profile.
        OutOfMemoryError: If memory runs out.

    Example:
        >>> reference = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
        >>> scored = score_pair(reference, reference, "raim-2024")
        >>> scored.values["psnr"], scored.values["ssim"], scored.values["dists"]
        (80.0, 1.0, 0.0)
    """
    chosen = find_profile(profile) if isinstance(profile, str) else profile
    chosen_engine = chosen.engine if engine == "auto" else engine
    restored_pixels, warnings = read_source(restored)
    pair = match_arrays(restored_pixels, read_source(reference)[0])
    check_pair(*pair)
    inner = [cut_border(image, chosen.border_px) for image in pair]
    measured = {
        choice.key: measure_candidates(
            choice.name,
            choice.options,
            inner[:1],
            inner[1],
            border_px=chosen.border_px,
            device=device,
            engine=chosen_engine,
        )[0]
        for choice in chosen.measures
    }
    for each in measured.values():
        if each.fault is not None:
            raise each.fault
    return join_measures(name, chosen, measured, warnings=warnings)


def join_measures(
    name: str,
    profile: Profile,
    measured: Mapping[str, Measured],
    *,
    scenario: str | None = None,
    warnings: Sequence[str] = (),
    is_expected: bool = True,
) -> ImageScore:
    """Make the record of one image from its measures by key; a missing or infinite one leaves it without a score.

    Example:
        >>> record = join_measures("0001", find_profile("raim-2024"), {
        ...     "psnr": Measured(value=math.inf), "ssim": Measured(value=1.0), "lpips": Measured(value=0.0),
        ...     "dists": Measured(value=0.0), "niqe": Measured(value=4.0)})
        >>> record.score, record.unscored
        (None, 'psnr: it is infinite, which no SCORE takes: the image is identical to its reference')
    """
    values: dict[str, float | None] = {choice.key: measured[choice.key].value for choice in profile.measures}
    reasons = [f"{key}: {record.unscored}" for key, record in measured.items() if record.unscored is not None]
    infinite = "it is infinite, which no SCORE takes: the image is identical to its reference"
    reasons += [
        f"{key}: {infinite}" for key, value in values.items() if value is not None and math.isinf(value)
    ]
    own = [f"{key}: {record.warning}" for key, record in measured.items() if record.warning is not None]
    numbers = {key: value for key, value in values.items() if value is not None}
    score = None if reasons else profile.score(numbers)
    if score is not None and not math.isfinite(score):
        score, reasons = None, ["score: it is no finite number under the weights of this profile"]
    return ImageScore(
        name=name,
        scenario=scenario,
        values={**values, "score": score},
        warnings=(*warnings, *own),
        unscored="; ".join(reasons) or None,
        failed=any(record.fault is not None for record in measured.values()),
        is_expected=is_expected,
    )


def check_size(name: str, pixels: PixelValues, expected: tuple[int, int]) -> None:
    """Refuse a restored file of another width and height than its reference."""
    height, width = pixels.shape[:2]
    if (width, height) != expected:
        raise UnscorableError(
            f"{name} is {width}x{height}, its reference {expected[0]}x{expected[1]}; they must be the same size"
        )


def cut_border(image: PixelValues, border_px: int) -> PixelValues:
    """Cut so many pixels off each side."""
    height, width = image.shape[:2]
    if min(height, width) <= 2 * border_px:
        raise UnscorableError(
            f"it is {width}x{height}; nothing is left once {border_px} px are cut off each side"
        )
    return np.ascontiguousarray(image[border_px : height - border_px, border_px : width - border_px])
