"""Whether a photograph can be restored here: the pixels that are made in between, and the memory that it takes.

`--reduction 1` of a net that enlarges four times makes sixteen times the pixels before it comes back to the size of
the input: said and refused before the work. Nets that are run in tiles or strips take little beside their result.
"""

import math

from raim.errors import InputError
from raim.images import MAX_PIXELS
from raim.processes import available_memory
from raim.restore.descriptor import Restorer

# The result in float32, a copy as it is joined, clipped or resized, and what is written: measured with bicubic-x4.
BYTES_PER_PIXEL = 36


def check_capacity(restorer: Restorer, height: int, width: int, *, tile_px: int | None = None) -> None:
    """Refuse, before the work, what would be too large to be written and read again, or for the memory that is free.

    Raises:
        InputError: A result, or what is made on the way, would have more than 120 megapixels, or not fit into memory.

    Example:
        >>> from raim.restore import find_restorer
        >>> check_capacity(find_restorer("bicubic-x4", reduction=1), 4000, 6000)
        Traceback (most recent call last):
        raim.errors.InputError: bicubic-x4 would make 24000x16000 pixels of 6000x4000, more than 120 megapixels ...
    """
    needed = estimate_memory(restorer, height, width, tile_px=tile_px)
    _check_pixels(restorer, height, width, needed)
    free = available_memory()
    if needed > free:
        way_out = "smaller tiles" if tile_px is not None else "--tile or a larger --reduction"
        raise InputError(
            f"{restorer.name} would take about {say_memory(needed)} of memory for {width}x{height}, "
            f"{say_memory(free)} are free; take {way_out}, or make the photograph smaller"
        )


def _check_pixels(restorer: Restorer, height: int, width: int, needed: float) -> None:
    high, wide = height * restorer.scale, width * restorer.scale
    if high * wide > MAX_PIXELS:
        raise InputError(
            f"{restorer.name} would make {wide}x{high} pixels of {width}x{height}, more than "
            f"{MAX_PIXELS // 10**6} megapixels (about {say_memory(needed)} of memory); take a larger --reduction, "
            "which keeps the size"
        )
    for size, part in restorer.parts:
        _check_pixels(part, math.ceil(height * size), math.ceil(width * size), needed)


def estimate_memory(restorer: Restorer, height: int, width: int, *, tile_px: int | None = None) -> float:
    """Estimate the bytes that restoring takes at the most, without those of a net that is run in tiles.

    Example:
        >>> from raim.restore import find_restorer
        >>> say_memory(estimate_memory(find_restorer("bicubic-x4", reduction=1), 2000, 3000))
        '3.7 GB'
    """
    own = float(BYTES_PER_PIXEL * height * width * restorer.scale**2)
    if restorer.whole_memory is not None and (tile_px is None or not restorer.can_tile):
        own += restorer.whole_memory(height, width)
    inner = (
        estimate_memory(part, math.ceil(height * size), math.ceil(width * size), tile_px=tile_px)
        for size, part in restorer.parts
    )
    return own + max(inner, default=0.0)


def find_whole(restorer: Restorer) -> list[Restorer]:
    """List the restorers within one, itself among them, whose nets see whole photographs at once."""
    inner = [whole for _, part in restorer.parts for whole in find_whole(part)]
    return inner if restorer.whole_memory is None else [restorer, *inner]


def say_memory(n_bytes: float) -> str:
    """Return an amount of memory in words.

    Example:
        >>> say_memory(2.5e9), say_memory(3e6)
        ('2.5 GB', '3 MB')
    """
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 0.95e9 else f"{n_bytes / 1e6:.0f} MB"
