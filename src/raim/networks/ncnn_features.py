"""Features on the processor: ncnn's Winograd convolutions, our own poolings and sums.

Features lie in ncnn's packed layout, so that nothing is rearranged between layers. Each convolution is an ncnn net of
one layer that runs on one thread: images are spread over worker processes instead.
"""

import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from raim.networks import kernels
from raim.networks.folding import (
    SHIFTS,
    SIDE,
    cut_kernel,
    fold_kernel,
    fold_pixels,
    folded_side,
    shift_pixels,
)
from raim.networks.ncnn import NcnnNetwork, Packed, aligned_zeros, load_convolutions, native_pack
from raim.networks.nets import Backbone, Convolution, Layer, Pooling
from raim.networks.stream import Operator
from raim.weights import load_weights

PackedLines = list[Packed]


class PackedWindow:
    """Rows of all images in one buffer each, with the padding of columns in place; see `stream.Window`."""

    def __init__(self, shape: tuple[int, int, int, int], *, room: int, padding: int, n_images: int) -> None:
        self.n_lines = 0
        self.room = room
        self.padding = padding
        self.buffers = [aligned_zeros(shape) for _ in range(n_images)]

    def append(self, lines: PackedLines, start: int) -> int | None:
        """Take rows from `start` on, as many as there is room for."""
        stop = min(lines[0].shape[1], start + self.room - self.n_lines)
        end = self.n_lines + stop - start
        columns = slice(self.padding, self.padding + lines[0].shape[2])
        for buffer, new in zip(self.buffers, lines, strict=True):
            buffer[:, self.n_lines : end, columns] = new[:, start:stop]
        self.n_lines = end
        return None if stop == lines[0].shape[1] else stop

    def pad(self, n_lines: int) -> None:
        """Take rows of zeros, beyond the room if need be."""
        for buffer in self.buffers:
            buffer[:, self.n_lines : self.n_lines + n_lines] = 0
        self.n_lines += n_lines

    def discard(self, n_lines: int) -> None:
        """Forget rows at the top."""
        kept = self.n_lines - n_lines
        for buffer in self.buffers:
            buffer[:, :kept] = buffer[:, n_lines : self.n_lines].copy()
        self.n_lines = kept


class NcnnEngine:
    """See `features.Engine`."""

    name = "ncnn"

    def __init__(self) -> None:
        self._nets: dict[tuple[str, int], NcnnNetwork] = {}
        self.pack = native_pack()
        kernels.compile_kernels()

    def load(self, strips: Sequence[Float32[np.ndarray, "rows w 3"]]) -> PackedLines:
        """Bring the same rows of every image into (3, rows, w, 1)."""
        return [np.moveaxis(strip, 2, 0)[..., None] for strip in strips]

    def window(self, layer: Layer, *, width: int, n_images: int, room: int) -> PackedWindow:
        """Make an empty window."""
        pack = self.pack if layer.inputs % self.pack == 0 else 1
        shape = (layer.inputs // pack, room + layer.padding, width + 2 * layer.padding, pack)
        return PackedWindow(shape, room=room, padding=layer.padding, n_images=n_images)

    def operator(self, backbone: Backbone, index: int) -> Operator:
        """Give the function that applies layer `index`."""
        layer = backbone.layers[index]
        if isinstance(layer, Pooling):
            return functools.partial(_pool, layer)
        key = (backbone.weights, backbone.number_of(index))
        if key not in self._nets:
            weights, number = load_weights(key[0]), key[1]
            weight = weights[f"conv{number}.weight"]
            prepare = cut_kernel if _is_cut(layer) else functools.partial(fold_kernel, stride=layer.stride)
            self._nets[key] = load_convolutions(
                [(prepare(weight), weights[f"conv{number}.bias"], True)], padding=0, keeps_memory=True
            )
        pack = self.pack if layer.outputs % self.pack == 0 else 1
        return functools.partial(_convolve, layer, self._nets[key], pack)

    def pixels(self, lines: PackedLines) -> int:
        """Count the pixels of one image's rows."""
        return lines[0].shape[1] * lines[0].shape[2]

    def moments(
        self, lines: PackedLines
    ) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"], Float64[np.ndarray, "k c"]]:
        """Sum x, x^2 and x y over the pixels; see `features.Engine`."""
        return kernels.sum_moments(lines)

    def head_distances(
        self, lines: PackedLines, head: Float32[np.ndarray, " c"]
    ) -> Float64[np.ndarray, " k"]:
        """Sum the weighted squared differences of unit features; see `features.Engine`."""
        packed_head = head.astype(np.float64).reshape(lines[0].shape[0], lines[0].shape[3])
        return np.array([kernels.head_distance(lines[0], image, packed_head) for image in lines[1:]])


def _pool(layer: Pooling, window: PackedWindow, n_lines: int) -> PackedLines:
    """Apply a pooling to every image of a window."""
    width = (window.buffers[0].shape[2] - layer.kernel) // layer.stride + 1
    if layer.kind == "l2":
        return [kernels.l2_pool(buffer, n_lines, width) for buffer in window.buffers]
    return [kernels.max_pool(buffer, n_lines, width, layer.kernel) for buffer in window.buffers]


def _is_cut(layer: Convolution) -> bool:
    """Whether a convolution is made as four of 3x3."""
    return layer.stride == 1 and SIDE < layer.kernel <= 2 * SIDE


def _convolve(
    layer: Convolution, network: NcnnNetwork, pack: int, window: PackedWindow, n_lines: int
) -> PackedLines:
    """Apply a convolution and its ReLU to every image of a window."""
    if _is_cut(layer):
        groups, _, columns, own_pack = window.buffers[0].shape
        n_rows, columns = n_lines + SIDE - 1, columns - layer.kernel + SIDE
        shifted = aligned_zeros((len(SHIFTS) * groups, n_rows, columns, own_pack))
        found = []
        for buffer in window.buffers:
            shift_pixels(buffer, shifted)
            found.append(network.run_packed(shifted, n_rows, pack))
        return found
    if layer.stride == 1:
        n_rows = n_lines + layer.kernel - 1
        return [network.run_packed(buffer, n_rows, pack) for buffer in window.buffers]
    # Folded, so that a convolution with stride 1 makes the lines.
    more = folded_side(layer.kernel, layer.stride) - 1
    columns = (window.buffers[0].shape[2] - layer.kernel) // layer.stride + 1 + more
    found = []
    for buffer in window.buffers:
        pixels = fold_pixels(buffer, rows=n_lines + more, columns=columns, stride=layer.stride, pack=pack)
        folded = aligned_zeros(pixels.shape)
        folded[:] = pixels
        found.append(network.run_packed(folded, folded.shape[1], pack))
    return found
