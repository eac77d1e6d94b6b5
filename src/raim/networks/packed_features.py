"""Features on the processor: convolutions of 3x3 made in one of several ways, our own poolings and sums.

Features lie packed (`packing.py`), so that nothing is rearranged between layers. A convolution runs on one thread:
images are spread over worker processes instead.

| engine | its convolutions |
|---|---|
| ncnn | ncnn's, by Winograd's method |
| winograd | ours by the same method (`winograd.py`), products by numpy's BLAS |
| fast | DISTS's of two terms of bfloat16 each (`bfloat.py`), for processors with AMX; LPIPS's are ncnn's |
"""

import functools
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from raim.networks import kernels
from raim.networks.amx import has_amx
from raim.networks.bfloat import AmxConvolution, TermsConvolution
from raim.networks.folding import (
    SHIFTS,
    SIDE,
    cut_kernel,
    fold_kernel,
    fold_pixels,
    folded_side,
    shift_pixels,
)
from raim.networks.ncnn import load_convolution, native_pack
from raim.networks.nets import Backbone, Convolution, Layer, Pooling
from raim.networks.packing import Packed, aligned_zeros
from raim.networks.stream import Operator
from raim.networks.vectors import LANES
from raim.networks.winograd import WinogradConvolution
from raim.weights import load_weights

PackedLines = list[Packed]


@runtime_checkable
class PackedConvolution(Protocol):
    """A convolution of 3x3 and stride 1, with its bias and ReLU."""

    def run_packed(self, buffer: Packed, n_rows: int, pack: int) -> Packed:
        """Return what the first rows of a buffer become, packed by `pack`; the columns have their padding."""


LoadConvolution = Callable[[Float32[np.ndarray, "o i 3 3"], Float32[np.ndarray, " o"]], PackedConvolution]
CONVOLUTIONS: dict[str, LoadConvolution] = {"ncnn": load_convolution, "winograd": WinogradConvolution}
# LPIPS weighs small differences of unit features: by terms it would be up to 6.3e-6 away (AlexNet; VGG16 5.9e-6).
EXACT = ("alexnet", "vgg16-max")
Prepare = Callable[
    [Packed, int], tuple[Packed, int]
]  # a buffer and lines to make -> what is convolved, its rows


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
            buffer[:, :kept] = buffer[:, n_lines : self.n_lines]
        self.n_lines = kept


class PackedEngine:
    """See `features.Engine`."""

    def __init__(
        self,
        name: str,
        load_convolution: LoadConvolution,
        *,
        pack: int,
        takes_few: bool = False,
        exact: Sequence[str] = (),
    ) -> None:
        """Make an engine.

        Args:
            name: Its name.
            load_convolution: Makes a convolution of its weight and bias.
            pack: Channels that lie together.
            takes_few: Whether its convolutions take channels that are no multiple of `pack`, one by one.
            exact: Backbones whose convolutions are ncnn's all the same.
        """
        self.name = name
        self.pack = pack
        self._load_convolution = load_convolution
        self._takes_few = takes_few
        self._exact = exact
        self._convolutions: dict[tuple[str, int, bool], PackedConvolution] = {}
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
        """Return the function that applies layer `index`."""
        layer = backbone.layers[index]
        if isinstance(layer, Pooling):
            return functools.partial(_pool, layer)
        number = backbone.number_of(index)
        is_exact = backbone.name in self._exact
        key = (backbone.weights, number, is_exact)
        change_kernel, prepare = self._prepare(layer)
        if key not in self._convolutions:
            weights = load_weights(backbone.weights)
            load = load_convolution if is_exact else self._load_convolution
            self._convolutions[key] = load(
                change_kernel(weights[f"conv{number}.weight"]), weights[f"conv{number}.bias"]
            )
        pack = self.pack if layer.outputs % self.pack == 0 else 1
        return functools.partial(_convolve, self._convolutions[key], prepare, pack)

    def _prepare(self, layer: Convolution) -> tuple[Callable[..., Float32[np.ndarray, "o _ _ _"]], Prepare]:
        """Return how the kernel and the features of a layer become those of a convolution of 3x3 and stride 1."""
        if layer.stride == 1 and SIDE < layer.kernel <= 2 * SIDE:
            return cut_kernel, functools.partial(_shift, layer)
        if layer.stride == 1 and (self._takes_few or layer.inputs % self.pack == 0):
            return np.asarray, functools.partial(_keep, layer)
        return (
            functools.partial(fold_kernel, stride=layer.stride, pack=self.pack),
            functools.partial(_fold, layer, self.pack),
        )

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


def load_packed_engine(name: str) -> PackedEngine:
    """Load the engine of that name."""
    if name == "winograd":
        return PackedEngine(name, WinogradConvolution, pack=LANES)
    if name == "fast" and has_amx() and native_pack() == LANES:
        return PackedEngine(name, AmxConvolution, pack=LANES, exact=EXACT)
    load = load_convolution if name == "ncnn" else TermsConvolution
    exact = EXACT if name == "fast" else ()
    return PackedEngine(name, load, pack=native_pack(), takes_few=True, exact=exact)


def _pool(layer: Pooling, window: PackedWindow, n_lines: int) -> PackedLines:
    """Apply a pooling to every image of a window."""
    width = (window.buffers[0].shape[2] - layer.kernel) // layer.stride + 1
    if layer.kind == "l2":
        return [kernels.l2_pool(buffer, n_lines, width) for buffer in window.buffers]
    return [kernels.max_pool(buffer, n_lines, width, layer.kernel) for buffer in window.buffers]


def _convolve(
    convolution: PackedConvolution, prepare: Prepare, pack: int, window: PackedWindow, n_lines: int
) -> PackedLines:
    """Apply a convolution and its ReLU to every image of a window."""
    return [convolution.run_packed(*prepare(buffer, n_lines), pack) for buffer in window.buffers]


def _keep(layer: Convolution, buffer: Packed, n_lines: int) -> tuple[Packed, int]:
    return buffer, n_lines + layer.kernel - 1


def _shift(layer: Convolution, buffer: Packed, n_lines: int) -> tuple[Packed, int]:
    groups, _, columns, pack = buffer.shape
    n_rows = n_lines + SIDE - 1
    shifted = aligned_zeros((len(SHIFTS) * groups, n_rows, columns - layer.kernel + SIDE, pack))
    shift_pixels(buffer, shifted)
    return shifted, n_rows


def _fold(layer: Convolution, pack: int, buffer: Packed, n_lines: int) -> tuple[Packed, int]:
    more = folded_side(layer.kernel, layer.stride) - 1
    columns = (buffer.shape[2] - layer.kernel) // layer.stride + 1 + more
    folded = fold_pixels(buffer, rows=n_lines + more, columns=columns, stride=layer.stride, pack=pack)
    return folded, folded.shape[1]
