"""The one loop that streams images through a trunk in strips of rows.

Each layer is a generator from blocks of rows to blocks of rows. It keeps the last rows it has seen, as many as its
kernel will want again, so a strip needs no halo, nothing is computed twice and the result is that of the whole
image for any strip height. Memory is bounded by the width of the images and their number, never by their height.

The reference and its K candidates go through together, so that the reference's pass is shared.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from raim.errors import InputError
from raim.metrics.trunk.architecture import Convolution, Layer, Trunk
from raim.metrics.trunk.engines import Engine, Operator, Rows

# A layer waits until it can make about this many pixels: with fewer, loading a convolution's weights takes longer
# than using them; with more, features fall out of the processor's cache (measured from 4 to 12 thousand).
PIXELS_PER_CALL = 4 * 1024
# The Winograd tiles that ncnn chooses are 4 rows high: other heights would compute rows that are thrown away.
ROW_MULTIPLE = 4

ReadRows = Callable[[int, int], Sequence[Float32[np.ndarray, "rows w 3"]]]
OnTap = Callable[[int, Rows], None]


def stream_taps(
    engine: Engine,
    trunk: Trunk,
    *,
    height: int,
    width: int,
    n_images: int,
    read_rows: ReadRows,
    on_tap: OnTap,
    strip_rows: int,
) -> None:
    """Call `on_tap` with (tap index, rows of that feature for all images) as the strips come through.

    Args:
        engine: What computes the layers.
        trunk: Which layers.
        height: Rows of every image.
        width: Columns of every image.
        n_images: How many images go through together; the first is the reference.
        read_rows: Gives rows y0 to y1 of every image, normalised as the trunk expects, (y1 - y0, w, 3) float32.
        on_tap: Takes what measures compare. Rows of one tap come in order; their memory may be used again.
        strip_rows: How many rows are read at a time. It changes memory and speed, not the result.

    Raises:
        InputError: If `strip_rows` is not positive.
        UnscorableError: If the images are too small for the trunk.
    """
    if strip_rows < 1:
        raise InputError(f"a strip of {strip_rows} rows was asked for; it must have at least 1")
    trunk.check_size(height, width)
    blocks: Iterable[Rows] = (
        engine.load(read_rows(top, min(height, top + strip_rows))) for top in range(0, height, strip_rows)
    )
    tap = 0
    for index, layer in enumerate(trunk.layers):
        width_out = (width + 2 * layer.padding - layer.kernel) // layer.stride + 1
        blocks = _stream_layer(
            blocks,
            layer,
            operator=engine.operator(trunk, index),
            engine=engine,
            width=width,
            rows_out=_rows_per_call(width_out),
            n_images=n_images,
        )
        if isinstance(layer, Convolution) and layer.is_tap:
            blocks = _tapped(blocks, tap, on_tap)
            tap += 1
        width = width_out
    for _ in blocks:
        pass


def _stream_layer(
    blocks: Iterable[Rows],
    layer: Layer,
    *,
    operator: Operator,
    engine: Engine,
    width: int,
    rows_out: int,
    n_images: int,
) -> Iterator[Rows]:
    """Apply one layer to blocks of rows, giving blocks of `rows_out` rows; the last may have fewer."""
    capacity = (rows_out - 1) * layer.stride + layer.kernel
    window = engine.window(layer, width=width, n_images=n_images, capacity=capacity)
    for rows in _padded(engine, layer, blocks):
        start, height = 0, engine.height(rows)
        while start < height:
            stop = min(height, start + capacity - window.n_rows)
            window.append(rows, start, stop)
            start = stop
            if window.n_rows == capacity:
                yield operator(window, rows_out)
                window.discard(rows_out * layer.stride)
    n_left = (window.n_rows - layer.kernel) // layer.stride + 1
    if n_left > 0:
        yield operator(window, n_left)


def _padded(engine: Engine, layer: Layer, blocks: Iterable[Rows]) -> Iterator[Rows]:
    """Put the layer's rows of zeros before and behind the blocks."""
    zeros = None
    for rows in blocks:
        if zeros is None:
            zeros = engine.zero_rows(rows, layer.padding)
            yield zeros
        yield rows
    if zeros is not None:
        yield zeros


def _tapped(blocks: Iterable[Rows], tap: int, on_tap: OnTap) -> Iterator[Rows]:
    """Show the blocks to the measure on their way."""
    for rows in blocks:
        on_tap(tap, rows)
        yield rows


def _rows_per_call(width_out: int) -> int:
    return max(1, round(PIXELS_PER_CALL / width_out / ROW_MULTIPLE)) * ROW_MULTIPLE
