"""RRDBNet x4 (ESRGAN's generator), streamed: what it is made of, whatever computes the parts.

    features = first convolution of the photograph
    body     = 23 times: x + 0.2 (three dense blocks)(x),   dense block: x + 0.2 (five convolutions)(x)
    result   = head(features + last convolution of the body),   head: two doublings, four convolutions

The dense blocks are the stages of a stream (`stream`), so that a photograph of any size gives what the whole net would
give on it at once. `rrdbnet_ncnn` and `rrdbnet_torch` have the parts.

Source: Wang et al., "ESRGAN", ECCVW 2018 (arXiv 1809.00219), section 3.1.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from raim.networks.stream import Array, Flow, Join, Strip, apply_stage
from raim.networks.tiles import Image, reflect

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

Apply = Callable[[Array], Array]
Tell = Callable[[Iterator[Strip], float], Iterator[Strip]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """The parts of the net on one device: functions of planes (c, h, w), with zeros around.

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
    first: Apply
    dense: tuple[Apply, ...]
    last: Apply
    head: Apply


def enlarge(image: Image, parts: Parts, on_progress: Callable[[float], None]) -> Image:
    """Enlarge a photograph four times.

    Args:
        image: (h, w, 3).
        parts: The net.
        on_progress: Called with the share that is done.

    Returns:
        (4h, 4w, 3), not clipped.
    """
    padded = reflect(image, BORDER_PX, 1).transpose(2, 0, 1)
    # Strips lie across the longer side: their length, and the memory, is that of the shorter one.
    axis = 1 if padded.shape[1] >= padded.shape[2] else 2
    lines = max(LEAST_LINES, STRIP_AREA // padded.shape[3 - axis])
    flow = Flow(join=parts.join, usual=lines, axis=axis)
    tell = _count_work(on_progress, padded.shape[axis] * (len(parts.dense) + HEAD_COST), flow)
    strips = flow.split(parts.load(np.ascontiguousarray(padded)))
    found = [parts.save(strip.lines) for strip in _stream(strips, parts, flow, tell)]
    result = np.concatenate(found, axis=axis).transpose(1, 2, 0)
    border = BORDER_PX * SCALE
    return np.ascontiguousarray(result[border:-border, border:-border])


def _count_work(on_progress: Callable[[float], None], total: int, flow: Flow) -> Tell:
    """Return what to call with the strips that left a stage, for progress by the stages' costs."""
    done = 0.0

    def count(strip: Strip, cost: float) -> Strip:
        nonlocal done
        done += flow.count(strip.lines) * cost
        on_progress(min(1.0, done / total))
        return strip

    return lambda strips, cost: map(functools.partial(count, cost=cost), strips)


def _stream(strips: Iterator[Strip], parts: Parts, flow: Flow, tell: Tell) -> Iterator[Strip]:
    """Stream a photograph through the whole net."""

    def group(features: Iterator[Strip], blocks: tuple[Apply, ...]) -> Iterator[Strip]:
        for block in blocks:
            features = tell(apply_stage(features, flow.stage(block, reach=DENSE_REACH)), 1)
        return features

    def body(features: Iterator[Strip]) -> Iterator[Strip]:
        for start in range(0, len(parts.dense), BLOCKS_IN_GROUP):
            blocks = parts.dense[start : start + BLOCKS_IN_GROUP]
            features = flow.add_around(features, functools.partial(group, blocks=blocks), _add_share)
        return apply_stage(features, flow.stage(parts.last, reach=1))

    features = apply_stage(strips, flow.stage(parts.first, reach=1))
    total = flow.add_around(features, body, _add)
    head = flow.stage(parts.head, reach=HEAD_REACH, scale=SCALE)
    return tell(apply_stage(total, head), HEAD_COST / SCALE)


def _add(inner: Array, around: Array) -> Array:
    return inner + around


def _add_share(inner: Array, around: Array) -> Array:
    return SHARE * inner + around
