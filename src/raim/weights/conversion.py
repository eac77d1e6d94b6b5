"""From a published artifact to arrays named as raim names them. One function for each form of publication.

The artifact is the pinned one, and the arrays that come out are compared with the pinned ones, so nothing between
is checked. Nothing is unpacked to disk.

A pickle may name any callable and have it called: only the few names in `ALLOWED` are found, torch's as functions of
ours that make numpy arrays.

Of ncnn's files the .param is text, one layer a line: type, name, numbers of inputs and outputs, their names, and
`key=value` pairs. Of a convolution, 0 is the number of output channels, 1 the kernel size, 6 the number of weights. The
.bin has, convolution by convolution, a flag, the weights in float16 (padded to four bytes), and the bias in float32.

Of a graph model of TensorFlow.js `model.json` lists the nodes of the graph (name, operation, names of inputs) and the
constants (name, shape), whose values stand in that order in the shards. Every constant of more than one value is a
weight. It is taken by one node, whose name is the path of a layer in the authors' code, and whose operation says what
the weight is to the layer.

Source: the Python documentation of `pickle` ("Restricting Globals"); torch/serialization.py and torch/_utils.py of
PyTorch 2 (the format, no code); Tencent/ncnn, docs/developer-guide/param-and-model-file-structure.md and operators.md;
tensorflow/tfjs, tfjs-core/src/io/types.ts (`ModelJSON`); google-research/maxim, maxim/models/maxim.py.
"""

import io
import json
import math
import pickle
import re
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from raim.errors import WeightsFormatError
from raim.weights.table import WeightSet

N_BLOCKS = 23  # of RRDBNet in ESRGAN, RealSR and Real-ESRGAN x4plus
ROOT = "StatefulPartitionedCall/jax2tf_apply_/Wrapper/backbone/"
# What follows the path of a layer in the name of a node.
OPERATION = re.compile(r"/(?:Conv2D|conv2d_transpose|einsum|jit_fn_).*")
Tensors = dict[str, np.ndarray]


def _reconstruct(*_: object) -> np.ndarray:
    """Return the array that numpy makes before it sets type, shape and values."""
    return np.ndarray(0, np.int8)


def _rebuild_tensor(storage: np.ndarray, offset: int, shape: Any, strides: Any, *_: object) -> np.ndarray:
    """Return a view of a storage; `offset` and `strides` count elements, and numpy refuses those outside of it."""
    n_bytes = storage.itemsize
    steps = tuple(step * n_bytes for step in strides)
    return np.ndarray(tuple(shape), storage.dtype, storage.data, offset * n_bytes, steps)


# What the files of the table name, and no more.
ALLOWED: Mapping[tuple[str, str], Any] = MappingProxyType(
    {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,  # of numpy 2
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): np.dtype("<f4"),
        ("torch", "LongStorage"): np.dtype("<i8"),
    }
)


class _Unpickler(pickle.Unpickler):
    """Finds the allowed names only; gives torch's storages as flat arrays."""

    def __init__(self, stream: io.BytesIO, storage: Callable[[str, np.dtype[Any], int], np.ndarray]) -> None:
        super().__init__(stream)
        self._storage = storage

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in ALLOWED:
            raise WeightsFormatError(
                f"a pickle of weights names {module_name}.{global_name}, which arrays do not need"
            )
        return ALLOWED[module_name, global_name]

    def persistent_load(self, pid: Any) -> np.ndarray:
        _, dtype, key, _, n_elements, *_ = pid  # "storage", type, key, device, number of elements[, view]
        return self._storage(key, dtype, n_elements)


def read_pickle(data: bytes) -> dict[str, np.ndarray]:
    """Read a pickled dictionary of arrays, or what `torch.save` wrote of a state dict, in its zip or its legacy form.

    Returns:
        The arrays; keys of the levels are joined by "/", e.g. `"VGG16_0/Conv_0/kernel"`.

    Raises:
        WeightsFormatError: It names anything that arrays do not need; nothing of that was called.

    Example:
        >>> read_pickle(pickle.dumps({"layer": {"bias": np.float32([1, 2])}}, protocol=3))
        {'layer/bias': array([1., 2.], dtype=float32)}
        >>> read_pickle(pickle.dumps(print, protocol=3))
        Traceback (most recent call last):
        raim.errors.WeightsFormatError: a pickle of weights names builtins.print, which arrays do not need
    """
    return _flatten(_load_zip(data) if data.startswith(b"PK") else _load_stream(data))


def _load_zip(data: bytes) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        folder = pickled.removesuffix("data.pkl")

        def storage(key: str, dtype: np.dtype[Any], n_elements: int) -> np.ndarray:
            return np.frombuffer(archive.read(f"{folder}data/{key}"), dtype, n_elements)

        return _Unpickler(io.BytesIO(archive.read(pickled)), storage).load()


def _load_stream(data: bytes) -> Any:
    """Read one pickle, or torch's five: magic number, protocol, system, state, keys, and the storages after them."""
    stream, storages = io.BytesIO(data), dict[str, np.ndarray]()

    def storage(key: str, dtype: np.dtype[Any], n_elements: int) -> np.ndarray:
        return storages.setdefault(key, np.empty(n_elements, dtype))  # its values follow

    first = _Unpickler(stream, storage).load()
    if isinstance(first, dict):
        return first
    _, _, state, keys = (_Unpickler(stream, storage).load() for _ in range(4))
    for key in keys:
        values = storages[key]
        stream.seek(8, io.SEEK_CUR)  # the number of elements again
        values[:] = np.frombuffer(stream.read(values.nbytes), values.dtype)
    return state


def _flatten(tree: Mapping[str, Any], path: str = "") -> dict[str, np.ndarray]:
    """Return the arrays of nested dictionaries, their keys joined by "/"."""
    leaves: dict[str, np.ndarray] = {}
    for key, item in tree.items():
        leaves |= _flatten(item, f"{path}{key}/") if isinstance(item, dict) else {f"{path}{key}": item}
    return leaves


def read_ncnn_rrdbnet(param: bytes, binary: bytes) -> dict[str, np.ndarray]:
    """Read the convolutions and name them as their authors' checkpoints do."""
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
    """List the convolutions of RRDBNet in the order of the .param."""
    dense = [
        f"body.{block}.rdb{rdb}.conv{conv}"
        for block in range(N_BLOCKS)
        for rdb in (1, 2, 3)
        for conv in (1, 2, 3, 4, 5)
    ]
    return ["conv_first", *dense, "conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]


def read_tfjs_maxim(model: bytes, *shards: bytes) -> dict[str, np.ndarray]:
    """Name the weights of MAXIM by the paths of their layers."""
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
    """Return the float constants of more than one value by name."""
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


def read_members(artifact: Path, weights: WeightSet) -> dict[str, bytes]:
    """Return a set's published files by name, in the order of the table, out of its archive."""
    paths = [member.path for member in weights.members]
    found: dict[str, bytes] = {}
    if artifact.name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(artifact) as archive:
            for info in archive:
                if info.name in paths and (stream := archive.extractfile(info)):
                    found[info.name] = stream.read()
    else:
        with zipfile.ZipFile(artifact) as archive:
            found = {path: archive.read(path) for path in paths}
    return {member.file_name: found[member.path] for member in weights.members}


def flax_convolutions(data: bytes) -> Tensors:
    """Return the convolutions of a flax network: kernels (h, w, in, out) become (out, in, h, w)."""
    tensors = {}
    for key, value in read_pickle(data).items():
        match = re.fullmatch(r"(?:VGG16|AlexNet)_0/Conv_(\d+)/(kernel|bias)", key)
        if match and match[2] == "kernel":
            tensors[f"conv{match[1]}.weight"] = value.transpose(3, 2, 0, 1)
        elif match:
            tensors[f"conv{match[1]}.bias"] = value
    return tensors


def lpips_heads(data: bytes) -> Tensors:
    """Return the five linear heads of LPIPS, (1, c, 1, 1) in the checkpoint, as (c,) each."""
    checkpoint = read_pickle(data)
    return {f"lin{i}": checkpoint[f"lin{i}.model.1.weight"].reshape(-1) for i in range(5)}


def dists_weights(data: bytes) -> Tensors:
    """Return alpha and beta of DISTS, (1, 1475, 1, 1) in the checkpoint, as (1475,) each."""
    return {key: value.reshape(-1) for key, value in read_pickle(data).items() if key in ("alpha", "beta")}


def niqe_model(data: bytes) -> Tensors:
    """Return mean (36,) and covariance (36, 36) of NIQE's pristine model, float64."""
    with np.load(io.BytesIO(data), allow_pickle=False) as model:
        return {"mean": model["mu_pris_param"].reshape(-1), "covariance": model["cov_pris_param"]}


def torch_state(data: bytes) -> Tensors:
    """Return a torch state dict with its own names; `params` around it is taken off."""
    return {key.removeprefix("params/"): value for key, value in read_pickle(data).items()}


CONVERSIONS: Mapping[str, Callable[..., Tensors]] = {
    "flax-convolutions": flax_convolutions,
    "lpips-heads": lpips_heads,
    "dists-weights": dists_weights,
    "niqe-model": niqe_model,
    "torch-state": torch_state,
    "ncnn-rrdbnet": read_ncnn_rrdbnet,
    "tfjs-maxim": read_tfjs_maxim,
}


def convert(conversion: str, members: Mapping[str, bytes]) -> Tensors:
    """Run one conversion by its name in the table; give C-contiguous arrays by raim's name."""
    tensors = CONVERSIONS[conversion](*members.values())
    return {name: np.asarray(value, order="C") for name, value in tensors.items()}
