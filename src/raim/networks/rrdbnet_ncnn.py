"""RRDBNet on the processor: the published ncnn net, run a dense block of a tile at a time.

Its parts are found by the names of the blobs between them in the text of the .param. Tiles look as far beyond their
own part as their stage does, so that they join exactly; they are of a size whose features stay in the cache, and each
is run by one thread.
"""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from raim.errors import WeightsFormatError
from raim.networks.ncnn import NcnnNetwork, Planes, published_network
from raim.networks.rrdbnet import DENSE_REACH, HEAD_REACH, SCALE, Parts
from raim.networks.tiles import Image, Tiling, run_tiled

# Measured on two cores, seconds of a core per megapixel: 64: 420, 96: 360, 128: 430, 160: 350, no tiles 460.
TILE_PX = 160
HEAD_TILE_PX = 64
# Smaller photographs are one tile: halves of them would overlap by too much.
LEAST_SHARED_PX = 48


def ncnn_parts(weights: str, *, tile_px: int | None = None, threads: int = 1) -> Parts:
    """Return the parts of a published net."""
    net, param = published_network(weights)
    first, blocks, (body, total) = find_blobs(param)
    # One pool for all parts: memory that a thread's allocator keeps is lost with the thread.
    pool = ThreadPoolExecutor(threads)
    run = functools.partial(_run, net, pool, threads, tile_px=tile_px or TILE_PX)
    return Parts(
        load=lambda planes: planes,
        save=lambda planes: planes,
        join=np.concatenate,
        first=functools.partial(run, source="data", target=first, reach=1),
        dense=tuple(
            functools.partial(run, source=source, target=target, reach=DENSE_REACH)
            for source, target in blocks
        ),
        last=functools.partial(run, source=body[0], target=body[1], reach=1),
        head=functools.partial(
            run,
            source=total,
            target="output",
            reach=HEAD_REACH,
            scale=SCALE,
            tile_px=min(tile_px or HEAD_TILE_PX, HEAD_TILE_PX),
        ),
    )


def find_blobs(param: str) -> tuple[str, list[tuple[str, str]], tuple[tuple[str, str], str]]:
    r"""Find the blobs between the parts in the text of a .param.

    Returns:
        The features; input and output of each dense block; input and output of the body's last convolution, and
        the sum that the head takes.

    Raises:
        WeightsFormatError: It is no RRDBNet.

    Example:
        >>> lines = ["Convolution a 1 1 data f", "Eltwise b 2 1 e f_splitncnn_0 g", "Eltwise c 2 1 g f h",
        ...          "Convolution d 1 1 h i", "BinaryOp j 2 1 f i k", "Interp l 1 1 k m"]
        >>> find_blobs("\n".join(lines))
        ('f', [('f', 'g')], (('h', 'i'), 'k'))
    """
    layers = [line.split() for line in param.splitlines()]
    sums = [layer for layer in layers if layer and layer[0] in ("Eltwise", "BinaryOp")]
    interps = [layer for layer in layers if layer and layer[0] == "Interp"]
    made_by = {_output(layer): layer for layer in layers if len(layer) > 5}
    try:
        total = made_by[interps[0][4]]
        last = made_by[_plain(total[5])]
        first = next(_output(layer) for layer in layers if layer[:1] == ["Convolution"])
    except (LookupError, StopIteration) as error:
        raise WeightsFormatError("the ncnn .param is no RRDBNet; fetch the weights again") from error
    # A dense block's sum takes a convolution; a group's sum takes the last dense block's sum.
    summed = {_output(layer) for layer in sums}
    blocks = [
        (_plain(layer[5]), _output(layer))
        for layer in sums
        if layer[0] == "Eltwise" and _plain(layer[4]) not in summed
    ]
    return first, blocks, ((_plain(last[4]), _output(last)), _output(total))


def _output(layer: Sequence[str]) -> str:
    """Return the first blob that a layer makes: fields are type, name, inputs, outputs, then the blobs."""
    return layer[4 + int(layer[2])]


def _plain(blob: str) -> str:
    """Return a blob's name before ncnn split it."""
    return blob.partition("_splitncnn_")[0]


def _run(
    net: NcnnNetwork,
    pool: ThreadPoolExecutor,
    threads: int,
    planes: Planes,
    *,
    source: str,
    target: str,
    reach: int,
    tile_px: int,
    scale: int = 1,
) -> Planes:
    """Run a part of the net over planes, in tiles."""
    longest = max(planes.shape[1:])
    if threads > 1 and LEAST_SHARED_PX <= longest <= tile_px:
        # One tile would leave threads without work.
        tile_px = longest // 2 + 2 * reach + 1
    tiling = Tiling(tile_px=tile_px, overlap_px=reach, ramp_px=0, scale=scale)

    def network(tile: Image) -> Image:
        return net.run({source: tile.transpose(2, 0, 1)}, target).transpose(1, 2, 0)

    return run_tiled(planes.transpose(1, 2, 0), network, tiling, threads=threads, pool=pool).transpose(
        2, 0, 1
    )
