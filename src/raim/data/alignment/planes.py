"""The planes that the alignment works on: brightness in [0, 1], smoothed or stretched to 8 bits where a method asks."""

import importlib
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from raim.images.picture import PixelArray

# Encoded values in [0, 1]; any size, since input and reference differ.
Plane = Float32[np.ndarray, "_ _"]
Colour = Float32[np.ndarray, "_ _ channels"]

LUMA = (0.299, 0.587, 0.114)  # ITU-T T.871 (JFIF), section 7


def load_opencv() -> Any:
    """Load OpenCV, at first use; that it is installed was looked for when the package was imported.

    Example:
        >>> hasattr(load_opencv(), "SIFT_create")
        True
    """
    return importlib.import_module("cv2")


def to_colour(pixels: PixelArray) -> Colour:
    """Give encoded values in [0, 1], (h, w, 3) or of grey pixels (h, w, 1).

    Example:
        >>> to_colour(np.array([[0, 255]], np.uint8))[..., 0].tolist()
        [[0.0, 1.0]]
    """
    values = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return values if values.ndim == 3 else values[..., None]


def to_pixels(colour: Colour, like: np.dtype) -> PixelArray:
    """Round encoded values to integers of a type; one channel becomes (h, w).

    Example:
        >>> to_pixels(np.array([[[0.5], [2.0]]], np.float32), np.dtype(np.uint8)).tolist()
        [[128, 255]]
    """
    top = np.iinfo(like).max
    pixels = np.rint(np.clip(colour, 0, 1) * np.float32(top)).astype(like)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def to_luma(colour: Colour) -> Plane:
    """Give the brightness.

    Example:
        >>> to_luma(np.ones((1, 1, 3), np.float32)).round(4).tolist()
        [[1.0]]
    """
    if colour.shape[2] == 1:
        return np.ascontiguousarray(colour[..., 0])
    red, green, blue = (colour[..., channel] * np.float32(LUMA[channel]) for channel in range(3))
    return red + green + blue


def smooth(plane: np.ndarray, sigma_px: float) -> np.ndarray:
    """Blur by a Gaussian; edges are mirrored. A sigma of 0 changes nothing."""
    if sigma_px <= 0:
        return plane
    cv2 = load_opencv()
    # OpenCV drops a last axis of one channel.
    return cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101).reshape(plane.shape)


def stretch(plane: Plane) -> UInt8[np.ndarray, "_ _"]:
    """Stretch the range between the 0.1st and 99.9th percentile to 8 bits.

    Example:
        >>> stretch(np.linspace(0.4, 0.6, 1000, dtype=np.float32)[None])[0, [0, 500, 999]].tolist()
        [0, 128, 255]
    """
    sample = plane[:: max(1, plane.shape[0] // 1000), :: max(1, plane.shape[1] // 1000)]
    low, high = np.percentile(sample, (0.1, 99.9))
    scaled = (plane - np.float32(low)) * np.float32(255 / max(high - low, 1e-3))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
