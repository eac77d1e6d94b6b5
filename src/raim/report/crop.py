"""The part of a photograph that a page shows pixel by pixel, and how pixels are brought to 8-bit RGB for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from raim.images import Picture

Pixels8 = UInt8[np.ndarray, "_ _ 3"]  # any size: crops, thumbnails and wholes pass through one function

THUMBNAIL_PX = 176


@dataclass(frozen=True, kw_only=True, slots=True)
class Crop:
    """A rectangle of whole pixels: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, pixels: Pixels8) -> Pixels8:
        """Return the pixels within, unchanged."""
        return np.ascontiguousarray(pixels[self.y : self.y + self.height, self.x : self.x + self.width])


def show_pixels(picture: Picture) -> Pixels8:
    """Bring a picture to the (h, w, 3) uint8 that a page shows: grey in three channels, 16 bits to the nearest of 8.

    Example:
        >>> show_pixels(Picture(pixels=np.full((1, 1), 65535, np.uint16))).tolist()
        [[[255, 255, 255]]]
    """
    pixels = picture.pixels
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return np.ascontiguousarray(pixels)


def difference(
    restored: UInt8[np.ndarray, "h w 3"], reference: UInt8[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "h w"]:
    """Return the absolute difference of two images of one size, averaged over the channels, in levels of 255."""
    total = np.zeros(reference.shape[:2], np.float32)
    for channel in range(3):
        total += np.abs(restored[..., channel].astype(np.int16) - reference[..., channel])
    return total / 3


def choose_crop(differences: Float32[np.ndarray, "h w"], side_px: int) -> Crop:
    """Choose the rectangle of at most `side_px` by `side_px` where the differences add up to most.

    Of equal sums the topmost, then the leftmost wins; a smaller image is taken whole.

    Example:
        >>> differences = np.zeros((6, 8), np.float32)
        >>> differences[4, 7] = 1
        >>> choose_crop(differences, 2)
        Crop(x=6, y=3, width=2, height=2)
    """
    height, width = differences.shape
    crop_height, crop_width = min(height, side_px), min(width, side_px)
    sums = np.zeros((height + 1, width + 1), np.float64)
    np.cumsum(differences, axis=0, dtype=np.float64, out=sums[1:, 1:])
    np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
    inside = (
        sums[crop_height:, crop_width:]
        - sums[:-crop_height, crop_width:]
        - sums[crop_height:, :-crop_width]
        + sums[:-crop_height, :-crop_width]
    )
    # Rounding of the sums must not decide between equal rectangles.
    y, x = np.unravel_index(int(np.argmax(np.round(inside, 3))), inside.shape)
    return Crop(x=int(x), y=int(y), width=crop_width, height=crop_height)


def scale_to_size(pixels: Pixels8, width: int, height: int) -> Pixels8:
    """Bring an input of another size to a size by repeating (or leaving out) whole pixels, inventing none.

    Example:
        >>> scale_to_size(np.array([[[1, 1, 1], [9, 9, 9]]], np.uint8), 4, 1)[0, :, 0].tolist()
        [1, 1, 9, 9]
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    return repeat_pixels(pixels, np.arange(height), np.arange(width), (height, width))


def repeat_pixels(pixels: Pixels8, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, ...]) -> Pixels8:
    """Return the pixels that lie at rows and columns of the same picture in another size.

    Args:
        pixels: (h, w, 3).
        rows: Of the other size.
        columns: Of the other size.
        shape: Height and width of the other size, first of all.

    Example:
        >>> pair = np.array([[[1, 1, 1], [9, 9, 9]]], np.uint8)
        >>> repeat_pixels(pair, np.array([0]), np.array([1, 2]), (2, 4))[0, :, 0].tolist()
        [1, 9]
    """
    own_rows = rows * pixels.shape[0] // shape[0]
    own_columns = columns * pixels.shape[1] // shape[1]
    return np.ascontiguousarray(pixels[own_rows[:, None], own_columns])


def shrink(pixels: Pixels8, side_px: int = THUMBNAIL_PX) -> Pixels8:
    """Return a small copy of a whole picture, its longer side at most `side_px`.

    Example:
        >>> shrink(np.zeros((300, 600, 3), np.uint8), 100).shape
        (50, 100, 3)
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(image)


def add_differences(restored: Sequence[Pixels8], reference: Pixels8) -> Float32[np.ndarray, "h w"]:
    """Add the differences of several restored images from their reference."""
    total = np.zeros(reference.shape[:2], np.float32)
    for pixels in restored:
        total += difference(pixels, reference)
    return total
