"""RRDBNet x4 (ESRGAN's generator): Real-ESRGAN x4plus and RealSR DF2K.

    features = first convolution of the photograph
    body     = 23 times: x + 0.2 (three dense blocks)(x),   dense block: x + 0.2 (five convolutions)(x)
    result   = head(features + last convolution of the body),   head: two doublings, four convolutions

The dense blocks are the stages of a stream (`rows`), so that a photograph of any size gives what the whole net
would give on it at once. On the processor ncnn runs the published net itself, a dense block of a tile at a time;
on other devices our own torch form runs (`torch_networks`).

Source: Wang et al., "ESRGAN", ECCVW 2018 (arXiv 1809.00219), section 3.1; weights of Wang et al., "Real-ESRGAN",
ICCVW 2021 (arXiv 2107.10833), and Ji et al., "Real-World Super-Resolution via Kernel Estimation and Noise
Injection", CVPRW 2020.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from raim.restore.descriptor import Context, Photograph, Restorer
from raim.restore.rows import Apply, Array, Flow, Join, Stage, Strip, add_around, apply_stage, split_lines
from raim.restore.tiling import reflect

SCALE = 4
BORDER_PX = 8  # the photograph is reflected this far, because the net's zeros around it would show
DENSE_REACH = 5  # five convolutions of 3x3
# The head's four 3x3 convolutions reach 1/2 + 3/4 of a pixel of its input; the doublings repeat pixels.
HEAD_REACH = 2
HEAD_COST = 6  # dense blocks, about 8 % of the net's arithmetic
SHARE = 0.2  # of what a block adds (ESRGAN, section 3.1)
BLOCKS_IN_GROUP = 3
# Pixels of a strip: 64 channels of it are 32 MB.
STRIP_AREA = 128 * 1024
LEAST_LINES = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """The parts of the net on one device.

    Attributes:
        load: From a numpy array (3, h, w) to the device's.
        save: Back.
        join: Joins the device's arrays.
        first: The first convolution.
        dense: The dense blocks, in order.
        last: The last convolution of the body.
        head: From features to the result.
    """

    load: Apply
    save: Apply
    join: Join
    first: Stage
    dense: tuple[Stage, ...]
    last: Stage
    head: Stage


def rrdbnet(name: str, purpose: str, source: str) -> Restorer:
    """Describe an RRDBNet by the name of its weights."""

    def compute(image: Photograph, context: Context) -> Photograph:
        return enlarge(image, find_engine(name, context), context)

    return Restorer(
        name=name,
        purpose=purpose,
        compute=compute,
        scale=SCALE,
        is_range_known=True,
        source=source,
        weights=(name,),
        seconds_per_megapixel=350.0,
        devices=("cpu", "torch"),
    )


def find_engine(weights: str, context: Context) -> Engine:
    """Give the net on the context's device."""
    if context.device == "cpu":
        from raim.restore.rrdbnet_ncnn import ncnn_engine

        return ncnn_engine(weights, tile_px=context.tile_px, threads=context.threads)
    from raim.restore.rrdbnet_torch import torch_engine

    return torch_engine(weights, context.device)


def enlarge(image: Photograph, engine: Engine, context: Context) -> Photograph:
    """Enlarge a photograph four times.

    Args:
        image: (h, w, 3).
        engine: The net.
        context: Told the share that is done.

    Returns:
        (4h, 4w, 3), not clipped.
    """
    padded = reflect(image, BORDER_PX, 1).transpose(2, 0, 1)
    # Strips lie across the longer side: their length, and the memory, is that of the shorter one.
    axis = 1 if padded.shape[1] >= padded.shape[2] else 2
    lines = max(LEAST_LINES, STRIP_AREA // padded.shape[3 - axis])
    flow = Flow(join=engine.join, lines=lines, axis=axis)
    tell = _count_work(context, padded.shape[axis] * (len(engine.dense) + HEAD_COST), flow)
    strips = split_lines(engine.load(np.ascontiguousarray(padded)), flow)
    parts = [engine.save(strip.planes) for strip in stream_net(strips, engine, flow, tell)]
    result = np.concatenate(parts, axis=axis).transpose(1, 2, 0)
    border = BORDER_PX * SCALE
    return np.ascontiguousarray(result[border:-border, border:-border])


Tell = Callable[[Iterator[Strip], float], Iterator[Strip]]


def _count_work(context: Context, total: int, flow: Flow) -> Tell:
    """Tell the context how much is done as strips leave stages of a stated cost."""
    done = 0.0

    def count(strip: Strip, cost: float) -> Strip:
        nonlocal done
        done += flow.count(strip.planes) * cost
        context.on_progress(min(1.0, done / total))
        return strip

    def tell(strips: Iterator[Strip], cost: float) -> Iterator[Strip]:
        return map(functools.partial(count, cost=cost), strips)

    return tell


def stream_net(strips: Iterator[Strip], engine: Engine, flow: Flow, tell: Tell) -> Iterator[Strip]:
    """Stream a photograph through the whole net."""

    def body(features: Iterator[Strip]) -> Iterator[Strip]:
        for start in range(0, len(engine.dense), BLOCKS_IN_GROUP):
            features = _stream_group(features, engine.dense[start : start + BLOCKS_IN_GROUP], flow, tell)
        return apply_stage(features, engine.last, flow)

    features = apply_stage(strips, engine.first, flow)
    total = add_around(features, body, _add, flow)
    return tell(apply_stage(total, engine.head, flow), HEAD_COST / SCALE)


def _stream_group(
    features: Iterator[Strip], stages: tuple[Stage, ...], flow: Flow, tell: Tell
) -> Iterator[Strip]:
    """Stream features through one residual group of dense blocks."""

    def inner(strips: Iterator[Strip]) -> Iterator[Strip]:
        for stage in stages:
            strips = tell(apply_stage(strips, stage, flow), 1)
        return strips

    return add_around(features, inner, _add_share, flow)


def _add(inner: Array, around: Array) -> Array:
    return inner + around


def _add_share(inner: Array, around: Array) -> Array:
    return SHARE * inner + around
