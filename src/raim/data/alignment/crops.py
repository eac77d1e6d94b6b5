"""Which rectangles of an aligned input become pairs: within what the reference shows, of a stated size, on a grid.

The largest rectangle that the reference shows everywhere is found on a grid of cells (a cell counts if all of it is
shown), row by row from the heights of shown columns. Crops of the stated size lie within it side by side, what is
left over is divided evenly.

Source: the largest rectangle under heights by a stack, Morgan, "Programming from Specifications", 2nd edition,
chapter 21.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

FINEST = 512  # cells along the longer side


@dataclass(frozen=True, kw_only=True, slots=True)
class Rectangle:
    """Whole pixels of the input: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int

    def cut(self, plane: np.ndarray) -> np.ndarray:
        """Return the rectangle's part of a picture."""
        return np.ascontiguousarray(plane[self.y : self.y + self.height, self.x : self.x + self.width])


def find_rectangle(inside: Bool[np.ndarray, "_ _"]) -> Rectangle | None:
    """Return the largest rectangle of pixels that hold; None if there is none."""
    cell = max(1, -(-max(inside.shape) // FINEST))
    rows, columns = (side // cell for side in inside.shape)
    blocks = inside[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    cells: Bool[np.ndarray, "_ _"] = np.asarray(blocks.all(axis=(1, 3)))
    heights = np.zeros(columns, np.intp)
    best = (0, 0, 0, 0, 0)
    for row in range(rows):
        heights = np.where(cells[row], heights + 1, 0)
        best = max(best, max(_rectangles_under(heights.tolist(), row), default=best))
    area, x, y, width, height = best
    if not area:
        return None
    return Rectangle(x=-x * cell, y=-y * cell, width=width * cell, height=height * cell)


def place_crops(room: Rectangle, side_px: int | None) -> tuple[Rectangle, ...]:
    """Return crops within a rectangle; none where they do not fit, the rectangle itself without a side."""
    if side_px is None:
        return (room,)
    starts = [_divide(length, side_px) for length in (room.height, room.width)]
    return tuple(
        Rectangle(x=room.x + x, y=room.y + y, width=side_px, height=side_px)
        for y in starts[0]
        for x in starts[1]
    )


def _divide(length: int, side: int) -> list[int]:
    """Return where crops of a side begin: as many as fit, with equal gaps around them."""
    n_crops = length // side
    gap = (length - n_crops * side) / (n_crops + 1)
    return [int(gap + index * (side + gap)) for index in range(n_crops)]


def _rectangles_under(heights: list[int], row: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Return (area, -x, -y, width, height) of rectangles that end at a row; of equal areas the top left one leads."""
    stack: list[tuple[int, int]] = []  # (first column, height), heights rising
    for column, height in enumerate([*heights, 0]):
        first = column
        while stack and stack[-1][1] >= height:
            first, tall = stack.pop()
            yield tall * (column - first), -first, -(row - tall + 1), column - first, tall
        stack.append((first, height))
