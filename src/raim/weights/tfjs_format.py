"""Weights out of a graph model of TensorFlow.js, without TensorFlow: those of MAXIM.

`model.json` lists the nodes of the graph (name, operation, names of inputs) and the constants (name, shape), whose
values stand in that order in the shards. Every constant of more than one value is a weight. It is taken by one node,
whose name is the path of a layer in the authors' code, and whose operation says what the weight is to the layer.

Source: tensorflow/tfjs, tfjs-core/src/io/types.ts (`ModelJSON`); google-research/maxim, maxim/models/maxim.py.
"""

import json
import math
import re
from typing import Any

import numpy as np

ROOT = "StatefulPartitionedCall/jax2tf_apply_/Wrapper/backbone/"
# What follows the path of a layer in the name of a node.
OPERATION = re.compile(r"/(?:Conv2D|conv2d_transpose|einsum|jit_fn_).*")


def read_tfjs_maxim(model: bytes, *shards: bytes) -> dict[str, np.ndarray]:
    """Name the weights of MAXIM by the paths of their layers.

    Args:
        model: The file model.json.
        shards: The files of values, in its order.

    Returns:
        `"stage_0_input_conv_0.weight"`, ...: kernels (out, in, h, w), of transposed ones (in, out, h, w); matrices and
        kernels of 1x1 (out, in); biases and the factors of normalisation (n,).
    """
    graph = json.loads(model)
    constants = _read_constants(graph["weightsManifest"], b"".join(shards))
    tensors = {}
    for node in graph["modelTopology"]["node"]:
        for name in node.get("input", ()):
            if name in constants:
                layer = OPERATION.sub("", node["name"].removeprefix(ROOT)).replace("/", ".")
                role = "bias" if node["op"] == "AddV2" else "weight"
                tensors[f"{layer}.{role}"] = _turn(constants[name], node["op"])
    return tensors


def _read_constants(manifest: list[dict[str, Any]], values: bytes) -> dict[str, np.ndarray]:
    """Give the float constants of more than one value by name."""
    constants, position = {}, 0
    for entry in (entry for group in manifest for entry in group["weights"]):
        dtype, shape = np.dtype(entry["dtype"]), entry["shape"]
        count = math.prod(shape)
        if dtype.kind == "f" and count > 1:
            constants[entry["name"]] = np.frombuffer(values, dtype, count, position).reshape(shape)
        position += count * dtype.itemsize
    return constants


def _turn(values: np.ndarray, operation: str) -> np.ndarray:
    """Turn a weight from the order of TensorFlow to that of torch."""
    if operation in {"Conv2D", "Conv2DBackpropInput"}:
        kernels = values.transpose(3, 2, 0, 1)
        is_point = operation == "Conv2D" and kernels.shape[2:] == (1, 1)
        return kernels[:, :, 0, 0] if is_point else kernels
    return values.T if operation == "Einsum" else values.reshape(-1)
