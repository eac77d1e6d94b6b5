"""Tiles that join without a seam: each sees more than it gives, and neighbours fade into one another.

Along each axis a photograph is cut into parts of about equal length. A tile reads its part, half a ramp beyond
it, and `overlap` pixels beyond that. Its result counts with weight 1 in the part, falls linearly to 0 over the
ramp, and the overlap (where the net misses what lies outside) is dropped. The weights of neighbours add up
to exactly 1, so nothing has to be divided.
"""

import contextlib
import dataclasses
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float32

from raim.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
Image = Float32[np.ndarray, "_h _w _c"]  # in any order of memory
Network = Callable[[Image], Image]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tiling:
    """How a net wants its tiles; all in pixels of its input.

    Attributes:
        tile_px: Longest side of a tile, its overlaps included.
        overlap_px: Read on each side and dropped.
        ramp_px: Length over which neighbours fade; even.
        multiple: Sides of tiles are multiples of this.
        border_px: The photograph is reflected this far at its borders before it is cut into tiles.
        scale: Size of the result over that of the input.
        is_full: Whether tiles read on to `tile_px` where the photograph goes on, for nets that know one size best.
    """

    tile_px: int
    overlap_px: int
    ramp_px: int = 8
    multiple: int = 1
    border_px: int = 0
    scale: int = 1
    is_full: bool = False

    def with_tile(self, tile_px: int | None) -> "Tiling":
        """Return the same with tiles of another size; None leaves it as it is."""
        if tile_px is None:
            return self
        return dataclasses.replace(self, tile_px=tile_px - tile_px % self.multiple)


@dataclass(frozen=True, kw_only=True, slots=True)
class TileSpan:
    """One part along one axis, in pixels of the input.

    Attributes:
        read: What the tile sees, (start, stop).
        kept: What counts of it, (start, stop), ramps included.
        fade_in: Length of the ramp at the start; 0 at the border.
        fade_out: Length of the ramp at the end.
    """

    read: tuple[int, int]
    kept: tuple[int, int]
    fade_in: int
    fade_out: int

    def cut(self, scale: int) -> slice:
        """Return where what counts lies in the tile's result."""
        return slice((self.kept[0] - self.read[0]) * scale, (self.kept[1] - self.read[0]) * scale)

    def place(self, scale: int) -> slice:
        """Return where it goes in the whole result."""
        return slice(self.kept[0] * scale, self.kept[1] * scale)


def split_axis(length: int, tiling: Tiling) -> list[TileSpan]:
    """Cut one axis into spans.

    Args:
        length: Pixels along the axis, a multiple of `tiling.multiple`.
        tiling: How the net wants its tiles.

    Raises:
        InputError: The tile is hardly longer than what it drops.

    Example:
        >>> [span.read for span in split_axis(20, Tiling(tile_px=12, overlap_px=2, ramp_px=2))]
        [(0, 11), (5, 15), (9, 20)]
    """
    lost = 2 * tiling.overlap_px + tiling.ramp_px
    # A part must be longer than a ramp and the rounding of its ends, or three tiles would meet in one place.
    least = lost + tiling.ramp_px + 2 * tiling.multiple
    if tiling.tile_px < least and length > tiling.tile_px:
        raise InputError(
            f"tiles of {tiling.tile_px} pixels are too small: {lost} of them are overlap; take at least {2 * least}"
        )
    if length <= tiling.tile_px:
        return [TileSpan(read=(0, length), kept=(0, length), fade_in=0, fade_out=0)]
    n_parts = math.ceil((length - lost) / (tiling.tile_px - lost))
    # The outermost tiles lose nothing at the border, so that their parts are longer and all tiles of one size.
    step = (length - lost) / n_parts
    inner = [_round(lost / 2 + index * step, tiling.multiple) for index in range(1, n_parts)]
    cuts = [0, *inner, length]
    return [_make_span(cuts[i], cuts[i + 1], length, tiling) for i in range(n_parts)]


def _round(position: float, multiple: int) -> int:
    return round(position / multiple) * multiple


def _make_span(start: int, stop: int, length: int, tiling: Tiling) -> TileSpan:
    half = tiling.ramp_px // 2
    kept = (max(0, start - half), min(length, stop + half))
    low = math.floor((kept[0] - tiling.overlap_px) / tiling.multiple) * tiling.multiple
    high = math.ceil((kept[1] + tiling.overlap_px) / tiling.multiple) * tiling.multiple
    if tiling.is_full:
        low = min(max(0, (low + high - tiling.tile_px) // 2), length - tiling.tile_px)
        high = low + tiling.tile_px
    return TileSpan(
        read=(max(0, low), min(length, high)),
        kept=kept,
        fade_in=2 * half if start > 0 else 0,
        fade_out=2 * half if stop < length else 0,
    )


def weigh(span: TileSpan, scale: int) -> Float32[np.ndarray, " n"]:
    """Return the weights of a span's kept pixels in the result.

    Example:
        >>> weigh(TileSpan(read=(0, 6), kept=(0, 6), fade_in=0, fade_out=4), 1)
        array([1.   , 1.   , 0.875, 0.625, 0.375, 0.125], dtype=float32)
    """
    weights = np.ones((span.kept[1] - span.kept[0]) * scale, np.float32)
    rising = _ramp(span.fade_in * scale)
    falling = _ramp(span.fade_out * scale)
    weights[: len(rising)] *= rising
    weights[len(weights) - len(falling) :] *= falling[::-1]
    return weights


def _ramp(n: int) -> Float32[np.ndarray, " n"]:
    return ((np.arange(n) + 0.5) / max(n, 1)).astype(np.float32)


def run_tiled(
    image: Image,
    network: Network,
    tiling: Tiling,
    *,
    threads: int = 1,
    pool: ThreadPoolExecutor | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Image:
    """Run a net over an image in tiles.

    Args:
        image: (h, w, c).
        network: Takes a tile, gives one of `tiling.scale` times its size; called from several threads.
        tiling: The tiles.
        threads: Tiles at a time.
        pool: Of so many threads; None: one is made where it is needed.
        on_progress: Called with the share that is done.

    Returns:
        (scale h, scale w, d), in the order of memory that the net gives.

    Raises:
        InputError: The tiles are too small, or the net gives another size.
    """
    height, width = image.shape[:2]
    padded = reflect(image, tiling.border_px, tiling.multiple)
    rows, columns = (split_axis(length, tiling) for length in padded.shape[:2])
    tiles = [(row, column) for row in rows for column in columns]

    def work(tile: tuple[TileSpan, TileSpan]) -> tuple[TileSpan, TileSpan, Image]:
        row, column = tile
        return row, column, network(padded[slice(*row.read), slice(*column.read)])

    result = np.zeros(0, np.float32)
    for done, (row, column, part) in enumerate(_map_in_order(work, tiles, threads, pool), start=1):
        _check_part(part, row, column, tiling.scale)
        if done == 1:
            shape = (*(side * tiling.scale for side in padded.shape[:2]), part.shape[2])
            result = part if len(tiles) == 1 else np.zeros_like(part, shape=shape)
        if len(tiles) > 1 and tiling.ramp_px == 0:
            result[row.place(tiling.scale), column.place(tiling.scale)] = part[
                row.cut(tiling.scale), column.cut(tiling.scale)
            ]
        elif len(tiles) > 1:
            _add(result, part, row, column, tiling.scale)
        if on_progress is not None:
            on_progress(done / len(tiles))
    top = tiling.border_px * tiling.scale
    return result[top : top + height * tiling.scale, top : top + width * tiling.scale]


def _map_in_order(
    work: Callable[[Item], Result], items: Sequence[Item], threads: int, pool: ThreadPoolExecutor | None
) -> Iterator[Result]:
    """Yield results in the order of the items, so that sums round the same; few are held at a time."""
    if threads == 1 or len(items) == 1:
        yield from map(work, items)
        return
    with contextlib.nullcontext(pool) if pool else ThreadPoolExecutor(threads) as workers:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(workers.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _check_part(part: Image, row: TileSpan, column: TileSpan, scale: int) -> None:
    height, width = ((span.read[1] - span.read[0]) * scale for span in (row, column))
    if part.shape[:2] != (height, width):
        raise InputError(
            f"the restorer gave an array of shape {part.shape} for a tile, expected {(height, width, 3)}; "
            "state its scale as it is"
        )


def _add(result: Image, part: Image, row: TileSpan, column: TileSpan, scale: int) -> None:
    """Add one tile's kept part with its weights."""
    kept = part[row.cut(scale), column.cut(scale)]
    weights = weigh(row, scale)[:, None, None] * weigh(column, scale)[None, :, None]
    result[row.place(scale), column.place(scale)] += weights * kept


def reflect(image: Image, border_px: int, multiple: int) -> Image:
    """Pad by reflection: a border on all sides, and what is missing to a multiple on the right and at the bottom.

    Example:
        >>> reflect(np.zeros((8, 9, 3), np.float32), 2, 4).shape
        (12, 16, 3)
    """
    pads = [(border_px, border_px + -(side + 2 * border_px) % multiple) for side in image.shape[:2]]
    if not any(map(any, pads)):
        return image
    return np.pad(image, (*pads, (0, 0)), mode="reflect")
