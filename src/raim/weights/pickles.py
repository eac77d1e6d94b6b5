"""Pickles of arrays: nested dictionaries of numpy arrays, and state dicts that torch saved, read without torch.

A pickle may name any callable and have it called. Here only the few names in `ALLOWED` are found, torch's as
functions of ours that make numpy arrays. The pinned hash of the artifact is compared before, that of the arrays
after: whatever else a pickle could do, and whatever could be damaged, is settled there.

Source: the Python documentation of `pickle` ("Restricting Globals"); torch/serialization.py and torch/_utils.py
of PyTorch 2 (the format, no code).
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from raim.errors import WeightsFormatError

Storage = Callable[[str, np.dtype[Any], int], np.ndarray]


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

    def __init__(self, stream: io.BytesIO, storage: Storage) -> None:
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
