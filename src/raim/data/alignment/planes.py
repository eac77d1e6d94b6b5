"""The planes that the alignment works on: brightness in [0, 1], smoothed or stretched to 8 bits where a method asks."""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from raim.data.camera.arrays import TO_LUMA
from raim.images.picture import PixelArray

# Encoded values in [0, 1]; any size, since input and reference differ.
Plane = Float32[np.ndarray, "_ _"]
Colour = Float32[np.ndarray, "_ _ channels"]


def to_colour(pixels: PixelArray) -> Colour:
    """Return encoded values in [0, 1], (h, w, 3) or of grey pixels (h, w, 1)."""
    values = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return values if values.ndim == 3 else values[..., None]


def to_pixels(colour: Colour, like: np.dtype) -> PixelArray:
    """Return encoded values as integers of a type; one channel becomes (h, w)."""
    top = np.iinfo(like).max
    pixels = np.rint(np.clip(colour, 0, 1) * np.float32(top)).astype(like)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def to_luma(colour: Colour) -> Plane:
    """Return the brightness."""
    if colour.shape[2] == 1:
        return np.ascontiguousarray(colour[..., 0])
    red, green, blue = (colour[..., channel] * np.float32(TO_LUMA[0, channel]) for channel in range(3))
    return red + green + blue


def smooth(plane: np.ndarray, sigma_px: float) -> np.ndarray:
    """Return a plane blurred by a Gaussian; edges are mirrored. A sigma of 0 changes nothing."""
    if sigma_px <= 0:
        return plane
    # OpenCV drops a last axis of one channel.
    return cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101).reshape(plane.shape)


def stretch(plane: Plane) -> UInt8[np.ndarray, "_ _"]:
    """Return a plane with the range between the 0.1st and 99.9th percentile stretched to 8 bits."""
    sample = plane[:: max(1, plane.shape[0] // 1000), :: max(1, plane.shape[1] // 1000)]
    low, high = np.percentile(sample, (0.1, 99.9))
    scaled = (plane - np.float32(low)) * np.float32(255 / max(high - low, 1e-3))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def draw_window(height: int, width: int) -> Float64[np.ndarray, "{height} {width}"]:
    """Return a Hann window without its zeros."""
    return np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])


def apply_window(values: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return values less their weighted mean, times a window, so that their transform does not see the border."""
    exact = values.astype(np.float64)
    return (exact - np.average(exact, weights=window)) * window


def measure_noise(values: np.ndarray) -> float:
    """Return the standard deviation of values about 0, as far as they are normal: outliers hardly count."""
    return 1.4826 * float(np.median(np.abs(values)))
