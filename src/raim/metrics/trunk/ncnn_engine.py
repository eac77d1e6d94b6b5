"""The trunks on the processor: ncnn's Winograd convolutions, our own poolings and sums.

Features lie in ncnn's packed layout, (channels / pack, rows, columns, pack) float32 with pack 16, 8, 4 or 1 as the
processor has it, so that nothing is rearranged between layers. Each convolution is an ncnn net of one layer that
runs on one thread: images are spread over worker processes instead.
"""

import ctypes
import functools
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import ncnn
import numpy as np
from jaxtyping import Float32, Float64

from raim.errors import RaimError
from raim.metrics.trunk import kernels
from raim.metrics.trunk.architecture import Convolution, Layer, Pooling, Trunk
from raim.metrics.trunk.engines import Operator
from raim.metrics.trunk.folding import fold_kernel, fold_pixels, folded_side
from raim.weights import load_weights

ALIGNMENT = 64  # bytes: ncnn reads whole AVX-512 registers
FLOAT_BYTES = 4

PackedRows = list[kernels.Packed]


class PackedWindow:
    """Rows of all images in one buffer each, with the columns' padding in place; see `engines.Window`."""

    def __init__(self, shape: tuple[int, int, int, int], *, padding: int, n_images: int) -> None:
        self.n_rows = 0
        self.padding = padding
        self.buffers = [_aligned_zeros(shape) for _ in range(n_images)]

    def append(self, rows: PackedRows, start: int, stop: int) -> None:
        """Add rows `start` to `stop` of a block at the bottom."""
        end = self.n_rows + stop - start
        columns = slice(self.padding, self.padding + rows[0].shape[2])
        for buffer, new in zip(self.buffers, rows, strict=True):
            buffer[:, self.n_rows : end, columns] = new[:, start:stop]
        self.n_rows = end

    def discard(self, n_rows: int) -> None:
        """Forget rows at the top."""
        kept = self.n_rows - n_rows
        for buffer in self.buffers:
            buffer[:, :kept] = buffer[:, n_rows : self.n_rows].copy()
        self.n_rows = kept


class NcnnEngine:
    """See `engines.Engine`."""

    name = "ncnn"

    def __init__(self) -> None:
        self._nets: dict[tuple[str, int], ncnn.Net] = {}
        self.pack = _native_pack()
        kernels.compile_kernels()

    def load(self, strips: Sequence[Float32[np.ndarray, "rows w 3"]]) -> PackedRows:
        """Bring the same rows of every image into (3, rows, w, 1)."""
        return [np.moveaxis(strip, 2, 0)[..., None] for strip in strips]

    def window(self, layer: Layer, *, width: int, n_images: int, capacity: int) -> PackedWindow:
        """Make an empty window."""
        pack = self.pack if layer.inputs % self.pack == 0 else 1
        shape = (layer.inputs // pack, capacity, width + 2 * layer.padding, pack)
        return PackedWindow(shape, padding=layer.padding, n_images=n_images)

    def operator(self, trunk: Trunk, index: int) -> Operator:
        """Give the function that applies layer `index`."""
        layer = trunk.layers[index]
        if isinstance(layer, Pooling):
            return PackedPooling(layer)
        number = sum(isinstance(before, Convolution) for before in trunk.layers[:index])
        key = (trunk.weights, number)
        if key not in self._nets:
            weights = load_weights(trunk.weights)
            weight = fold_kernel(weights[f"conv{number}.weight"], layer.stride)
            self._nets[key] = _convolution_net(weight, weights[f"conv{number}.bias"])
        return PackedConvolution(layer, self._nets[key], self.pack)

    def height(self, rows: PackedRows) -> int:
        """Count the rows of a block."""
        return rows[0].shape[1]

    def zero_rows(self, rows: PackedRows, height: int) -> PackedRows:
        """Make a block of zeros like `rows`, of another height."""
        groups, _, width, pack = rows[0].shape
        return [np.zeros((groups, height, width, pack), np.float32)] * len(rows)

    def pixels(self, rows: PackedRows) -> int:
        """Count the pixels of one image's rows."""
        return rows[0].shape[1] * rows[0].shape[2]

    def moments(
        self, rows: PackedRows
    ) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"], Float64[np.ndarray, "k c"]]:
        """Sum x, x^2 and x y over the pixels; see `engines.Engine`."""
        own = [kernels.sums(image) for image in rows]
        cross = [kernels.cross_sums(rows[0], image) for image in rows[1:]]
        channels = own[0].shape[1]
        return (
            np.stack([pair[0] for pair in own]),
            np.stack([pair[1] for pair in own]),
            np.stack(cross) if cross else np.empty((0, channels)),
        )

    def head_distances(self, rows: PackedRows, head: Float32[np.ndarray, " c"]) -> Float64[np.ndarray, " k"]:
        """Sum the weighted squared differences of unit features; see `engines.Engine`."""
        packed_head = head.astype(np.float64).reshape(rows[0].shape[0], rows[0].shape[3])
        return np.array([kernels.head_distance(rows[0], image, packed_head) for image in rows[1:]])


class PackedPooling:
    """Applies a pooling to every image of a window."""

    def __init__(self, layer: Pooling) -> None:
        self.layer = layer

    def __call__(self, window: PackedWindow, n_out: int) -> PackedRows:
        """Make `n_out` rows of every image."""
        width_out = (window.buffers[0].shape[2] - self.layer.kernel) // self.layer.stride + 1
        if self.layer.kind == "l2":
            return [kernels.l2_pool(buffer, n_out, width_out) for buffer in window.buffers]
        return [kernels.max_pool(buffer, n_out, width_out, self.layer.kernel) for buffer in window.buffers]


class PackedConvolution:
    """Applies a convolution and its ReLU to every image of a window."""

    def __init__(self, layer: Convolution, net: ncnn.Net, pack: int) -> None:
        self.layer = layer
        self.net = net
        self.pack = pack if layer.outputs % pack == 0 else 1

    def __call__(self, window: PackedWindow, n_out: int) -> PackedRows:
        """Make `n_out` rows of every image."""
        if self.layer.stride == 1:
            return [self._run(buffer, n_out + self.layer.kernel - 1) for buffer in window.buffers]
        folded = [self._fold(buffer, n_out) for buffer in window.buffers]
        return [self._run(buffer, buffer.shape[1]) for buffer in folded]

    def _fold(self, buffer: kernels.Packed, n_out: int) -> kernels.Packed:
        """Fold a buffer's top rows, so that a convolution with stride 1 makes `n_out` rows of them."""
        more = folded_side(self.layer.kernel, self.layer.stride) - 1
        width_out = (buffer.shape[2] - self.layer.kernel) // self.layer.stride + 1
        pixels = fold_pixels(
            buffer, rows=n_out + more, columns=width_out + more, stride=self.layer.stride, pack=self.pack
        )
        folded = _aligned_zeros(pixels.shape)
        folded[:] = pixels
        return folded

    def _run(self, buffer: kernels.Packed, n_in: int) -> kernels.Packed:
        extractor = self.net.create_extractor()
        extractor.input("in", _as_mat(buffer, n_in))
        status, mat = extractor.extract("out", 1)  # 1: leave it packed
        if status != 0:
            raise RaimError(
                f"ncnn stopped with status {status} in a convolution of {buffer.shape}; memory may be full"
            )
        return _as_array(mat, self.pack)


def _aligned_zeros(shape: tuple[int, int, int, int]) -> kernels.Packed:
    """Allocate what ncnn may read by whole registers."""
    n_bytes = math.prod(shape) * FLOAT_BYTES
    raw = np.zeros(n_bytes + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + n_bytes].view(np.float32).reshape(shape)


def _as_mat(buffer: kernels.Packed, n_rows: int) -> ncnn.Mat:
    """Show ncnn the top rows of a buffer without copying them."""
    groups, rows, width, pack = buffer.shape
    mat = ncnn.Mat(buffer.reshape(groups, rows, width * pack))
    mat.w = width
    mat.h = n_rows
    mat.elemsize = FLOAT_BYTES * pack
    mat.elempack = pack
    mat.cstep = rows * width
    return mat


def _as_array(mat: ncnn.Mat, pack: int) -> kernels.Packed:
    """Show numpy what ncnn has computed without copying it."""
    if mat.elempack != pack:
        raise RaimError(
            f"ncnn gave features packed by {mat.elempack}, expected {pack}; please report it with `raim doctor`"
        )
    width = mat.w
    mat.w = width * pack
    mat.elemsize = FLOAT_BYTES
    mat.elempack = 1
    mat.cstep = mat.cstep * pack
    array = np.array(mat, copy=False)
    return array.reshape(array.shape[0], array.shape[1], width, pack) if pack > 1 else array[..., None]


def _convolution_net(weight: Float32[np.ndarray, "o i k k"], bias: Float32[np.ndarray, " o"]) -> ncnn.Net:
    """Load one convolution of stride 1 with a ReLU; float32 throughout, since DISTS wants 5e-6."""
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = False
    net.opt.blob_allocator, net.opt.workspace_allocator = _allocators()
    for option in (
        "use_fp16_storage",
        "use_fp16_arithmetic",
        "use_fp16_packed",
        "use_bf16_storage",
        "use_bf16_packed",
    ):
        if hasattr(net.opt, option):
            setattr(net.opt, option, False)
    description = (
        "7767517\n2 2\nInput in 0 1 in\n"
        f"Convolution conv 1 1 in out 0={weight.shape[0]} 1={weight.shape[2]} 3=1 4=0 5=1 6={weight.size} 9=1\n"
    )
    flag = np.zeros(1, np.uint32)  # weights follow as float32
    blob = flag.tobytes() + weight.astype("<f4").tobytes() + bias.astype("<f4").tobytes()
    # Through a file: loaded from memory, ncnn keeps pointing at bytes that Python may free.
    with tempfile.TemporaryDirectory(prefix="raim-") as folder:
        path = Path(folder) / "convolution.bin"
        path.write_bytes(blob)
        is_loaded = net.load_param_mem(description) == 0 and net.load_model(str(path)) == 0
    if not is_loaded:
        raise RaimError(
            "ncnn could not load a convolution; please report it with the output of `raim doctor`"
        )
    return net


@functools.cache
def _allocators() -> tuple[ncnn.PoolAllocator, ncnn.PoolAllocator]:
    """Make the allocators that keep memory for the next call, once per process and for good.

    ncnn aborts where an allocator dies before the arrays it gave out, so Python is told never to free them.
    """
    allocators = (ncnn.PoolAllocator(), ncnn.PoolAllocator())
    for allocator in allocators:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(allocator))
    return allocators


def _native_pack() -> int:
    """Ask ncnn how many channels it packs together on this processor."""
    net = _convolution_net(np.zeros((16, 16, 1, 1), np.float32), np.zeros(16, np.float32))
    extractor = net.create_extractor()
    extractor.input("in", ncnn.Mat(np.zeros((16, 8, 8), np.float32)))
    return int(extractor.extract("out", 1)[1].elempack)
