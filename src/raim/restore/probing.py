"""Trying restorers on a few parts of a photograph before one of them is chosen for all of it."""

import numpy as np

from raim.errors import UnscorableError
from raim.metrics.niqe import niqe
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.inspection import measure_gradient
from raim.restore.prediction import NIQE_POINTS, Trial
from raim.restore.spectrum import LUMA

Tile = tuple[slice, slice]

TILE_PX = 256
N_TILES = 4
GRID_PX = 8  # of JPEG: parts keep it
LEAST_DETAIL = 1 / 3  # of the parts, the flattest, are left out: there all restorers look alike


def choose_tiles(image: Photograph, *, count: int = N_TILES) -> list[Tile]:
    """Choose parts of a photograph: the one with the most detail, and others of ever less, `count` at most.

    They are of 256x256 pixels, less only where the photograph is smaller.

    Example:
        >>> image = np.zeros((300, 800, 3), np.float32)
        >>> [image[tile].shape for tile in choose_tiles(image)]
        [(256, 256, 3), (256, 256, 3), (256, 256, 3)]
    """
    height, width = image.shape[:2]
    tiles = [
        np.s_[top : top + TILE_PX, left : left + TILE_PX] for top in _place(height) for left in _place(width)
    ]
    tiles.sort(key=lambda tile: -measure_gradient(image[tile] @ LUMA))
    n_detailed = len(tiles) if len(tiles) <= count else max(count, round(len(tiles) * (1 - LEAST_DETAIL)))
    chosen = np.unique(np.linspace(0, n_detailed - 1, min(count, len(tiles))).round().astype(int))
    return [tiles[index] for index in chosen]


def _place(length: int) -> list[int]:
    """Return where parts begin along a side, evenly."""
    count = max(1, length // TILE_PX)
    room = max(0, length - TILE_PX)
    if count == 1:
        return [room // 2 // GRID_PX * GRID_PX]
    return [round(index * room / (count - 1)) // GRID_PX * GRID_PX for index in range(count)]


def measure_niqe(image: Photograph) -> float | None:
    """Return NIQE of a part, None where it is too flat to have one.

    A small one is reflected until two blocks of NIQE fit along each side.
    """
    pads = [(0, max(0, TILE_PX - side)) for side in image.shape[:2]]
    whole = np.pad(image, (*pads, (0, 0)), mode="symmetric")
    try:
        return niqe(np.rint(255 * whole).astype(np.uint8))
    except UnscorableError:
        return None


def try_restorer(restorer: Restorer, tile: Photograph, before: float, context: Context) -> Trial | None:
    """Restore a part by a restorer of scale 1, and measure what came of it; None where that is too flat for NIQE."""
    restored = restorer.run(tile, context)
    after = measure_niqe(restored)
    if after is None:
        return None
    change = 255 * float(np.sqrt(np.mean((restored - tile) ** 2)))
    return Trial(niqe_gain=NIQE_POINTS * (before - after), change=change)
