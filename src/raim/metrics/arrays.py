"""What an image is to the measures: its shape, its type and its range, all stated or refused.

An image is an array (h, w, 3) of uint8 (white is 255), uint16 (white is 65535) or float32/float64 (white is 1). A
grey image is expanded to three equal channels before it is measured (`raim.scoring` does so when both sides are grey).

A batch of images is a tensor of torch (b, 3, h, w) of float32 or float64 with white at 1, on any device. Its values are
not checked: that would wait for the device, and what a network gives leaves [0, 1] at times.
"""

from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from raim.errors import InputError, UnscorableError

# Any shape: `check_image` refuses a wrong one by an InputError with the real values, which a narrower type, checked
# in the test run only, would hide.
PixelValues = Shaped[np.ndarray, "..."]
Tensor = Any  # of torch, which is imported where tensors are measured only
Batch = Shaped[Tensor, "..."]

BYTE_STEPS = 65535 // 255  # of 16 bits to one of 8: white is white, exactly
_WHITE = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0, "float64": 1.0}


def check_image(image: PixelValues, *, name: str = "image", data_range: float | None = None) -> None:
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


def check_pair(restored: PixelValues, reference: PixelValues, *, data_range: float | None = None) -> None:
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


def check_batches(**batches: Batch) -> None:
    """Refuse tensors that are no batches of images, or that cannot be compared.

    Args:
        batches: One, or the restored ones and their references, by what the message calls them.

    Raises:
        InputError: If shape or type of one are not as stated, or their sizes, types or devices differ.

    Example:
        >>> import torch
        >>> check_batches(images=torch.zeros(1, 2, 2, 3))
        Traceback (most recent call last):
        raim.errors.InputError: images has shape (1, 2, 2, 3), expected (b, 3, h, w)
        >>> check_batches(restored=torch.zeros(1, 3, 2, 2), reference=torch.zeros(2, 3, 2, 2))
        Traceback (most recent call last):
        raim.errors.InputError: restored is torch.float32 of shape (1, 3, 2, 2) on cpu, reference is torch.float32 of
        shape (2, 3, 2, 2) on cpu; they must agree
    """
    for name, images in batches.items():
        if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
            raise InputError(f"{name} has shape {tuple(images.shape)}, expected (b, 3, h, w)")
        if str(images.dtype) not in {"torch.float32", "torch.float64"}:
            raise InputError(
                f"{name} is of type {images.dtype}, expected torch.float32 or torch.float64 in [0, 1]"
            )
    kinds = {
        name: f"{images.dtype} of shape {tuple(images.shape)} on {images.device}"
        for name, images in batches.items()
    }
    if len(set(kinds.values())) > 1:
        raise InputError(f"{', '.join(f'{name} is {kind}' for name, kind in kinds.items())}; they must agree")


def white_level(image: PixelValues, data_range: float | None = None) -> float:
    """Return the value of white: the stated one, or the type's own.

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


def match_arrays(restored: PixelValues, reference: PixelValues) -> tuple[PixelValues, PixelValues]:
    """Bring two images to the same form: grey to three equal channels, and both to the type that holds either.

    Raises:
        UnscorableError: If one is grey and the other is not.

    Example:
        >>> restored, reference = match_arrays(np.full((4, 4), 255, np.uint8), np.zeros((4, 4), np.uint16))
        >>> restored.shape, restored.dtype, restored[0, 0, 0]
        ((4, 4, 3), dtype('uint16'), np.uint16(65535))
    """
    check_channels(restored, reference)
    dtype = common_type(restored, reference)
    return convert_image(restored, dtype), convert_image(reference, dtype)


def check_channels(restored: PixelValues, reference: PixelValues) -> None:
    """Refuse grey against colour.

    Raises:
        UnscorableError: If one is grey and the other is not.
    """
    if restored.ndim != reference.ndim:
        kinds = {2: "grey", 3: "colour"}
        raise UnscorableError(
            f"it is {kinds.get(restored.ndim, 'no image')}, its reference {kinds.get(reference.ndim, 'no image')}; "
            "save it with the reference's channels"
        )


def common_type(restored: PixelValues, reference: PixelValues) -> np.dtype[Any]:
    """Choose the type of pixel that holds both images exactly, or as floats in [0, 1].

    Example:
        >>> common_type(np.zeros(1, np.uint8), np.zeros(1, np.float32))
        dtype('float64')
    """
    types = {restored.dtype, reference.dtype}
    if len(types) == 1:
        return restored.dtype
    return np.dtype(np.uint16 if types == {np.dtype(np.uint8), np.dtype(np.uint16)} else np.float64)


def convert_image(image: PixelValues, dtype: np.dtype[Any]) -> PixelValues:
    """Expand grey to three equal channels, and bring an image to a type of `common_type`.

    Raises:
        InputError: It is no image.
    """
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, 2)
    if image.dtype == dtype:
        return image
    check_image(image)
    return image * np.uint16(BYTE_STEPS) if dtype == np.uint16 else image / white_level(image)


def unit_rows(rows: PixelValues) -> Float32[np.ndarray, "rows w 3"]:
    """Scale rows of a checked image to [0, 1], in single precision, as convolutional backbones take them.

    Example:
        >>> unit_rows(np.full((1, 1, 3), 51, np.uint8))[0, 0].tolist()
        [0.20000000298023224, 0.20000000298023224, 0.20000000298023224]
    """
    unit = rows.astype(np.float32, order="C")  # kernels are compiled for this order
    if rows.dtype.kind != "f":
        unit /= np.float32(white_level(rows))
    return unit


def _check_range(image: PixelValues, name: str, white: float) -> None:
    low, high = float(image.min()), float(image.max())
    if np.isnan(low) or np.isnan(high):
        raise InputError(
            f"{name} holds values that are not numbers (NaN); a measure of it would have no meaning"
        )
    if low < 0 or high > white:
        raise InputError(
            f"{name} has values from {low:g} to {high:g}, expected 0 to {white:g}; divide by its white level first"
        )
