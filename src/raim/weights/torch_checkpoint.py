"""State dicts that torch saved (`.pth`, `.pt`), read without torch: today's zip form and the legacy form.

The pickle inside may name `OrderedDict`, the two functions that rebuild tensors and parameters, and the
storage types; each is a stand-in that only records which bytes the tensor views. Strides are followed, within
bounds.

Source: torch/serialization.py and torch/_utils.py of PyTorch 2 (the format; no code).
"""

import io
import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from raim.errors import WeightsFormatError
from raim.weights.pickles import Globals, flatten, read_pickle

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001
MAX_MEMBER_BYTES = 512 * 1024**2  # of one tensor's storage in a zip; DAT's largest has 4 MB
STORAGES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


class _State(dict[Any, Any]):
    """Stands in for `OrderedDict`; the metadata that torch attaches to it are dropped."""

    def __setstate__(self, state: object) -> None:
        del state


@dataclass(frozen=True, slots=True)
class _Storage:
    dtype: np.dtype[Any]
    key: str
    n_elements: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: object) -> _Tensor:
    shape, strides = tuple(shape), tuple(strides)
    if not isinstance(storage, _Storage) or len(shape) != len(strides):
        raise ValueError("a tensor without a storage, or with other strides than sizes")
    if any(not isinstance(n, int) or n < 0 for n in (offset, *shape, *strides)):
        raise ValueError(f"a tensor of shape {shape}, strides {strides}, offset {offset}")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    # The second condition refuses an expanded tensor, a small file that claims any amount of memory.
    if (math.prod(shape) and last >= storage.n_elements) or math.prod(shape) > storage.n_elements:
        raise ValueError(f"a tensor of shape {shape} reaches outside of its {storage.n_elements} elements")
    return _Tensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor: _Tensor, *_: object) -> _Tensor:
    return tensor


ALLOWED: Globals = {
    ("collections", "OrderedDict"): _State,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}


def _storage(persistent_id: Any) -> _Storage:
    """Read torch's persistent id: ("storage", type, key, device, number of elements[, view])."""
    kind, dtype, key, _, n_elements, *view = persistent_id
    if kind != "storage" or not isinstance(dtype, np.dtype) or any(part is not None for part in view):
        raise ValueError(f"the persistent id {persistent_id!r}")
    return _Storage(dtype, str(key), int(n_elements))


def read_torch_checkpoint(data: bytes, *, source: str) -> dict[str, np.ndarray]:
    """Read a state dict that `torch.save` wrote, without torch.

    Args:
        data: The whole file, in the zip or the legacy form.
        source: What it is, for messages.

    Returns:
        The tensors as C-contiguous arrays. Dictionaries of dictionaries come out flat, keys joined by "/".

    Raises:
        WeightsFormatError: It is damaged, or holds or names anything but tensors.
    """
    reader = _read_zip if data[:2] == b"PK" else _read_legacy
    try:
        return reader(data, source)
    except WeightsFormatError:
        raise
    except Exception as error:  # a damaged archive can raise nearly anything
        raise WeightsFormatError(f"{source} is not a torch checkpoint ({error}); fetch it again") from error


def _read_zip(data: bytes, source: str) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("/data.pkl") or name == "data.pkl"]
        folder = pickled.removesuffix("data.pkl")
        state, _ = read_pickle(_member(archive, pickled), ALLOWED, source=source, persistent=_storage)
        if f"{folder}byteorder" in archive.namelist() and _member(archive, f"{folder}byteorder") != b"little":
            raise WeightsFormatError(f"{source} is big-endian; only little-endian checkpoints are read")
        return _arrays(state, lambda storage: _member(archive, f"{folder}data/{storage.key}"), source)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > MAX_MEMBER_BYTES:
        raise ValueError(f"its member {name} is larger than {MAX_MEMBER_BYTES} bytes")
    return archive.read(name)


def _read_legacy(data: bytes, source: str) -> dict[str, np.ndarray]:
    position = 0
    parts: list[Any] = []
    for _ in range(5):  # magic number, protocol, system, the state, the order of the storages
        part, length = read_pickle(data[position:], ALLOWED, source=source, persistent=_storage)
        parts.append(part)
        position += length
    magic, protocol, system, state, keys = parts
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL or not system.get("little_endian"):
        raise WeightsFormatError(f"{source} is neither a zip nor a legacy torch checkpoint; fetch it again")
    storages = {
        tensor.storage.key: tensor.storage for tensor in flatten(state, _Tensor, source=source).values()
    }
    found = _legacy_storages(data, position, [storages[key] for key in keys if key in storages])
    return _arrays(state, lambda storage: found[storage.key], source)


def _legacy_storages(data: bytes, position: int, storages: list[_Storage]) -> dict[str, bytes]:
    """Read the storages that follow the pickles, each after its number of elements (64 bits)."""
    found = {}
    for storage in storages:
        (n_elements,) = struct.unpack_from("<q", data, position)
        if n_elements != storage.n_elements:
            raise ValueError(f"storage {storage.key} has {n_elements} elements, not {storage.n_elements}")
        end = position + 8 + n_elements * storage.dtype.itemsize
        found[storage.key] = data[position + 8 : end]
        position = end
    return found


def _arrays(state: object, read: Callable[[_Storage], bytes], source: str) -> dict[str, np.ndarray]:
    tensors = flatten(state, _Tensor, source=source)
    return {name: _array(tensor, read(tensor.storage)) for name, tensor in tensors.items()}


def _array(tensor: _Tensor, data: bytes) -> np.ndarray:
    dtype = tensor.storage.dtype
    if len(data) != tensor.storage.n_elements * dtype.itemsize:
        message = (
            f"storage {tensor.storage.key} has {len(data)} bytes, not {tensor.storage.n_elements} elements"
        )
        raise ValueError(message)
    if not math.prod(tensor.shape):
        return np.zeros(tensor.shape, dtype)
    flat = np.frombuffer(data, dtype)[tensor.offset :]
    strides = tuple(step * dtype.itemsize for step in tensor.strides)
    return np.asarray(
        np.lib.stride_tricks.as_strided(flat, tensor.shape, strides, writeable=False), order="C"
    )
