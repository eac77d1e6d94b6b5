"""What an image is to the measures: its shape, its type and its range, all stated or refused.

An image is an array (h, w, 3) of uint8 (white is 255), uint16 (white is 65535) or float32/float64 (white is 1). A
grey image is expanded to three equal channels before it is measured (`raim.scoring` does so when both sides are grey).
"""

import numpy as np
from jaxtyping import Float32, Shaped

from raim.errors import InputError

# Any shape: `check_image` refuses a wrong one by an InputError with the real values, which a narrower type, checked
# in the test run only, would hide.
PixelArray = Shaped[np.ndarray, "..."]

_WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "float64": 1.0}


def check_image(image: PixelArray, *, name: str = "image", data_range: float | None = None) -> None:
    """Refuse what is not an image.

    Args:
        image: (h, w, 3), uint8, uint16, float32 or float64.
        name: How the message calls it.
        data_range: The value of white; None for the type's own (255, 65535, 1).

    Raises:
        InputError: If the shape, the type or a value is not as stated.

    Example:
        >>> check_image(np.full((2, 2, 3), 1.5))
        Traceback (most recent call last):
        raim.errors.InputError: image has values from 1.5 to 1.5, expected 0 to 1; divide by its white level first
    """
    if not isinstance(image, np.ndarray):
        raise InputError(f"{name} is a {type(image).__name__}, expected a numpy array of shape (h, w, 3)")
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise InputError(
            f"{name} has shape {image.shape}, expected (h, w, 3); "
            "repeat a grey image three times, drop an alpha channel"
        )
    if str(image.dtype) not in _WHITE:
        raise InputError(f"{name} is of type {image.dtype}, expected one of {', '.join(_WHITE)}")
    if image.dtype.kind == "f" or data_range is not None:
        _check_range(image, name, white_level(image, data_range))


def check_pair(restored: PixelArray, reference: PixelArray, *, data_range: float | None = None) -> None:
    """Refuse two images that cannot be compared.

    Raises:
        InputError: If one is not an image (`check_image`), or their sizes or types differ.

    Example:
        >>> check_pair(np.zeros((2, 2, 3)), np.zeros((2, 4, 3)))
        Traceback (most recent call last):
        raim.errors.InputError: restored is 2x2, its reference 4x2; they must be the same size
    """
    check_image(restored, name="restored", data_range=data_range)
    check_image(reference, name="reference", data_range=data_range)
    if restored.shape != reference.shape:
        height, width = restored.shape[:2]
        raise InputError(
            f"restored is {width}x{height}, its reference {reference.shape[1]}x{reference.shape[0]}; "
            "they must be the same size"
        )
    if restored.dtype != reference.dtype:
        raise InputError(
            f"restored is {restored.dtype}, its reference {reference.dtype}; convert one of them, "
            "so that the value of white is the same"
        )


def white_level(image: PixelArray, data_range: float | None = None) -> float:
    """Give the value of white: the stated one, or the type's own.

    Raises:
        InputError: If the stated one is not positive.

    Example:
        >>> white_level(np.zeros((1, 1, 3), np.uint16)), white_level(np.zeros((1, 1, 3), np.uint16), 1023)
        (65535.0, 1023.0)
    """
    if data_range is None:
        return _WHITE[str(image.dtype)]
    if not (np.isfinite(data_range) and data_range > 0):
        raise InputError(f"data_range is {data_range}, expected the positive value of white, such as 255")
    return float(data_range)


def unit_rows(rows: PixelArray) -> Float32[np.ndarray, "rows w 3"]:
    """Scale rows of a checked image to [0, 1], in single precision, as convolutional trunks take them.

    Example:
        >>> unit_rows(np.full((1, 1, 3), 51, np.uint8))[0, 0].tolist()
        [0.20000000298023224, 0.20000000298023224, 0.20000000298023224]
    """
    unit = rows.astype(np.float32, order="C")  # kernels are compiled for this order
    if rows.dtype.kind != "f":
        unit /= np.float32(white_level(rows))
    return unit


def _check_range(image: PixelArray, name: str, white: float) -> None:
    low, high = float(image.min()), float(image.max())
    if np.isnan(low) or np.isnan(high):
        raise InputError(
            f"{name} holds values that are not numbers (NaN); a measure of it would have no meaning"
        )
    if low < 0 or high > white:
        raise InputError(
            f"{name} has values from {low:g} to {high:g}, expected 0 to {white:g}; divide by its white level first"
        )
