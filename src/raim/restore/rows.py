"""Features that stream through the stages of a deep net in strips: exact, for any height of the strips.

A net of 350 convolutions sees 350 pixels far, and tiles that overlap by less differ from the whole photograph where
they meet (16 pixels: by up to 20/255, 48 pixels: still by 9/255, measured on real photographs). Here each stage
keeps the last lines that it will look at again, so that nothing is computed from less than the whole net would see,
nothing twice, and memory grows with the length of the lines only.

Lines are rows or columns (`axis`). Arrays are (c, h, w), of numpy or of torch.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# numpy.ndarray or torch.Tensor: both are cut by the same slices.
Array = Any
Apply = Callable[[Array], Array]
Join = Callable[[Sequence[Array], int], Array]


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """Some lines of features.

    Attributes:
        planes: (c, h, w).
        is_last: Whether the photograph ends with them.
    """

    planes: Array
    is_last: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A part of a net.

    Attributes:
        apply: From (c, h, w) to (d, scale h, scale w), with its own padding around.
        reach: Lines that it looks at beyond each line it gives.
        scale: Lines that it makes of one.
    """

    apply: Apply
    reach: int
    scale: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """How strips flow.

    Attributes:
        join: Joins arrays along an axis, always into a new one.
        lines: Of a strip.
        axis: Along which strips follow each other: 1 for strips of rows, 2 for strips of columns.
    """

    join: Join
    lines: int
    axis: int = 1

    def count(self, planes: Array) -> int:
        """Count the lines."""
        lines: int = planes.shape[self.axis]
        return lines

    def cut(self, planes: Array, start: int, stop: int) -> Array:
        """Give some of the lines."""
        return planes[(slice(None),) * self.axis + (slice(start, stop),)]


def split_lines(planes: Array, flow: Flow) -> Iterator[Strip]:
    """Cut features into strips.

    Example:
        >>> import numpy as np
        >>> flow = Flow(join=np.concatenate, lines=4)
        >>> [strip.planes.shape[1] for strip in split_lines(np.zeros((1, 10, 3)), flow)]
        [4, 4, 2]
    """
    n_lines = flow.count(planes)
    for start in range(0, n_lines, flow.lines):
        stop = min(start + flow.lines, n_lines)
        yield Strip(planes=flow.cut(planes, start, stop), is_last=stop == n_lines)


def apply_stage(strips: Iterable[Strip], stage: Stage, flow: Flow) -> Iterator[Strip]:
    """Apply a stage to strips: the same lines come out as of the whole, some of them a strip later.

    Example:
        >>> import numpy as np
        >>> flow = Flow(join=np.concatenate, lines=4)
        >>> double = Stage(apply=lambda planes: 2 * planes, reach=1)
        >>> strips = split_lines(np.arange(10.0).reshape(1, 10, 1), flow)
        >>> [strip.planes.ravel().tolist() for strip in apply_stage(strips, double, flow)]
        [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0, 12.0], [14.0, 16.0, 18.0]]
    """
    kept: list[Array] = []
    lead = 0
    for strip in strips:
        kept.append(strip.planes)
        is_last = strip.is_last
        del strip  # a stage that waits holds nothing of what went on
        if len(kept) > 1:
            kept = [flow.join(kept, flow.axis)]
        while kept and (stop := _next_stop(flow.count(kept[0]), lead, stage, flow, is_last=is_last)) > lead:
            is_end = is_last and stop == flow.count(kept[0])
            out = [Strip(planes=_apply_lines(kept[0], lead, stop, stage, flow), is_last=is_end)]
            start = max(0, stop - stage.reach)
            kept = [] if is_end else [flow.join([flow.cut(kept[0], start, flow.count(kept[0]))], flow.axis)]
            lead = stop - start
            yield out.pop()


def _next_stop(height: int, lead: int, stage: Stage, flow: Flow, *, is_last: bool) -> int:
    """Choose how far the next strip goes; `lead` where it is not worth a pass yet."""
    end = height if is_last else height - stage.reach
    least = 1 if is_last else max(1, flow.lines // 4)
    if end - lead < least:
        return lead
    return end if end - lead <= 2 * flow.lines else lead + flow.lines


def _apply_lines(window: Array, start: int, stop: int, stage: Stage, flow: Flow) -> Array:
    """Apply a stage to what it must see for some lines, and give those."""
    top = max(0, start - stage.reach)
    result = stage.apply(flow.cut(window, top, min(flow.count(window), stop + stage.reach)))
    return flow.cut(result, (start - top) * stage.scale, (stop - top) * stage.scale)


def add_around(
    strips: Iterable[Strip],
    inner: Callable[[Iterator[Strip]], Iterator[Strip]],
    add: Callable[[Array, Array], Array],
    flow: Flow,
) -> Iterator[Strip]:
    """Join what went through `inner` with what went around it: a residual connection.

    Example:
        >>> import numpy as np
        >>> flow = Flow(join=np.concatenate, lines=4)
        >>> strips = split_lines(np.arange(6.0).reshape(1, 6, 1), flow)
        >>> triple = Stage(apply=lambda planes: 3 * planes, reach=1)
        >>> total = add_around(strips, lambda inner: apply_stage(inner, triple, flow), np.add, flow)
        >>> [strip.planes.ravel().tolist() for strip in total]
        [[0.0, 4.0, 8.0], [12.0, 16.0, 20.0]]
    """
    waiting: deque[Array] = deque()

    def remember(strip: Strip) -> Strip:
        waiting.append(strip.planes)
        return strip

    def join(strip: Strip) -> Strip:
        around = _take(waiting, flow.count(strip.planes), flow)
        return Strip(planes=add(strip.planes, around), is_last=strip.is_last)

    return map(join, inner(map(remember, strips)))


def _take(waiting: deque[Array], n_lines: int, flow: Flow) -> Array:
    """Take lines from the front; what is left of an array stays."""
    parts: list[Array] = []
    while n_lines > 0:
        first = waiting.popleft()
        taken = min(n_lines, flow.count(first))
        parts.append(flow.cut(first, 0, taken))
        if taken < flow.count(first):
            waiting.appendleft(flow.cut(first, taken, flow.count(first)))
        n_lines -= taken
    return parts[0] if len(parts) == 1 else flow.join(parts, flow.axis)
