"""The gate that every result of a restorer passes, whoever runs it.

    no array of floats, or of another shape than is expected                          refused
    NaN or infinity anywhere                                                          refused
    a value beyond [-0.5, 1.5], or over 1 % of the values beyond [-0.1, 1.1]          refused: of another range
    else                                                                              clipped to [0, 1], float32

Nets overshoot a little at sharp edges; what goes further was made in 0..255 or -1..1, or by weights that diverged.
Where the range is known, of pinned weights and interpolations, all of it is overshoot and clipped, as their authors do:
on a page of text Real-ESRGAN has over 1 % of its values beyond [-0.1, 1.1], RealSR has some of 1.8.
"""

import numpy as np
from jaxtyping import Float32

from raim.errors import InputError
from raim.images import MAX_PIXELS

MOST_SCALE = 16  # of results whose scale nobody has stated
FAR = -0.5, 1.5
NEAR = -0.1, 1.1
MOST_BEYOND_NEAR = 0.01
EXPECTED = "expected floats (h, w, 3) in [0, 1]"


def check_result(
    result: object,
    image: Float32[np.ndarray, "_ _ 3"],
    *,
    name: str,
    scale: int | None,
    is_range_known: bool = False,
) -> Float32[np.ndarray, "_h _w 3"]:
    """Return what a restorer gave as float32 in [0, 1], or refuse it.

    Args:
        result: Anything.
        image: What it was made of.
        name: Of the restorer.
        scale: Size of the result over that of the image; None for any whole multiple up to 16.
        is_range_known: Whether all that lies outside [0, 1] is overshoot.

    Raises:
        InputError: It is refused, see above; the message has the likely cause and the way out.

    Example:
        >>> image = np.zeros((8, 8, 3), np.float32)
        >>> float(check_result(image + 1.05, image, name="mine", scale=1).max())
        1.0
        >>> check_result(image + 200, image, name="mine", scale=1)
        Traceback (most recent call last):
        raim.errors.InputError: mine gave values from 200 to 200, expected [0, 1]; they look like 0..255: divide ...
    """
    values = _as_floats(result, name)
    _check_size(values, image, name, scale)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        n_broken = values.size - np.count_nonzero(np.isfinite(values))
        raise InputError(
            f"{name} gave NaN or infinity ({n_broken / values.size:.2%} of the values); most likely its numbers "
            "overflowed in half precision (compute in float32) or its weights diverged (take an earlier checkpoint)"
        )
    is_far = low < FAR[0] or high > FAR[1]
    if not is_range_known and (is_far or np.mean((values < NEAR[0]) | (values > NEAR[1])) > MOST_BEYOND_NEAR):
        raise InputError(
            f"{name} gave values from {low:.4g} to {high:.4g}, expected [0, 1]; {_guess_range(low, high)}"
        )
    if low < 0 or high > 1:
        values = np.clip(values, 0, 1)
    return np.ascontiguousarray(values, np.float32)


def _as_floats(result: object, name: str) -> np.ndarray:
    try:
        values = np.asarray(result)
    except Exception as error:
        raise InputError(
            f"{name} gave {type(result).__name__}, not an array ({error}); {EXPECTED}"
        ) from error
    if values.dtype.kind == "f" and values.ndim == 3 and values.shape[2] == 3:
        return values
    kind = values.dtype if isinstance(result, np.ndarray) else type(result).__name__
    raise InputError(f"{name} gave {kind} of shape {values.shape}; {EXPECTED}{_suggest(values)}")


def _suggest(values: np.ndarray) -> str:
    if values.dtype.kind in "iu":
        return ": divide by the largest possible value, 255 for 8 bits"
    if values.ndim == 4:
        return ": take the first of the batch"
    if values.ndim == 3 and len(values) == 3:
        return ": move the channels to the end"
    return ": leave out the alpha" if values.shape[2:] == (4,) else ""


def _check_size(values: np.ndarray, image: np.ndarray, name: str, scale: int | None) -> None:
    height, width = image.shape[:2]
    found = values.shape[0] // height
    is_right = found == scale if scale is not None else 1 <= found <= MOST_SCALE
    if not is_right or values.shape[:2] != (height * found, width * found):
        wanted = (
            f"the same size, or a whole multiple up to {MOST_SCALE}"
            if scale is None
            else f"{width * scale}x{height * scale}"
        )
        raise InputError(
            f"{name} gave {values.shape[1]}x{values.shape[0]} for {width}x{height}; expected {wanted}"
        )
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise InputError(
            f"{name} gave {values.shape[1]}x{values.shape[0]} pixels, more than {MAX_PIXELS // 10**6} megapixels"
        )


def _guess_range(low: float, high: float) -> str:
    """Guess what range was meant, and say what brings it to [0, 1]."""
    if high > FAR[1] and low >= -0.1 * high:
        return "they look like 0..255: divide by the largest possible value"
    if FAR[0] - 1 <= low < NEAR[0] and high <= NEAR[1]:
        return "they look like -1..1: take (x + 1) / 2"
    return "clip them if it merely overshoots; else check its range, and whether its weights diverged"
