"""What an engine of the trunks must offer, and how one is chosen.

An engine holds features in a layout of its own (`Rows`); only it looks inside. Two are built in: "ncnn" (Winograd
convolutions on the processor; an ordinary dependency) and "torch" (the extra `torch`: GPUs, and machines without
an ncnn wheel). Both give the same measures within 5e-6.
"""

import functools
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from raim.devices import CPU
from raim.errors import InputError, MissingExtraError, unknown_name
from raim.metrics.trunk.architecture import Layer, Trunk

Rows = Any  # features of all images in the engine's own layout


@runtime_checkable
class Window(Protocol):
    """The rows that a layer has received and not yet consumed, for all images, columns padded with zeros."""

    n_rows: int

    def append(self, rows: Rows, start: int, stop: int) -> None:
        """Add rows `start` to `stop` of a block at the bottom."""

    def discard(self, n_rows: int) -> None:
        """Forget rows at the top."""


Operator = Callable[[Any, int], Rows]  # takes a window of the same engine


@runtime_checkable
class Engine(Protocol):
    """Computes layers and the sums that measures are made of."""

    name: str

    def load(self, strips: Sequence[Float32[np.ndarray, "rows w 3"]]) -> Rows:
        """Bring the same rows of every image into the engine's layout."""

    def window(self, layer: Layer, *, width: int, n_images: int, capacity: int) -> Any:
        """Make an empty `Window` for up to `capacity` rows."""

    def operator(self, trunk: Trunk, index: int) -> Operator:
        """Give the function that applies layer `index` to a window's top rows and returns so many output rows."""

    def height(self, rows: Rows) -> int:
        """Count the rows of a block."""

    def zero_rows(self, rows: Rows, height: int) -> Rows:
        """Make a block of zeros like `rows`, of another height."""

    def pixels(self, rows: Rows) -> int:
        """Count the pixels of one image's rows."""

    def moments(
        self, rows: Rows
    ) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"], Float64[np.ndarray, "k c"]]:
        """Sum x and x^2 over the pixels of each of n images, and x y of each candidate with the first image."""

    def head_distances(self, rows: Rows, head: Float32[np.ndarray, " c"]) -> Float64[np.ndarray, " k"]:
        """Sum over pixels the weighted squared difference of channel-unit features to the first image's."""


ENGINES = ("ncnn", "torch")


def load_engine(name: str = "auto", *, device: str = "cpu") -> Engine:
    """Give the engine of that name, made once per process and device.

    Args:
        name: "ncnn", "torch", or "auto": ncnn on the processor where its wheel is installed, else torch.
        device: "cpu", or a device that torch knows, such as "cuda" or "cuda:1".

    Raises:
        InputError: If the device is not here, or not one of that engine.
        UnknownNameError: If there is no such engine.
        MissingExtraError: If its library is not installed.

    Example:
        >>> load_engine("ncnn").name
        'ncnn'
    """
    return _make(choose_engine(name, device=device), device)


def choose_engine(name: str = "auto", *, device: str = "cpu") -> str:
    """Say which engine that name means on this machine, without loading it.

    Raises:
        InputError: If that engine does not run on the device.
        UnknownNameError: If there is no such engine.

    Example:
        >>> choose_engine("auto", device="cuda")
        'torch'
    """
    if name == "auto":
        return "ncnn" if device == CPU and importlib.util.find_spec("ncnn") else "torch"
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    if name == "ncnn" and device != CPU:
        raise InputError(f"the engine 'ncnn' runs on the cpu only; for the device {device!r} take 'torch'")
    return name


@functools.cache
def _make(name: str, device: str) -> Engine:
    if importlib.util.find_spec(name) is None:
        how = "pip install 'raim[torch]'" if name == "torch" else "pip install ncnn"
        raise MissingExtraError(
            f"the engine {name!r} (device {device!r}) needs a library that is not installed; run: {how}"
        )
    if name == "ncnn":
        from raim.metrics.trunk.ncnn_engine import NcnnEngine

        return NcnnEngine()
    from raim.metrics.trunk.torch_engine import TorchEngine

    return TorchEngine(device)
