"""One loop that streams features through the stages of a net in strips of lines: exact, for any height of the strips.

A net of 350 convolutions sees 350 pixels far, and tiles that overlap by less differ from the whole photograph where
they meet (16 pixels: by up to 20/255, 48 pixels: still by 9/255, measured on real photographs). Here each stage keeps
the last lines that it will look at again, so that nothing is computed from less than the whole net would see, nothing
twice, and memory grows with the length of the lines only.

The loop knows no layout: lines lie in windows, and only windows and the functions of stages look inside. `PlaneWindow`
is that of arrays (c, h, w) of numpy or torch; measures have their own.
"""

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Lines = Any  # some lines of features, in the layout of a net's windows
Array = Any  # numpy.ndarray or torch.Tensor: both are cut by the same slices
Join = Callable[[Sequence[Array], int], Array]


Operator = Callable[[Any, int], Lines]  # makes so many lines of a window's first ones


class Window(Protocol):
    """The lines that a stage has received and will still look at, those beyond the border among them."""

    @property
    def n_lines(self) -> int:
        """How many there are."""

    def append(self, lines: Lines, start: int) -> int | None:
        """Take lines from `start` on, as many as there is room for; return where to go on, None if all are taken."""

    def pad(self, n_lines: int) -> None:
        """Take lines beyond the border."""

    def discard(self, n_lines: int) -> None:
        """Forget the first lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """Some lines of features.

    Attributes:
        lines: The features.
        is_last: Whether the photograph is known to end with them.
    """

    lines: Lines
    is_last: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A part of a net.

    Attributes:
        open: Makes its window.
        apply: Makes so many lines of a window's first ones.
        kernel: Lines that one line is made of.
        stride: Lines from those of one line to those of the next; at most `kernel`.
        padding: Lines beyond the border that it sees.
        usual: Lines that it makes at a time.
        least: With fewer it waits for more.
        most: Up to so many it makes at once.
    """

    open: Callable[[], Any]
    apply: Operator
    kernel: int
    padding: int
    usual: int
    least: int
    most: int
    stride: int = 1


def apply_stage(strips: Iterable[Strip], stage: Stage) -> Iterator[Strip]:
    """Apply a stage to strips: the same lines come out as of the whole, some of them a strip later.

    Example:
        >>> import numpy as np
        >>> flow = Flow(join=np.concatenate, usual=4)
        >>> double = flow.stage(lambda planes: 2 * planes, reach=1)
        >>> strips = flow.split(np.arange(10.0).reshape(1, 10, 1))
        >>> [strip.lines.ravel().tolist() for strip in apply_stage(strips, double)]
        [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0, 12.0], [14.0, 16.0, 18.0]]
    """
    window = stage.open()
    window.pad(stage.padding)
    is_ended = False
    for strip in strips:
        lines, is_last = strip.lines, strip.is_last
        del strip  # a stage that waits holds nothing of what went on
        start: int | None = 0
        while start is not None:
            start = window.append(lines, start)
            if start is None:
                del lines
                if is_last:
                    is_ended = True
                    window.pad(stage.padding)
            yield from _make(window, stage, is_ended=is_ended)
    if not is_ended:
        window.pad(stage.padding)
        yield from _make(window, stage, is_ended=True)


def _make(window: Any, stage: Stage, *, is_ended: bool) -> Iterator[Strip]:
    """Make what can be made of a window and is worth a pass."""
    least = 1 if is_ended else stage.least
    while (possible := (window.n_lines - stage.kernel) // stage.stride + 1) >= least:
        n_lines = possible if possible <= stage.most else stage.usual
        out = [Strip(lines=stage.apply(window, n_lines), is_last=is_ended and n_lines == possible)]
        window.discard(n_lines * stage.stride)
        yield out.pop()


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """How planes (c, h, w) flow in strips.

    Attributes:
        join: Joins arrays along an axis, always into a new one.
        usual: Lines of a strip.
        axis: Along which strips follow each other: 1 for strips of rows, 2 for strips of columns.
    """

    join: Join
    usual: int
    axis: int = 1

    def count(self, planes: Array) -> int:
        """Count the lines."""
        lines: int = planes.shape[self.axis]
        return lines

    def cut(self, planes: Array, start: int, stop: int) -> Array:
        """Return some of the lines."""
        return planes[(slice(None),) * self.axis + (slice(start, stop),)]

    def split(self, planes: Array) -> Iterator[Strip]:
        """Cut features into strips.

        Example:
            >>> import numpy as np
            >>> flow = Flow(join=np.concatenate, usual=4)
            >>> [strip.lines.shape[1] for strip in flow.split(np.zeros((1, 10, 3)))]
            [4, 4, 2]
        """
        n_lines = self.count(planes)
        for start in range(0, n_lines, self.usual):
            stop = min(start + self.usual, n_lines)
            yield Strip(lines=self.cut(planes, start, stop), is_last=stop == n_lines)

    def stage(self, apply: Callable[[Array], Array], *, reach: int, scale: int = 1) -> Stage:
        """Make a stage of a function from (c, h, w) to (d, scale h, scale w), which pads what it is given by itself.

        Args:
            apply: The function.
            reach: Lines that it looks at beyond each line it gives.
            scale: Lines that it makes of one.
        """
        return Stage(
            open=lambda: PlaneWindow(self),
            apply=functools.partial(self._apply, apply, reach, scale),
            kernel=2 * reach + 1,
            padding=reach,
            usual=self.usual,
            least=max(1, self.usual // 4),
            most=2 * self.usual,
        )

    def _apply(
        self, apply: Callable[[Array], Array], reach: int, scale: int, window: "PlaneWindow", n_lines: int
    ) -> Array:
        """Apply a function to what it must see for some lines, and give those."""
        result = apply(self.cut(window.planes, 0, n_lines + 2 * reach - window.n_before))
        start = reach - window.n_before
        return self.cut(result, start * scale, (start + n_lines) * scale)

    def add_around(
        self,
        strips: Iterable[Strip],
        inner: Callable[[Iterator[Strip]], Iterator[Strip]],
        add: Callable[[Array, Array], Array],
    ) -> Iterator[Strip]:
        """Join what went through `inner` with what went around it: a residual connection.

        Example:
            >>> import numpy as np
            >>> flow = Flow(join=np.concatenate, usual=4)
            >>> triple = flow.stage(lambda planes: 3 * planes, reach=1)
            >>> strips = flow.split(np.arange(6.0).reshape(1, 6, 1))
            >>> total = flow.add_around(strips, lambda inner: apply_stage(inner, triple), np.add)
            >>> [strip.lines.ravel().tolist() for strip in total]
            [[0.0, 4.0, 8.0], [12.0, 16.0, 20.0]]
        """
        waiting: deque[Array] = deque()

        def remember(strip: Strip) -> Strip:
            waiting.append(strip.lines)
            return strip

        def join(strip: Strip) -> Strip:
            around = self._take(waiting, self.count(strip.lines))
            return Strip(lines=add(strip.lines, around), is_last=strip.is_last)

        return map(join, inner(map(remember, strips)))

    def _take(self, waiting: deque[Array], n_lines: int) -> Array:
        """Take lines from the front; what is left of an array stays."""
        parts: list[Array] = []
        while n_lines > 0:
            first = waiting.popleft()
            taken = min(n_lines, self.count(first))
            parts.append(self.cut(first, 0, taken))
            if taken < self.count(first):
                waiting.appendleft(self.cut(first, taken, self.count(first)))
            n_lines -= taken
        return parts[0] if len(parts) == 1 else self.join(parts, self.axis)


class PlaneWindow:
    """A window of planes; lines beyond the border are counted only, since the stage's function pads by itself."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.planes: Array | None = None
        self.n_before = self.n_after = 0

    @property
    def n_lines(self) -> int:
        """How many there are."""
        return self.n_before + self.n_after + (0 if self.planes is None else self.flow.count(self.planes))

    def append(self, lines: Array, start: int) -> None:
        """Take all lines."""
        del start
        self.planes = lines if self.planes is None else self.flow.join([self.planes, lines], self.flow.axis)

    def pad(self, n_lines: int) -> None:
        """Count lines beyond the border."""
        if self.planes is None:
            self.n_before += n_lines
        else:
            self.n_after += n_lines

    def discard(self, n_lines: int) -> None:
        """Forget the first lines; the others are copied, so that no larger array is kept for them."""
        beyond = min(self.n_before, n_lines)
        self.n_before -= beyond
        kept = self.flow.cut(self.planes, n_lines - beyond, self.flow.count(self.planes))
        self.planes = self.flow.join([kept], self.flow.axis)
