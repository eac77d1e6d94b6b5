"""How far RRDBNet in tiles is from RRDBNet over the whole photograph, and what `raim restore` does in their place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine_subject import ncnn_whole, prepare, run_tile
from raim.networks.rrdbnet import BORDER_PX, SCALE
from raim.networks.tiles import Tiling, run_tiled

RAMP_PX = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Seam:
    """One way to cut a photograph.

    Attributes:
        name: How the table calls it.
        tile_px: Longest side of a tile, overlaps included; None where there are none.
        largest: Largest absolute difference from the whole, of the values in [0, 1].
        mean: Mean absolute difference.
    """

    name: str
    tile_px: int | None
    largest: float
    mean: float


def measure_seams(
    photograph: np.ndarray, overlaps: Sequence[int], part_px: int, threads: int
) -> Iterator[Seam]:
    """Compare tiles of `part_px` and several overlaps, and the streamed net, with the whole photograph (h, w, 3)."""
    net = ncnn_whole(threads, is_bf16=False)
    whole = run_tile(net, photograph)

    def network(tile: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(net(np.ascontiguousarray(tile.transpose(2, 0, 1))).transpose(1, 2, 0))

    for overlap in overlaps:
        tile_px = part_px + 2 * overlap + RAMP_PX
        tiling = Tiling(
            tile_px=tile_px, overlap_px=overlap, ramp_px=RAMP_PX, border_px=BORDER_PX, scale=SCALE
        )
        tiled = run_tiled(photograph, network, tiling)
        yield _compare(f"tiles, overlap {overlap} px", tile_px, tiled, whole)
    yield _compare("raim restore: streamed", None, prepare("raim restore", threads)(photograph), whole)


def _compare(name: str, tile_px: int | None, result: np.ndarray, whole: np.ndarray) -> Seam:
    difference = np.abs(result - whole)
    return Seam(name=name, tile_px=tile_px, largest=float(difference.max()), mean=float(difference.mean()))
