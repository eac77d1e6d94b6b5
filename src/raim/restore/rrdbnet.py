"""RRDBNet x4 (ESRGAN's generator): Real-ESRGAN x4plus and RealSR DF2K.

On the processor ncnn runs the published net itself, in two parts: the body (349 convolutions at the size of the
input) on a tile, then the head (two doublings and four convolutions) on strips of it, because features at 16
times the area would take most of the memory. On other devices our own torch form runs (`torch_rrdbnet`).

Source: Wang et al., "ESRGAN", ECCVW 2018 (arXiv 1809.00219), section 3.1; weights of Wang et al., "Real-ESRGAN",
ICCVW 2021 (arXiv 2107.10833), and Ji et al., "Real-World Super-Resolution via Kernel Estimation and Noise
Injection", CVPRW 2020.
"""

import functools

import numpy as np

from raim.errors import WeightsFormatError
from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.ncnn_network import NcnnNetwork, Planes, published_network
from raim.restore.tiling import Layout, Network, run_tiled

SCALE = 4
STRIP_ROWS = 24
# The head's four 3x3 convolutions reach 1/2 + 3/4 of a pixel of its input; the doublings repeat pixels.
HEAD_REACH = 2
# Chosen by measurement (docs/restorers.md): with an overlap of 16 tiles differ from the whole by less than 1/255.
LAYOUT = Layout(tile_px=224, overlap_px=16, ramp_px=8, border_px=8, scale=SCALE)


def rrdbnet(name: str, purpose: str, licence: str, source: str) -> Restorer:
    """Describe an RRDBNet by the name of its weights."""

    def run(image: Photograph, context: Context) -> Photograph:
        return run_tiled(
            image, find_network(name, context.device), LAYOUT.with_tile(context.tile_px), context
        )

    return Restorer(
        name=name,
        purpose=purpose,
        run=run,
        scale=SCALE,
        overlap_px=LAYOUT.overlap_px,
        licence=licence,
        source=source,
        weights=(name,),
        seconds_per_megapixel=215.0,
        devices=("cpu", "torch"),
    )


def find_network(weights: str, device: str) -> Network:
    """Give the function from a tile to one four times as large."""
    if device == "cpu":
        net, param = published_network(weights)
        return functools.partial(_run_ncnn, net, find_middle(param))
    from raim.restore.torch_networks import rrdbnet_enlarge

    return functools.partial(rrdbnet_enlarge, weights=weights, device=device)


def find_middle(param: str) -> str:
    r"""Find the blob between body and head in the text of a .param: what the last sum before the doublings gives.

    Example:
        >>> find_middle("BinaryOp Add_9 2 1 a b features 0=0\nInterp Up_1 1 1 features c 0=1")
        'features'
    """
    doublings = [line.split() for line in param.splitlines() if line.startswith("Interp ")]
    if not doublings:
        raise WeightsFormatError("the ncnn .param has no Interp layer, so it is no RRDBNet; fetch it again")
    return doublings[0][4]


def _run_ncnn(net: NcnnNetwork, middle: str, tile: Photograph) -> Photograph:
    features = net.run({"data": tile.transpose(2, 0, 1)}, middle)
    strips = [_run_head(net, middle, features, start) for start in range(0, features.shape[1], STRIP_ROWS)]
    return np.concatenate(strips, axis=1).transpose(1, 2, 0)


def _run_head(net: NcnnNetwork, middle: str, features: Planes, start: int) -> Planes:
    """Run the head on the strip of features that begins at row `start`."""
    stop = min(start + STRIP_ROWS, features.shape[1])
    top, bottom = max(0, start - HEAD_REACH), min(features.shape[1], stop + HEAD_REACH)
    enlarged = net.run({middle: features[:, top:bottom]}, "output")
    return enlarged[:, (start - top) * SCALE : (stop - top) * SCALE]
