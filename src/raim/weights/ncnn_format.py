"""The RRDBNet that Real-ESRGAN and RealSR were exported from, out of ncnn's .param and .bin.

A .param is text, one layer a line: type, name, numbers of inputs and outputs, their names, and `key=value` pairs.
Of a convolution, 0 is the number of output channels, 1 the kernel size, 6 the number of weights. The .bin has,
convolution by convolution, a flag, the weights in float16 (padded to four bytes), and the bias in float32.

Source: Tencent/ncnn, docs/developer-guide/param-and-model-file-structure.md and operators.md.
"""

import math

import numpy as np

N_BLOCKS = 23  # of RRDBNet in ESRGAN, RealSR and Real-ESRGAN x4plus


def read_ncnn_rrdbnet(param: bytes, binary: bytes) -> dict[str, np.ndarray]:
    """Read the convolutions and name them as their authors' checkpoints do.

    Args:
        param: The .param file.
        binary: The .bin file.

    Returns:
        `"conv_first.weight"`, `"body.0.rdb1.conv1.weight"`, ..., `"conv_last.bias"`: kernels (out, in, 3, 3) in
        float16 as exported, biases (out,) in float32.
    """
    lines = [words for line in param.decode("ascii").splitlines() if (words := line.split())]
    convolutions = [words for words in lines if words[0] == "Convolution"]
    tensors, position = {}, 0
    for name, words in zip(name_convolutions(), convolutions, strict=True):
        options = dict(word.split("=") for word in words if "=" in word)
        n_out, size, n_weights = (int(options[key]) for key in ("0", "1", "6"))
        weight = np.frombuffer(binary, "<f2", n_weights, position + 4)
        position += 4 + math.ceil(weight.nbytes / 4) * 4
        tensors[f"{name}.weight"] = weight.reshape(n_out, -1, size, size)
        tensors[f"{name}.bias"] = np.frombuffer(binary, "<f4", n_out, position)
        position += 4 * n_out
    return tensors


def name_convolutions() -> list[str]:
    """List the convolutions of RRDBNet in the order of the .param.

    Example:
        >>> len(name_convolutions()), name_convolutions()[1]
        (351, 'body.0.rdb1.conv1')
    """
    dense = [
        f"body.{block}.rdb{rdb}.conv{conv}"
        for block in range(N_BLOCKS)
        for rdb in (1, 2, 3)
        for conv in (1, 2, 3, 4, 5)
    ]
    return ["conv_first", *dense, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
