"""What a comparison page shows of one photograph: before and after, of one size, pixel for pixel.

A large photograph is cut to the part that the restorer changed most. Where it enlarged, each pixel of the input is
repeated, so that nothing is invented before, and both show the same place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from raim.images import Picture, PixelArray, read_image
from raim.report.crop import Crop, Pixels8, choose_crop, difference, repeat_pixels, show_pixels
from raim.report.embedding import encode_lossless, write_uri
from raim.restore.invention import Invention, find_invention

MARK_COLOUR = 255, 0, 200  # rare in photographs
TINT = 56  # of 255
LINE_PX = 2
# The part that changed most is searched for on a grid of at most so many pixels a side, to bound the memory.
SEARCH_PX = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One photograph before and after.

    Attributes:
        name: Of its file.
        before: Reads the pixels (h, w, 3) or (h, w) of the input, upright; called when it is this one's turn, so that
            one photograph at a time is in memory.
        after: The restored file, of a whole multiple of the input's size.
        notes: What the restorer measured and chose.
        is_guarded: Whether the places are marked that do not follow from the input, see `raim.restore.invention`.
    """

    name: str
    before: Callable[[], PixelArray]
    after: Path
    notes: tuple[str, ...] = ()
    is_guarded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedPicture:
    """What the page shows of a photograph.

    Attributes:
        name: Of its file.
        before_uri: Lossless picture of the input.
        after_uri: Lossless picture of the restored, of the same size.
        crop: The part of the restored photograph that both show.
        before_size: Width and height of the whole input.
        after_size: Width and height of the whole restored photograph.
        is_deep: Whether 16 bits are shown in 8.
        notes: What the restorer measured and chose.
        marks_uri: Lossless picture of the same size that marks the places which do not follow from the input, clear
            elsewhere; empty where there are none in this part.
    """

    name: str
    before_uri: str
    after_uri: str
    crop: Crop
    before_size: tuple[int, int]
    after_size: tuple[int, int]
    is_deep: bool
    notes: tuple[str, ...]
    marks_uri: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all of the photograph is shown."""
        return (self.crop.width, self.crop.height) == self.after_size


def choose_changed_part(before: Pixels8, after: Pixels8, side_px: int) -> Crop:
    """Choose the part of a restored photograph of at most `side_px` a side that differs most from its input.

    Args:
        before: The input, (h, w, 3).
        after: The restored, (H, W, 3).
        side_px: Longest side of the part.

    Example:
        >>> before = np.zeros((4, 6, 3), np.uint8)
        >>> after = before.repeat(2, 0).repeat(2, 1)
        >>> after[0, 11] = 255
        >>> choose_changed_part(before, after, 4)
        Crop(x=8, y=0, width=4, height=4)
    """
    height, width = after.shape[:2]
    step = -(-max(height, width) // SEARCH_PX)
    rows, columns = np.arange(0, height, step), np.arange(0, width, step)
    grid = difference(
        repeat_pixels(before, rows, columns, after.shape), np.ascontiguousarray(after[rows[:, None], columns])
    )
    found = choose_crop(grid, max(1, side_px // step))
    own_width, own_height = min(width, side_px), min(height, side_px)
    return Crop(
        x=min(found.x * step, width - own_width),
        y=min(found.y * step, height - own_height),
        width=own_width,
        height=own_height,
    )


def show_comparison(entry: Comparison, *, side_px: int) -> ComparedPicture:
    """Prepare a photograph for the page.

    Args:
        entry: The photograph.
        side_px: Longest side of what is shown of it.

    Raises:
        ImageError: One of its files cannot be read any more.
    """
    restored = read_image(entry.after, purpose="restore")
    before, after = show_pixels(Picture(pixels=entry.before())), show_pixels(restored)
    invention = find_invention(before, after) if entry.is_guarded else None
    crop = choose_changed_part(before, after, side_px)
    rows = np.arange(crop.y, crop.y + crop.height)
    columns = np.arange(crop.x, crop.x + crop.width)
    shown = repeat_pixels(before, rows, columns, after.shape)
    return ComparedPicture(
        name=entry.name,
        before_uri=write_uri(encode_lossless(shown, icc_profile=restored.icc_profile)),
        after_uri=write_uri(encode_lossless(crop.cut(after), icc_profile=restored.icc_profile)),
        crop=crop,
        before_size=(before.shape[1], before.shape[0]),
        after_size=(after.shape[1], after.shape[0]),
        is_deep=restored.pixels.dtype == np.uint16,
        notes=entry.notes,
        marks_uri="" if invention is None else mark_invention(invention, crop),
    )


def mark_invention(invention: Invention, crop: Crop) -> str:
    """Draw the blocks of a part that do not follow from the input: tinted, and framed where they end.

    Args:
        invention: Of the whole photograph.
        crop: The part.

    Returns:
        A picture of the part's size as an address, empty if it has no such block.

    Example:
        >>> invention = Invention(added=np.eye(3, dtype=np.float32), threshold=0.5, block_px=16)
        >>> mark_invention(invention, Crop(x=16, y=0, width=16, height=16))
        ''
        >>> mark_invention(invention, Crop(x=0, y=0, width=48, height=48))[:22]
        'data:image/webp;base64'
    """
    places = [
        np.arange(start - LINE_PX, start + length + LINE_PX) // invention.block_px
        for start, length in ((crop.y, crop.height), (crop.x, crop.width))
    ]
    # Beyond the blocks, and beyond the photograph, nothing is marked.
    padded = np.pad(invention.mask, 1)
    rows, columns = (
        np.clip(place + 1, 0, side - 1) for place, side in zip(places, padded.shape, strict=True)
    )
    wide = padded[rows[:, None], columns]
    own = slice(LINE_PX, -LINE_PX), slice(LINE_PX, -LINE_PX)
    marked = wide[own]
    if not marked.any():
        return ""
    height, width = wide.shape
    inner = np.logical_and.reduce(
        [
            wide[LINE_PX + down : height - LINE_PX + down, LINE_PX + right : width - LINE_PX + right]
            for down in (-LINE_PX, 0, LINE_PX)
            for right in (-LINE_PX, 0, LINE_PX)
        ]
    )
    pixels = np.zeros((*marked.shape, 4), np.uint8)
    pixels[marked] = (*MARK_COLOUR, TINT)
    pixels[marked & ~inner] = (*MARK_COLOUR, 255)
    return write_uri(encode_lossless(pixels))
