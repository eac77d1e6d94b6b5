"""Convolutions out of ncnn's .param and .bin; the RRDBNet that Real-ESRGAN and RealSR were exported from.

A .param is text: the magic number 7767517, the numbers of layers and blobs, then one layer a line: type,
name, numbers of inputs and outputs, their names, and `key=value` pairs. Of a convolution, 0 is the number of
output channels, 1 the kernel size, 4 the padding, 5 whether there is a bias, 6 the number of weights, 9 and
-23310 the activation. The .bin has, layer by layer, a flag, the weights (padded to four bytes), and the bias
in float32.

Source: Tencent/ncnn, docs/developer-guide/param-and-model-file-structure.md and operators.md.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from raim.errors import WeightsFormatError

PARAM_MAGIC = "7767517"
FLAG_FLOAT16 = 0x01306B47
FLAG_FLOAT32 = 0
LEAKY_SLOPE = 0.2  # of every activation in RRDBNet (ESRGAN, arXiv 1809.00219)
WITHOUT_WEIGHTS = {"Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp"}
CONVOLUTION_KEYS = {0, 1, 4, 5, 6, 9, -23310}

N_BLOCKS = 23  # of RRDBNet in ESRGAN, RealSR and Real-ESRGAN x4plus
N_FEATURES = 64
GROWTH = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class NcnnConvolution:
    """One convolution of an ncnn model, with stride 1 and its input padded to the same size.

    Attributes:
        name: Of the layer in the .param.
        weight: Kernels, float16 or float32 as stored.
        bias: One value for each output channel.
        has_leaky_relu: Whether a leaky ReLU of slope 0.2 follows.
    """

    name: str
    weight: Float[np.ndarray, "out in k k"]
    bias: Float[np.ndarray, " out"]
    has_leaky_relu: bool


def read_ncnn(param: bytes, binary: bytes) -> list[NcnnConvolution]:
    """Read the convolutions of an ncnn model in their order.

    Args:
        param: The .param file.
        binary: The .bin file.

    Returns:
        The convolutions. Layers without weights are passed over.

    Raises:
        WeightsFormatError: A file is damaged, they do not belong together, or a layer is of another kind.
    """
    try:
        lines = param.decode("ascii").splitlines()
        if lines[0].strip() != PARAM_MAGIC:
            raise WeightsFormatError(f"an ncnn .param begins with {PARAM_MAGIC}, not {lines[0][:20]!r}")
        layers = [words for line in lines[2:] if (words := line.split())]
        if len(layers) != int(lines[1].split()[0]):
            raise WeightsFormatError(
                f"an ncnn .param states {lines[1].split()[0]} layers and has {len(layers)}"
            )
        return _convolutions(layers, binary)
    except (LookupError, ValueError, OverflowError, struct.error) as error:
        raise WeightsFormatError(f"the ncnn .param and .bin cannot be read together ({error})") from error


def _convolutions(layers: list[list[str]], binary: bytes) -> list[NcnnConvolution]:
    found, position = [], 0
    for words in layers:
        if words[0] in WITHOUT_WEIGHTS:
            continue
        if words[0] != "Convolution":
            raise WeightsFormatError(f"ncnn layer {words[1]} is a {words[0]}; only convolutions are read")
        convolution, position = _convolution(words, binary, position)
        found.append(convolution)
    if position != len(binary):
        raise WeightsFormatError(f"the ncnn .bin has {len(binary)} bytes, its .param needs {position}")
    return found


def _convolution(words: list[str], binary: bytes, position: int) -> tuple[NcnnConvolution, int]:
    n_blobs = int(words[2]) + int(words[3])
    options = {int(key): value for key, value in (pair.split("=", 1) for pair in words[4 + n_blobs :])}
    n_out, size, has_leaky_relu = int(options[0]), int(options[1]), options.get(9, "0") == "2"
    if set(options) - CONVOLUTION_KEYS or int(options.get(4, "0")) * 2 + 1 != size or options.get(5) != "1":
        raise WeightsFormatError(f"ncnn layer {words[1]} has options {options} that are not read")
    if has_leaky_relu and float(options[-23310].split(",")[1]) != LEAKY_SLOPE:
        raise WeightsFormatError(
            f"ncnn layer {words[1]} has the slope {options[-23310]}, expected {LEAKY_SLOPE}"
        )
    weight, position = _weights(binary, position, int(options[6]))
    bias = np.frombuffer(binary, "<f4", n_out, position)
    kernels = weight.reshape(n_out, -1, size, size)
    layer = NcnnConvolution(name=words[1], weight=kernels, bias=bias, has_leaky_relu=has_leaky_relu)
    return layer, position + bias.nbytes


def _weights(binary: bytes, position: int, count: int) -> tuple[np.ndarray, int]:
    (flag,) = struct.unpack_from("<I", binary, position)
    dtypes = {FLAG_FLOAT16: "<f2", FLAG_FLOAT32: "<f4"}
    if flag not in dtypes:
        raise WeightsFormatError(
            f"an ncnn layer is stored with the flag {flag:#010x}; expected float16 or float32"
        )
    if count <= 0:  # numpy takes a negative count for "all that is left"
        raise WeightsFormatError(f"an ncnn layer has {count} weights")
    weight = np.frombuffer(binary, dtypes[flag], count, position + 4)
    return weight, position + 4 + math.ceil(weight.nbytes / 4) * 4


def rrdbnet_tensors(layers: list[NcnnConvolution]) -> dict[str, np.ndarray]:
    """Name the convolutions of an exported RRDBNet as its authors' checkpoints do.

    Args:
        layers: All 351 convolutions, in the order of the .param.

    Returns:
        `"conv_first.weight"`, `"body.0.rdb1.conv1.weight"`, ..., `"conv_last.bias"`: kernels (out, in, 3, 3),
        biases (out,).

    Raises:
        WeightsFormatError: Their number, shapes or activations are not those of RRDBNet.
    """
    expected = _rrdbnet_layout()
    if len(layers) != len(expected):
        raise WeightsFormatError(
            f"RRDBNet has {len(expected)} convolutions, the ncnn model has {len(layers)}"
        )
    tensors = {}
    for layer, (name, n_in, n_out, has_leaky_relu) in zip(layers, expected, strict=True):
        shape = (n_out, n_in, 3, 3)
        if layer.weight.shape != shape or layer.has_leaky_relu is not has_leaky_relu:
            raise WeightsFormatError(
                f"ncnn layer {layer.name} is {layer.weight.shape}, not {name} of {shape}"
            )
        tensors[f"{name}.weight"] = layer.weight
        tensors[f"{name}.bias"] = layer.bias
    return tensors


def _rrdbnet_layout() -> list[tuple[str, int, int, bool]]:
    """List name, input channels, output channels and activation of each convolution."""
    layout = [("conv_first", 3, N_FEATURES, False)]
    for block in range(N_BLOCKS):
        for dense in (1, 2, 3):
            name = f"body.{block}.rdb{dense}.conv"
            layout += [(f"{name}{i + 1}", N_FEATURES + i * GROWTH, GROWTH, True) for i in range(4)]
            layout.append((f"{name}5", N_FEATURES + 4 * GROWTH, N_FEATURES, False))
    layout.append(("conv_body", N_FEATURES, N_FEATURES, False))
    layout += [(name, N_FEATURES, N_FEATURES, True) for name in ("conv_up1", "conv_up2", "conv_hr")]
    return [*layout, ("conv_last", N_FEATURES, 3, False)]
