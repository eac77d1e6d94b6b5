"""The compiled features of NIQE, one 96x96 block at a time, so that all of a block's planes stay in a cache.

A block is cut out of a strip of luma with 9 pixels around it: 3 for the Gaussian window at full scale, 9 for the
window at half scale and the interpolation that leads there.
"""

import math

import numpy as np
from jaxtyping import Float64, Shaped, UInt8

from raim.compilation import kernel
from raim.metrics.blur_kernels import make_blurs

BLOCK = 96
HALF_BLOCK = BLOCK // 2
MARGIN = 9
TAPS = 7  # of the Gaussian window
REACH = TAPS // 2
CUBIC_TAPS = 8
FEATURES = 18  # per scale

# Luma is an integer: a window that holds two values has at least the variance w (1 - w) = 1.6e-4, where w is the
# weight of a corner. Less is rounding.
FLAT_VARIANCE = 1e-4

_blur_down, _blur_along = make_blurs(TAPS)

Tile = Float64[np.ndarray, "rows columns"]
Rounding = tuple[float, float, bool]


@kernel
def block_row_features(
    strip: UInt8[np.ndarray, "114 strip_width"],
    edges: tuple[bool, bool],
    tables: tuple[Float64[np.ndarray, "7"], Float64[np.ndarray, "8"], Float64[np.ndarray, "4 grid"]],
    rounding: Rounding,
    out: Float64[np.ndarray, "blocks 36"],
) -> int:
    """Write the features of a row of blocks.

    Args:
        strip: Rounded luma of the blocks with 9 rows and columns around them, mirrored where the image ends.
        edges: Whether the image ends above and below these blocks.
        tables: Gaussian weights, weights of the interpolation to half scale, `shape_table`.
        rounding: `sum_of_window`, `snap`, `is_single` of the variant (`raim.metrics.niqe_features`).
        out: Written to; first the 18 features at full scale, then at half scale.

    Returns:
        The number of pixels whose window is flat.
    """
    window, cubic, shapes = tables
    blocks = out.shape[0]
    flat = 0
    mirrored = np.empty((BLOCK + 2 * MARGIN, BLOCK + 2 * MARGIN))
    full = np.empty((BLOCK + 2 * REACH, BLOCK + 2 * REACH))
    halved = np.empty((HALF_BLOCK + 2 * REACH, HALF_BLOCK + 2 * REACH))
    half = np.empty_like(halved)
    structure = np.empty((BLOCK, BLOCK + 2))
    half_structure = np.empty((HALF_BLOCK, HALF_BLOCK + 2))
    for block in range(blocks):
        ends = (edges[0], edges[1], block == 0, block == blocks - 1)
        _copy(strip[:, block * BLOCK :], (False, False, False, False), mirrored)
        _copy(mirrored[MARGIN - REACH :, MARGIN - REACH :], ends, full)
        flat += _normalise(full, window, rounding, structure)
        _features(structure, shapes, out[block, :FEATURES])
        _halve(mirrored, cubic, rounding[2], halved)
        _copy(halved, ends, half)
        _normalise(half, window, rounding, half_structure)
        _features(half_structure, shapes, out[block, FEATURES:])
    return flat


@kernel
def _copy(source: Shaped[np.ndarray, "_ _"], edges: tuple[bool, bool, bool, bool], out: Tile) -> None:
    """Copy a tile; 3 rows and columns above, below, left and right of the image become its last ones there."""
    rows, columns = out.shape
    top, bottom, left, right = edges
    first, last = REACH * top, rows - 1 - REACH * bottom
    for y in range(rows):
        line = source[min(max(y, first), last)]
        for x in range(columns):
            out[y, x] = line[x]
        for x in range(REACH * left):
            out[y, x] = line[REACH]
        for x in range(columns - REACH * right, columns):
            out[y, x] = line[columns - 1 - REACH]


@kernel
def _normalise(tile: Tile, window: Float64[np.ndarray, "7"], rounding: Rounding, out: Tile) -> int:
    """Subtract the local mean, divide by the local deviation plus 1; count the flat windows.

    Lines of `out` have one value more at each end, the copy of the other end's.
    """
    sum_of_window, snap, is_single = rounding
    rows, columns = out.shape[0], out.shape[1] - 2
    down_mean, down_square = np.empty(columns + 2 * REACH), np.empty(columns + 2 * REACH)
    mean, square = np.empty(columns), np.empty(columns)
    flat = 0
    for y in range(rows):
        _blur_down(tile, y, window, down_mean, down_square)
        _blur_along(down_mean, window, mean)
        _blur_along(down_square, window, square)
        for x in range(columns):
            flat += square[x] - mean[x] * mean[x] < FLAT_VARIANCE
        if is_single:
            _round_to_single(mean)
            _round_to_single(square)
        centre, line = tile[y + REACH], out[y]
        for x in range(columns):
            local_mean = sum_of_window * mean[x]
            deviation = math.sqrt(abs(sum_of_window * square[x] - local_mean * local_mean))
            difference = centre[x + REACH] - local_mean
            if abs(difference) < snap:
                difference = 0.0
            line[x + 1] = difference / (deviation + 1.0)
        line[0], line[columns + 1] = line[columns], line[1]
    return flat


@kernel
def _round_to_single(line: Float64[np.ndarray, " n"]) -> None:
    for x in range(line.size):
        line[x] = np.float64(np.float32(line[x]))


@kernel
def _halve(tile: Tile, cubic: Float64[np.ndarray, "8"], is_single: bool, out: Tile) -> None:  # noqa: FBT001 - by position
    """Interpolate at the corners between four pixels, every second one, rows first."""
    line = np.empty(tile.shape[1])
    for y in range(out.shape[0]):
        line[:] = 0.0
        for k in range(CUBIC_TAPS):
            source, weight = tile[2 * y + k], cubic[k]
            for x in range(line.size):
                line[x] += weight * source[x]
        if is_single:
            _round_to_single(line)
        for x in range(out.shape[1]):
            total = 0.0
            for k in range(CUBIC_TAPS):
                total += cubic[k] * line[2 * x + k]
            out[y, x] = total
        if is_single:
            _round_to_single(out[y])


@kernel
def _features(structure: Tile, shapes: Float64[np.ndarray, "4 grid"], out: Float64[np.ndarray, "18"]) -> None:
    """Fit the values, then their products with the neighbour to the left, above, and on both diagonals.

    Neighbours are taken around the end, so the first column of `structure` is the last one's copy, and the reverse.
    """
    size = structure.shape[0]
    sums = np.empty(5)
    ones = np.ones(size)
    for pair in range(5):
        down = 1 if pair >= 2 else 0
        across = (0, 1, 0, 1, -1)[pair]
        sums[:] = 0.0
        for y in range(size):
            line = structure[y, 1 : size + 1]
            above = structure[y - down if y >= down else size - 1]
            other = ones if pair == 0 else above[1 - across : size + 1 - across]
            _add_sums(line, other, sums)
        start = 0 if pair == 0 else 4 * pair - 2
        _fit(sums, size * size, shapes, pair == 0, out[start:])


@kernel
def _add_sums(
    line: Float64[np.ndarray, " n"], other: Float64[np.ndarray, " n"], sums: Float64[np.ndarray, "5"]
) -> None:
    """Add up, for the products v of two lines, |v|, v^2 where v < 0 and where v > 0, and both counts."""
    absolute = negative = squares = 0.0
    below = above = 0
    for x in range(line.size):
        value = line[x] * other[x]
        square = value * value
        absolute += abs(value)
        squares += square
        negative += square if value < 0 else 0.0
        below += value < 0
        above += value > 0
    sums[0] += absolute
    sums[1] += negative
    sums[2] += squares - negative
    sums[3] += below
    sums[4] += above


@kernel
def _fit(
    sums: Float64[np.ndarray, "5"],
    n: int,
    shapes: Float64[np.ndarray, "4 grid"],
    is_single: bool,  # noqa: FBT001 - by position
    out: Float64[np.ndarray, " k"],
) -> None:
    """Write shape and scale (2 features), or shape, mean and both scales (4), of a generalised Gaussian."""
    left = math.sqrt(sums[1] / sums[3]) if sums[3] > 0 else np.nan
    right = math.sqrt(sums[2] / sums[4]) if sums[4] > 0 else np.nan
    squares = sums[1] + sums[2]
    ratio = sums[0] * sums[0] / (n * squares) if squares > 0 else np.nan
    asymmetry = left / right if right > 0 else np.nan
    target = ratio * (asymmetry**3 + 1) * (asymmetry + 1) / (asymmetry * asymmetry + 1) ** 2
    nearest = _nearest(shapes[1], target)
    left_scale, right_scale = left * shapes[2, nearest], right * shapes[2, nearest]
    out[0] = shapes[0, nearest]
    if is_single:
        out[1] = (left_scale + right_scale) / 2
    else:
        out[1] = (right_scale - left_scale) * shapes[3, nearest]
        out[2] = left_scale
        out[3] = right_scale


@kernel
def _nearest(rising: Float64[np.ndarray, " grid"], target: float) -> int:
    """Find the value nearest to the target; the first one if that is NaN, as the original's minimum does."""
    if not target > rising[0]:
        return 0
    low, high = 0, rising.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if rising[middle] < target:
            low = middle
        else:
            high = middle
    return low if target - rising[low] <= rising[high] - target else high
