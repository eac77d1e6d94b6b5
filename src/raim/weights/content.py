"""Converted sets on disk: safetensors, written whole or not at all, refused on reading when a byte differs.

The hash is of the content (names, types, shapes, values), not of the file, so it does not depend on the
version of the library that wrote it, and it is pinned in the table: nothing beside the file is trusted.
Arrays are mapped from the file, read-only: processes on one machine share one copy in memory.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from raim.errors import WeightsTamperedError
from raim.files import replace_file

DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8"}  # names of the safetensors format


def content_sha256(tensors: Mapping[str, np.ndarray]) -> str:
    """Hash names, types, shapes and values of some arrays.

    Args:
        tensors: Arrays by name; their order does not matter.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> content_sha256({"a": np.zeros(2, np.float32)})[:16]
        '536b42beb4568343'
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.asarray(tensors[name], order="C")
        digest.update(f"{name}\0{array.dtype.newbyteorder('<').str}\0{array.shape}\0".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write a safetensors file; another process sees the whole file or none."""
    from safetensors.numpy import save

    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, save(dict(tensors)))


def read_tensors(path: Path, *, content: str) -> dict[str, np.ndarray]:
    """Map a safetensors file and check what it holds."""
    try:
        tensors = _map(path)
        found = content_sha256(tensors)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _tampered(path, f"is damaged ({error})") from error
    if found != content:
        raise _tampered(
            path, f"holds other weights than the pinned ones (SHA-256 {found}, expected {content})"
        )
    return tensors


def _tampered(path: Path, what: str) -> WeightsTamperedError:
    return WeightsTamperedError(f"{path} {what}; delete it, then run `raim weights fetch`")


def _map(path: Path) -> dict[str, np.ndarray]:
    """Map the arrays: eight bytes with the header's length, the header in JSON, the values."""
    mapped = np.memmap(path, np.uint8, "r")
    n_header = int.from_bytes(mapped[:8].tobytes(), "little")
    header = json.loads(mapped[8 : 8 + n_header].tobytes())
    header.pop("__metadata__", None)
    # A plain ndarray keeps the mapping alive and has none of memmap's surprises.
    values = mapped.view(np.ndarray)[8 + n_header :]
    return {name: _tensor(values, entry) for name, entry in header.items()}


def _tensor(values: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
    dtype, shape = np.dtype(DTYPES[entry["dtype"]]), tuple(entry["shape"])
    begin, end = entry["data_offsets"]
    return values[begin:end].view(dtype).reshape(shape)
