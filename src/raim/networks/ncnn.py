"""Nets on the processor through ncnn: float32 throughout, one thread for each call, so that tiles run side by side.

docs/baselines.md compares it with torch on RRDBNet: it is the fastest that is exact. Its bfloat16, and torch's, are
faster still but off by 3 to 12 levels of 255.
"""

import ctypes
import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path

import ncnn
import numpy as np
from jaxtyping import Float32

from raim.errors import RaimError
from raim.networks.nets import Chain
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

    def __init__(self, param: str, binary: Path) -> None:
        """Load a net.

        Args:
            param: Text of the .param.
            binary: Path of the .bin.

        Raises:
            RaimError: ncnn refuses them.
        """
        self._net = ncnn.Net()
        self._net.opt.num_threads = 1
        self._net.opt.use_vulkan_compute = False
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
        extractor = self._net.create_extractor()
        arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in inputs.items()}
        for name, array in arrays.items():
            extractor.input(name, ncnn.Mat(array))
        status, mat = extractor.extract(output)
        if status != 0:
            shapes = ", ".join(str(array.shape) for array in arrays.values())
            raise RaimError(
                f"ncnn stopped with status {status} at {shapes}; memory may be full: take smaller --tile"
            )
        return np.array(mat)


@functools.cache
def chain_network(chain: Chain) -> NcnnNetwork:
    """Load a chain of convolutions, from blob "in" to "out"; kept for the process."""
    weights = load_weights(chain.weights)
    last = len(chain.convolutions) - 1
    blobs = ["in", *(f"blob{index}" for index in range(last)), "out"]
    lines = ["7767517", f"{last + 2} {last + 2}", "Input in 0 1 in"]
    content = b""
    for index, name in enumerate(chain.convolutions):
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        lines.append(
            f"Convolution conv{index} 1 1 {blobs[index]} {blobs[index + 1]} "
            f"0={weight.shape[0]} 1=3 4=1 5=1 6={weight.size}" + (" 9=1" if index < last else "")
        )
        # A flag of zero: float32 weights follow.
        content += bytes(4) + weight.astype("<f4").tobytes() + bias.astype("<f4").tobytes()
    # Through a file: loaded from memory, ncnn keeps pointing at bytes that Python may free.
    with tempfile.TemporaryDirectory(prefix="raim-") as folder:
        path = Path(folder) / "chain.bin"
        path.write_bytes(content)
        network = NcnnNetwork("\n".join(lines) + "\n", path)
    _keep_for_good(network)
    return network


@functools.cache
def published_network(weights: str) -> tuple[NcnnNetwork, str]:
    """Load a net from its published .param and .bin, pinned; give it with the .param's text."""
    files = fetch_files(weights)
    (param,) = [path for name, path in files.items() if name.endswith(".param")]
    (binary,) = [path for name, path in files.items() if name.endswith(".bin")]
    text = param.read_text(encoding="ascii")
    network = NcnnNetwork(text, binary)
    _keep_for_good(network)
    return network, text


def _keep_for_good(network: NcnnNetwork) -> None:
    """Let Python never free it: at exit ncnn would free it after its allocators."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(network))
