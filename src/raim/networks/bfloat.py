"""Convolutions of 3x3 of numbers split into two terms of bfloat16: `--engine fast`.

A number x is taken as high + low, each rounded to bfloat16 (8 bits), so 17 bits in all. Of the four products of two
such numbers the smallest is left out:

    x w = high(x) high(w) + high(x) low(w) + low(x) high(w)

with sums in float32. The measures differ from the exact engines' by less than 5e-6 (docs/benchmarks.md). Where the
processor has AMX this is more than twice as fast as float32; elsewhere ncnn makes the same values: the
convolution of the rounded numbers, less that of the low terms.
"""

from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8, UInt16
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from raim.compilation import kernel
from raim.networks.amx import (
    CONFIGURATION,
    add_products,
    configure_tiles,
    load_tile,
    release_tiles,
    store_tile,
)
from raim.networks.folding import SIDE
from raim.networks.ncnn import load_convolution
from raim.networks.packing import Packed, aligned_zeros
from raim.networks.vectors import FLOATS, HALVES, WHOLES, Vector, fill, load_vector

Weight = Float32[np.ndarray, "o i 3 3"]
Bias = Float32[np.ndarray, " o"]
BLOCK = 32  # channels in, channels out, and pixels, that are multiplied at a time
HALF_UNIT, UPPER = np.uint32(0x8000), np.uint32(0xFFFF0000)
TILE_BYTES = 1024
PIXELS_A_GROUP = 1024  # rows that meet a block of weights while it is in the cache


def split_terms(
    x: Float32[np.ndarray, "..."],
) -> tuple[Float32[np.ndarray, "..."], Float32[np.ndarray, "..."]]:
    """Return high and low terms of bfloat16, as float32.

    Example:
        >>> high, low = split_terms(np.array([1 + 2**-9], np.float32))
        >>> high[0], low[0] == 2**-9
        (np.float32(1.0), np.True_)
    """
    high = _round(x)
    return high, _round(x - high)


def _round(x: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
    return ((x.view(np.uint32) + HALF_UNIT) & UPPER).view(np.float32)


@intrinsic
def _split_vector(_typing: Any, source: Any, high: Any, low: Any) -> Any:
    """Write the terms of 16 numbers as bfloat16 to two addresses."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        source, *targets = arguments
        rest = load_vector(builder, source)
        for target in targets:
            bits = builder.add(builder.bitcast(rest.value, WHOLES), fill(WHOLES, int(HALF_UNIT)))
            upper = builder.and_(bits, fill(WHOLES, int(UPPER)))
            halves = builder.trunc(builder.lshr(upper, fill(WHOLES, 16)), HALVES)
            builder.store(halves, builder.inttoptr(target, ir.PointerType(HALVES))).align = 2
            rest -= Vector(builder, builder.bitcast(upper, FLOATS))
        return context.get_dummy_value()

    return types.void(source, high, low), generate


@kernel
def split_features(x: Packed, n_rows: int, out: UInt16[np.ndarray, "rows blocks 2 columns 32"]) -> None:
    """Split the first rows of features into their terms; columns and channels of `out` beyond them stay."""
    groups, rows, width, lanes = x.shape
    blocks, columns = out.shape[1], out.shape[3]
    for y in range(n_rows):
        for g in range(groups):
            for c in range(width):
                place = (((y * blocks + g // 2) * 2) * columns + c) * 64 + (g % 2) * 32
                _split_vector(
                    x.ctypes.data + ((g * rows + y) * width + c) * lanes * 4,
                    out.ctypes.data + place,
                    out.ctypes.data + place + columns * 64,
                )


@kernel
def _add_block(x: int, plane: int, weight: int) -> None:
    """Add to the tiles 0 to 3: 32 pixels of 32 channels in, by their address, times 32 channels out."""
    load_tile(4, x + plane, 64)  # low terms of 16 pixels, and of 16 more
    load_tile(5, x + plane + TILE_BYTES, 64)
    load_tile(6, weight, 64)  # high terms for 16 channels out, and for 16 more
    load_tile(7, weight + TILE_BYTES, 64)
    _add_tiles()
    load_tile(4, x, 64)
    load_tile(5, x + TILE_BYTES, 64)
    _add_tiles()
    load_tile(6, weight + 2 * TILE_BYTES, 64)
    load_tile(7, weight + 3 * TILE_BYTES, 64)
    _add_tiles()


@kernel
def _add_tiles() -> None:
    add_products(0, 4, 6)
    add_products(1, 4, 7)
    add_products(2, 5, 6)
    add_products(3, 5, 7)


@kernel
def _sum_blocks(x: int, plane: int, row: int, weight: int, blocks: int) -> None:
    """Add the products of all kernel rows, channels in and kernel columns."""
    for i in range(SIDE):
        for block in range(blocks):
            for j in range(SIDE):
                _add_block(x + i * row + block * 2 * plane + j * 64, plane, weight)
                weight += 4 * TILE_BYTES


@kernel
def multiply_terms(
    x: UInt16[np.ndarray, "rows blocks 2 columns 32"],
    weight: UInt16[np.ndarray, "outs 3 blocks 3 2 2 16 16 2"],
    bias: Float32[np.ndarray, " c"],
    out: Packed,
    configuration: UInt8[np.ndarray, " 64"],
) -> None:
    """Convolve terms on AMX, without ReLU; the sums of 32 pixels and 32 channels fill the tiles 0 to 3."""
    blocks, plane = x.shape[1], x.shape[3] * 64  # bytes of a term of 32 channels in a row
    row = blocks * 2 * plane
    _, rows, width, _ = out.shape
    group = max(1, PIXELS_A_GROUP // width)
    sums = np.empty((2, 2, 16, 16), np.float32)
    configure_tiles(configuration.ctypes.data)
    for start in range(0, rows, group):
        for o in range(weight.shape[0]):
            shift = bias.ctypes.data + o * BLOCK * 4
            factors = weight.ctypes.data + o * SIDE * blocks * SIDE * 4 * TILE_BYTES
            for y in range(start, min(start + group, rows)):
                for left in range(0, width, BLOCK):
                    load_tile(0, shift, 0)  # a step of 0: the same in each of the 16 rows
                    load_tile(1, shift + 64, 0)
                    load_tile(2, shift, 0)
                    load_tile(3, shift + 64, 0)
                    _sum_blocks(x.ctypes.data + y * row + left * 64, plane, row, factors, blocks)
                    store_tile(0, sums.ctypes.data, 64)
                    store_tile(1, sums.ctypes.data + TILE_BYTES, 64)
                    store_tile(2, sums.ctypes.data + 2 * TILE_BYTES, 64)
                    store_tile(3, sums.ctypes.data + 3 * TILE_BYTES, 64)
                    for pixel in range(min(BLOCK, width - left)):
                        for p in range(BLOCK):
                            out[2 * o + p // 16, y, left + pixel, p % 16] = sums[
                                pixel // 16, p // 16, pixel % 16, p % 16
                            ]
    release_tiles()


class AmxConvolution:
    """A convolution of 3x3 with its bias and ReLU on AMX; see `packed_features.PackedConvolution`."""

    def __init__(self, weight: Weight, bias: Bias) -> None:
        outputs, inputs = weight.shape[:2]
        blocks = -(-inputs // BLOCK)
        filled = np.pad(weight, ((0, 0), (0, blocks * BLOCK - inputs), (0, 0), (0, 0)))
        self._weight = np.empty((outputs // BLOCK, SIDE, blocks, SIDE, 2, 2, 16, 16, 2), np.uint16)
        for index, term in enumerate(split_terms(np.ascontiguousarray(filled, np.float32))):
            halves = (term.view(np.uint32) >> 16).astype(np.uint16)
            parts = halves.reshape(-1, 2, 16, blocks, 16, 2, SIDE, SIDE)
            self._weight[:, :, :, :, index] = parts.transpose(0, 6, 3, 7, 1, 4, 2, 5)
        self._bias = np.ascontiguousarray(bias)

    def run_packed(self, buffer: Packed, n_rows: int, pack: int) -> Packed:
        """Return what the first rows of a buffer become; `pack` is 16."""
        width = buffer.shape[2] - 2
        columns = -(-width // BLOCK) * BLOCK + 2
        blocks = self._weight.shape[2]
        terms = aligned_zeros((n_rows, blocks, columns, BLOCK)).view(np.uint16)
        terms = terms.reshape(n_rows, blocks, 2, columns, BLOCK)
        split_features(buffer, n_rows, terms)
        out = np.empty((len(self._bias) // pack, n_rows - 2, width, pack), np.float32)
        multiply_terms(terms, self._weight, self._bias, out, CONFIGURATION)
        return np.maximum(out, 0, out=out)


class TermsConvolution:
    """The same values by ncnn, for processors without AMX."""

    def __init__(self, weight: Weight, bias: Bias) -> None:
        high, low = split_terms(np.ascontiguousarray(weight, np.float32))
        self._whole = load_convolution(high + low, bias, has_relu=False)
        self._left_out = load_convolution(low, np.zeros_like(bias), has_relu=False)

    def run_packed(self, buffer: Packed, n_rows: int, pack: int) -> Packed:
        """Return what the first rows of a buffer become."""
        rounded, low = (aligned_zeros(buffer.shape) for _ in range(2))
        high, low[:] = split_terms(buffer)
        np.add(high, low, out=rounded)
        whole = self._whole.run_packed(rounded, n_rows, pack)
        return np.maximum(whole - self._left_out.run_packed(low, n_rows, pack), 0)
