"""Convolutions of 3x3 by Winograd's method F(4x4, 3x3): transforms as vector code of numba, products by numpy's BLAS.

With d a tile of 6x6 inputs and g a kernel, the 4x4 outputs are

    A^T [ sum over channels of (G g G^T) * (B^T d B) ] A

where * multiplies element by element: 36 products in place of 144. The sums over channels are 36 products of matrices.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section 4; points 0, 1, -1, 2
and -2.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32
from numba.core import types
from numba.extending import intrinsic
from threadpoolctl import ThreadpoolController

from raim.compilation import first_use, kernel
from raim.networks.packing import Packed
from raim.networks.vectors import LANE_BYTES, LANES, load_vector, store_vector

INNER, OUTER = 4, 6  # sides of a tile of outputs and of the inputs that it is made of
POINTS = OUTER**2
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
# Tiles whose products are made at once, so that they stay in the processor's second cache, up to so many channels.
TILES = {64: 48, 128: 64, 256: 128, 512: 256}

Line = Callable[[Sequence[Any]], list[Any]]
Tiles = Float32[np.ndarray, "36 _ _"]  # points, tiles, channels


def transform_line(d: Sequence[Any]) -> list[Any]:
    """Multiply six numbers by B^T.

    Example:
        >>> transform_line([1, 0, 0, 0, 0, 0]), transform_line([0, 0, 0, 1, 0, 0])
        ([4, 0, 0, 0, 0, 0], [0, 1, -1, 2, -2, -5])
    """
    a, b, c, e = d[4] - d[2] * 4, d[3] - d[1] * 4, d[4] - d[2], (d[3] - d[1]) * 2
    return [d[0] * 4 - d[2] * 5 + d[4], a + b, a - b, c + e, c - e, d[1] * 4 - d[3] * 5 + d[5]]


def restore_line(m: Sequence[Any]) -> list[Any]:
    """Multiply six numbers by A^T.

    Example:
        >>> restore_line([0, 0, 0, 1, 0, 0])
        [1, 2, 4, 8]
    """
    a, b, c, e = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    return [m[0] + a + c, b + e * 2, a + c * 4, b + e * 8 + m[5]]


def apply_twice(line: Line, square: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Apply a transform to the columns of a square, then to its rows."""
    columns = [line([row[j] for row in square]) for j in range(len(square))]
    return [line([column[i] for column in columns]) for i in range(len(columns[0]))]


@intrinsic
def _transform_tile(_typing: Any, source: Any, row: Any, target: Any, step: Any) -> Any:
    """Write B^T d B of 16 channels, from rows `row` bytes apart to places `step` bytes apart."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, row, target, step = arguments
        d = [
            [load_vector(builder, source, (i, row), (j, LANE_BYTES)) for j in range(OUTER)]
            for i in range(OUTER)
        ]
        for i, line in enumerate(apply_twice(transform_line, d)):
            for j, value in enumerate(line):
                store_vector(value, target, (OUTER * i + j, step))
        return context.get_dummy_value()

    return types.void(source, row, target, step), generate


@intrinsic
def _restore_tile(_typing: Any, source: Any, step: Any, bias: Any, target: Any, row: Any) -> Any:
    """Write max(A^T m A + bias, 0) of 16 channels, from places `step` bytes apart to rows `row` bytes apart."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, step, bias, target, row = arguments
        m = [
            [load_vector(builder, source, (OUTER * i + j, step)) for j in range(OUTER)] for i in range(OUTER)
        ]
        shift = load_vector(builder, bias)
        for i, line in enumerate(apply_twice(restore_line, m)):
            for j, value in enumerate(line):
                store_vector((value + shift).relu(), target, (i, row), (j, LANE_BYTES))
        return context.get_dummy_value()

    return types.void(source, step, bias, target, row), generate


@kernel
def transform_tiles(x: Packed, n_rows: int, first: int, n_tiles: int, out: Tiles) -> None:
    """Transform tiles from the number `first` on; what lies beyond `n_rows` and the columns is zero."""
    groups, rows, width, lanes = x.shape
    across = (width - 2 + INNER - 1) // INNER
    line, step = width * lanes * 4, out.shape[1] * groups * lanes * 4
    edge = np.zeros((OUTER, OUTER, lanes), np.float32)
    for t in range(n_tiles):
        top, left = INNER * ((first + t) // across), INNER * ((first + t) % across)
        is_whole = top + OUTER <= n_rows and left + OUTER <= width
        for g in range(groups):
            target = out.ctypes.data + (t * groups + g) * lanes * 4
            if is_whole:
                source = x.ctypes.data + ((g * rows + top) * width + left) * lanes * 4
                _transform_tile(source, line, target, step)
            else:
                for i in range(min(OUTER, n_rows - top)):
                    for j in range(min(OUTER, width - left)):
                        for p in range(lanes):
                            edge[i, j, p] = x[g, top + i, left + j, p]
                _transform_tile(edge.ctypes.data, OUTER * lanes * 4, target, step)
        if not is_whole:
            edge[:] = 0


@kernel
def restore_tiles(m: Tiles, bias: Float32[np.ndarray, " c"], first: int, n_tiles: int, out: Packed) -> None:
    """Make the outputs of tiles from the number `first` on, with bias and ReLU."""
    groups, rows, width, lanes = out.shape
    across = (width + INNER - 1) // INNER
    line, step = width * lanes * 4, m.shape[1] * groups * lanes * 4
    edge = np.empty((INNER, INNER, lanes), np.float32)
    for t in range(n_tiles):
        top, left = INNER * ((first + t) // across), INNER * ((first + t) % across)
        is_whole = top + INNER <= rows and left + INNER <= width
        for g in range(groups):
            source = m.ctypes.data + (t * groups + g) * lanes * 4
            shift = bias.ctypes.data + g * lanes * 4
            if is_whole:
                target = out.ctypes.data + ((g * rows + top) * width + left) * lanes * 4
                _restore_tile(source, step, shift, target, line)
            else:
                _restore_tile(source, step, shift, edge.ctypes.data, INNER * lanes * 4)
                for i in range(min(INNER, rows - top)):
                    for j in range(min(INNER, width - left)):
                        for p in range(lanes):
                            out[g, top + i, left + j, p] = edge[i, j, p]


@functools.cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


class WinogradConvolution:
    """A convolution of 3x3 with its bias and ReLU; see `packed_features.PackedConvolution`."""

    def __init__(self, weight: Float32[np.ndarray, "o i 3 3"], bias: Float32[np.ndarray, " o"]) -> None:
        outputs, inputs = weight.shape[:2]
        transformed = np.einsum("ak,oikl,bl->abio", G, weight.astype(np.float64), G)
        self._weight = np.ascontiguousarray(transformed.reshape(POINTS, inputs, outputs), np.float32)
        self._bias = np.ascontiguousarray(bias)
        self._n_tiles = next((TILES[most] for most in TILES if inputs <= most), max(TILES.values()))
        with first_use("winograd"):
            tiles = np.zeros((POINTS, 1, LANES), np.float32)
            transform_tiles(np.zeros((1, 3, 3, LANES), np.float32), 3, 0, 1, tiles)
            restore_tiles(tiles, tiles[0, 0], 0, 1, np.zeros((1, 1, 1, LANES), np.float32))

    def run_packed(self, buffer: Packed, n_rows: int, pack: int) -> Packed:
        """Return what the first rows of a buffer become; `pack` is 16."""
        _, inputs, outputs = self._weight.shape
        rows, columns = n_rows - 2, buffer.shape[2] - 2
        n_tiles = -(-columns // INNER) * -(-rows // INNER)
        out = np.empty((outputs // pack, rows, columns, pack), np.float32)
        transformed = np.empty((POINTS, self._n_tiles, inputs), np.float32)
        products = np.empty((POINTS, self._n_tiles, outputs), np.float32)
        with _blas().limit(limits=1):
            for first in range(0, n_tiles, self._n_tiles):
                count = min(self._n_tiles, n_tiles - first)
                transform_tiles(buffer, n_rows, first, count, transformed)
                np.matmul(transformed[:, :count], self._weight, out=products[:, :count])
                restore_tiles(products, self._bias, first, count, out)
        return out
