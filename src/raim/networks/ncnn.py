"""Nets on the processor through ncnn: float32 throughout, one thread for each call, so that tiles run side by side.

docs/baselines.md compares it with torch on RRDBNet: it is the fastest that is exact. Its bfloat16, and torch's, are
faster still but off by 3 to 12 levels of 255.

ncnn packs 16, 8, 4 channels or 1 together (`packing.py`), as the processor has it.
"""

import ctypes
import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import ncnn
import numpy as np
from jaxtyping import Float32

from raim.errors import RaimError
from raim.networks.nets import Chain
from raim.networks.packing import FLOAT_BYTES, Packed
from raim.weights import fetch_files, load_weights

Planes = Float32[np.ndarray, "_c _h _w"]
FLOAT32_ONLY = (
    "use_fp16_storage",
    "use_fp16_arithmetic",
    "use_fp16_packed",
    "use_bf16_storage",
    "use_bf16_packed",
)


class NcnnNetwork:
    """A loaded ncnn net, never freed: one for each set of weights in a process."""

    def __init__(self, param: str, binary: Path, *, keeps_memory: bool = False) -> None:
        """Load a net.

        Args:
            param: Text of the .param.
            binary: Path of the .bin.
            keeps_memory: Whether memory is kept for the next call; for threads that live as long as the process.

        Raises:
            RaimError: ncnn refuses them.
        """
        self._net = ncnn.Net()
        ctypes.pythonapi.Py_IncRef(
            ctypes.py_object(self._net)
        )  # at exit ncnn would free it after its allocators
        self._net.opt.num_threads = 1
        self._net.opt.use_vulkan_compute = False
        if keeps_memory:
            self._net.opt.blob_allocator, self._net.opt.workspace_allocator = _allocators()
        for option in FLOAT32_ONLY:
            if hasattr(self._net.opt, option):
                setattr(self._net.opt, option, False)
        if self._net.load_param_mem(param) != 0 or self._net.load_model(str(binary)) != 0:
            raise RaimError(
                f"ncnn could not load {binary.name}; please report it with the output of `raim doctor`"
            )

    def run(self, inputs: Mapping[str, Planes], output: str) -> Planes:
        """Compute one blob from others; may be called from several threads at a time.

        Args:
            inputs: Blobs by name, (c, h, w).
            output: Name of the blob that is wanted; only what it needs is computed.

        Raises:
            RaimError: ncnn stopped; memory may be full.
        """
        arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in inputs.items()}
        mat = self._extract(
            {name: ncnn.Mat(array) for name, array in arrays.items()}, output, is_packed=False
        )
        return np.array(mat)

    def run_packed(self, buffer: Packed, n_rows: int, pack: int) -> Packed:
        """Compute blob "out" from the first rows of a buffer as "in", packed by `pack`; nothing is copied."""
        return _as_array(self._extract({"in": _as_mat(buffer, n_rows)}, "out", is_packed=True), pack)

    def _extract(self, inputs: Mapping[str, ncnn.Mat], output: str, *, is_packed: bool) -> ncnn.Mat:
        extractor = self._net.create_extractor()
        for name, mat in inputs.items():
            extractor.input(name, mat)
        status, mat = extractor.extract(output, int(is_packed))
        if status != 0:
            shapes = ", ".join(f"{mat.c}x{mat.h}x{mat.w}" for mat in inputs.values())
            raise RaimError(
                f"ncnn stopped with status {status} at {shapes}; memory may be full: take smaller --tile"
            )
        return mat


def load_convolutions(
    layers: Sequence[tuple[Float32[np.ndarray, "_o _i _k _k"], Float32[np.ndarray, " _o"], bool]],
    *,
    padding: int,
    keeps_memory: bool = False,
) -> NcnnNetwork:
    """Make a net of convolutions of stride 1, from blob "in" to "out".

    Args:
        layers: Weight, bias, and whether a ReLU follows.
        padding: Zeros on each side.
        keeps_memory: See `NcnnNetwork`.
    """
    blobs = ["in", *(f"blob{index}" for index in range(1, len(layers))), "out"]
    lines, content = ["7767517", f"{len(blobs)} {len(blobs)}", "Input in 0 1 in"], b""
    for source, target, (weight, bias, has_relu) in zip(blobs, blobs[1:], layers, strict=False):
        lines.append(
            f"Convolution to_{target} 1 1 {source} {target} "
            f"0={weight.shape[0]} 1={weight.shape[2]} 4={padding} 5=1 6={weight.size} 9={int(has_relu)}"
        )
        # A flag of zero: float32 weights follow.
        content += bytes(4) + weight.astype("<f4").tobytes() + bias.astype("<f4").tobytes()
    # Through a file: loaded from memory, ncnn keeps pointing at bytes that Python may free.
    with tempfile.TemporaryDirectory(prefix="raim-") as folder:
        path = Path(folder) / "convolutions.bin"
        path.write_bytes(content)
        return NcnnNetwork("\n".join(lines) + "\n", path, keeps_memory=keeps_memory)


def load_convolution(
    weight: Float32[np.ndarray, "o i k k"], bias: Float32[np.ndarray, " o"], *, has_relu: bool = True
) -> NcnnNetwork:
    """Make a net of one convolution without padding, whose memory is kept for the next call."""
    return load_convolutions([(weight, bias, has_relu)], padding=0, keeps_memory=True)


@functools.cache
def chain_network(chain: Chain) -> NcnnNetwork:
    """Load a chain of convolutions; kept for the process."""
    weights = load_weights(chain.weights)
    layers = [
        (weights[f"{name}.weight"], weights[f"{name}.bias"], name != chain.convolutions[-1])
        for name in chain.convolutions
    ]
    return load_convolutions(layers, padding=1)


@functools.cache
def published_network(weights: str) -> tuple[NcnnNetwork, str]:
    """Load a net from its published .param and .bin, pinned; give it with the .param's text."""
    files = fetch_files(weights)
    (param,) = [path for name, path in files.items() if name.endswith(".param")]
    (binary,) = [path for name, path in files.items() if name.endswith(".bin")]
    text = param.read_text(encoding="ascii")
    return NcnnNetwork(text, binary), text


@functools.cache
def native_pack() -> int:
    """Ask ncnn how many channels it packs together on this processor."""
    network = load_convolution(np.zeros((16, 16, 1, 1), np.float32), np.zeros(16, np.float32))
    mat = network._extract({"in": ncnn.Mat(np.zeros((16, 8, 8), np.float32))}, "out", is_packed=True)  # noqa: SLF001
    return int(mat.elempack)


@functools.cache
def _allocators() -> tuple[ncnn.PoolAllocator, ncnn.PoolAllocator]:
    """Make the allocators that keep memory for the next call, once per process and for good.

    ncnn aborts where an allocator dies before the arrays it gave out, so Python must never free them.
    """
    allocators = (ncnn.PoolAllocator(), ncnn.PoolAllocator())
    for allocator in allocators:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(allocator))
    return allocators


def _as_mat(buffer: Packed, n_rows: int) -> ncnn.Mat:
    """Show ncnn the top rows of a buffer without copying them."""
    groups, rows, width, pack = buffer.shape
    mat = ncnn.Mat(buffer.reshape(groups, rows, width * pack))
    mat.w = width
    mat.h = n_rows
    mat.elemsize = FLOAT_BYTES * pack
    mat.elempack = pack
    mat.cstep = rows * width
    return mat


def _as_array(mat: ncnn.Mat, pack: int) -> Packed:
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
