"""Several candidates of one photograph measured together: values, or the reason why there is none."""

import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from raim.errors import RaimError, UnexpectedError, UnscorableError, item_error
from raim.metrics import find_measure
from raim.metrics.arrays import PixelArray
from raim.metrics.record import Options


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
    record = find_measure(name)
    height, width = reference.shape[:2]
    reason = record.why_too_small(options, width + 2 * border_px, height + 2 * border_px, border_px)
    if reason is not None:
        return [Measured(unscored=reason) for _ in restored]

    def measure(images: Sequence[PixelArray]) -> list[Measured]:
        found = record.measure_arrays(images, reference, options, device)
        return [Measured(value=value, warning=warning) for value, warning in found]

    groups = [restored] if record.each_form is not None else [[image] for image in restored]
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
