"""From the pixels of files to what restorers take, and back: types, ranges, grey; and their sizes."""

import itertools

import numpy as np
from jaxtyping import Float32
from PIL import Image

from raim.errors import InputError
from raim.restore.descriptor import SMALLEST_SIDE_PX, Photograph

# (h, w, 3) RGB or (h, w) grey; uint8, uint16, or float in [0, 1].
AnyPixels = np.ndarray


def to_photograph(image: AnyPixels) -> Photograph:
    """Bring pixels to float32 (h, w, 3) in [0, 1]; grey is repeated three times.

    Raises:
        InputError: The array is none of the stated ones, or smaller than 8x8.

    Example:
        >>> to_photograph(np.full((8, 8), 51, np.uint8))[0, 0]
        array([0.2, 0.2, 0.2], dtype=float32)
    """
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise InputError(f"the image has the shape {image.shape}; expected (h, w, 3) RGB or (h, w) grey")
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST_SIDE_PX:
        raise InputError(
            f"the image is {width}x{height}; restorers need at least {SMALLEST_SIDE_PX}x{SMALLEST_SIDE_PX} pixels"
        )
    values = _to_float(image)
    return np.repeat(values[..., None], 3, axis=2) if image.ndim == 2 else values


def _to_float(image: AnyPixels) -> AnyPixels:
    if image.dtype in (np.uint8, np.uint16):
        return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    if image.dtype not in (np.float32, np.float64):
        raise InputError(f"the image is {image.dtype}; expected uint8, uint16, or float in [0, 1]")
    if not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise InputError(
            f"the float image has values from {image.min():g} to {image.max():g}; expected [0, 1]: "
            "divide by the largest possible value"
        )
    return image.astype(np.float32)


def from_photograph(restored: Photograph, like: AnyPixels) -> AnyPixels:
    """Bring what a restorer gave, in [0, 1], to the type and channels of the input, rounded to nearest.

    Example:
        >>> from_photograph(np.full((8, 8, 3), 0.2, np.float32), np.zeros((8, 8), np.uint8))[0, :3]
        array([51, 51, 51], dtype=uint8)
    """
    values = restored.mean(axis=2) if like.ndim == 2 else restored
    if like.dtype.kind == "f":
        return values.astype(like.dtype)
    values = values * np.float32(np.iinfo(like.dtype).max)
    return np.rint(values, out=values).astype(like.dtype)


def sum_blocks(pixels: AnyPixels, factor: int) -> Float32[np.ndarray, "_h _w *colours"]:
    """Sum blocks of factor x factor pixels, of any kind, in float32; what makes no whole block is left out.

    Example:
        >>> sum_blocks(np.array([[0, 4, 7], [2, 2, 7]], np.uint8), 2)
        array([[8.]], dtype=float32)
    """
    height, width = (side // factor for side in pixels.shape[:2])
    total = np.zeros((height, width, *pixels.shape[2:]), np.float32)
    for row, column in itertools.product(range(factor), repeat=2):
        total += pixels[row : height * factor : factor, column : width * factor : factor]
    return total


def resize_channel(
    channel: Float32[np.ndarray, "_h _w"], height: int, width: int, kind: Image.Resampling
) -> Float32[np.ndarray, "{height} {width}"]:
    """Resize by one of Pillow's filters, antialiased where it shrinks.

    Example:
        >>> resize_channel(np.ones((8, 9), np.float32), 4, 27, Image.Resampling.LANCZOS).shape
        (4, 27)
    """
    if channel.shape == (height, width):
        return channel
    image = Image.fromarray(np.ascontiguousarray(channel))
    return np.asarray(image.resize((width, height), kind))
