"""Features of backbones, streamed: what an engine must offer, how one is chosen, and the loop through the layers.

An engine holds features in a layout of its own; only it looks inside. On the processor there are three
(`packed_features.py`); "torch" (the extra `torch`) serves GPUs, and machines without an ncnn wheel. All give the same
measures within 5e-6.

A reference and its K candidates go through together, so that the reference's pass is shared. Memory is bounded by the
width of the images and their number, never by their height (`stream`).
"""

import functools
import importlib.util
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from raim.devices import CPU
from raim.errors import InputError, MissingExtraError, unknown_name
from raim.networks.nets import Backbone, Convolution, Layer
from raim.networks.stream import Lines, Operator, Stage, Strip, apply_stage

# A layer waits until it can make about this many pixels: with fewer, loading a convolution's weights takes longer
# than using them; with more, features fall out of the processor's cache (measured from 4 to 12 thousand).
PIXELS_PER_CALL = 4 * 1024
# The Winograd tiles that ncnn chooses are 4 rows high: other heights would compute rows that are dropped.
ROW_MULTIPLE = 4

ReadRows = Callable[[int, int], Sequence[Float32[np.ndarray, "rows w 3"]]]
OnTap = Callable[[int, Lines], None]


@runtime_checkable
class Engine(Protocol):
    """Computes layers and the sums that measures are made of."""

    name: str

    def load(self, strips: Sequence[Float32[np.ndarray, "rows w 3"]]) -> Lines:
        """Bring the same rows of every image into the engine's layout."""

    def window(self, layer: Layer, *, width: int, n_images: int, room: int) -> Any:
        """Make an empty `stream.Window` for up to `room` rows of all images, columns padded with zeros."""

    def operator(self, backbone: Backbone, index: int) -> Operator:
        """Return the function that applies layer `index` to a window's top rows and returns so many output rows."""

    def pixels(self, lines: Lines) -> int:
        """Count the pixels of one image's rows."""

    def moments(
        self, lines: Lines
    ) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"], Float64[np.ndarray, "k c"]]:
        """Sum x and x^2 over the pixels of each of n images, and x y of each candidate with the first image."""

    def head_distances(self, lines: Lines, head: Float32[np.ndarray, " c"]) -> Float64[np.ndarray, " k"]:
        """Sum over pixels the weighted squared difference of channel-unit features to the first image's."""


def stream_taps(
    engine: Engine,
    backbone: Backbone,
    *,
    height: int,
    width: int,
    n_images: int,
    read_rows: ReadRows,
    on_tap: OnTap,
    strip_rows: int,
) -> None:
    """Call `on_tap` with (tap index, rows of that feature for all images) as the strips come through.

    Args:
        engine: What computes the layers.
        backbone: Which layers.
        height: Rows of every image.
        width: Columns of every image.
        n_images: How many images go through together; the first is the reference.
        read_rows: Gives rows y0 to y1 of every image, normalised as the net expects, (y1 - y0, w, 3) float32.
        on_tap: Takes what measures compare. Rows of one tap come in order; their memory may be used again.
        strip_rows: How many rows are read at a time. It changes memory and speed, not the result.

    Raises:
        InputError: If `strip_rows` is not positive.
        UnscorableError: If the images are too small for the net.
    """
    if strip_rows < 1:
        raise InputError(f"a strip of {strip_rows} rows was asked for; it must have at least 1")
    backbone.check_size(height, width)
    strips: Iterable[Strip] = (
        Strip(lines=engine.load(read_rows(top, min(height, top + strip_rows))))
        for top in range(0, height, strip_rows)
    )
    tap = 0
    for index, layer in enumerate(backbone.layers):
        width_out = (width + 2 * layer.padding - layer.kernel) // layer.stride + 1
        n_lines = max(1, round(PIXELS_PER_CALL / width_out / ROW_MULTIPLE)) * ROW_MULTIPLE
        room = (n_lines - 1) * layer.stride + layer.kernel
        stage = Stage(
            open=functools.partial(engine.window, layer, width=width, n_images=n_images, room=room),
            apply=engine.operator(backbone, index),
            kernel=layer.kernel,
            stride=layer.stride,
            padding=layer.padding,
            usual=n_lines,
            least=n_lines,
            most=n_lines,
        )
        strips = apply_stage(strips, stage)
        if isinstance(layer, Convolution) and layer.is_tap:
            strips = _tapped(strips, tap, on_tap)
            tap += 1
        width = width_out
    for _ in strips:
        pass


def _tapped(strips: Iterable[Strip], tap: int, on_tap: OnTap) -> Iterator[Strip]:
    """Show the strips to the measure on their way."""
    for strip in strips:
        on_tap(tap, strip.lines)
        yield strip


ENGINES = ("ncnn", "winograd", "fast", "torch")  # all exact but "fast", which no "auto" takes


def load_engine(name: str = "auto", *, device: str = "cpu") -> Engine:
    """Return the engine of that name, made once per process and device.

    Args:
        name: See `choose_engine`.
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
    """Return which engine that name means on this machine, without loading it.

    Args:
        name: "ncnn", "winograd", "fast" or "torch"; or "auto": what `RAIM_ENGINE` says on the processor, else the
            faster of ncnn and winograd as measured here (`choice.py`), torch on another device or without ncnn.
        device: "cpu", or a device of torch.

    Raises:
        InputError: If that engine does not run here, or not on the device.
        UnknownNameError: If there is no such engine.

    Example:
        >>> choose_engine("auto", device="cuda")
        'torch'
    """
    if name == "auto" and device == CPU:
        name = os.environ.get("RAIM_ENGINE") or name
    if name == "auto":
        if device != CPU or not importlib.util.find_spec("ncnn"):
            return "torch"
        from raim.networks.choice import choose_exact_engine

        return choose_exact_engine()
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    if name != "torch" and device != CPU:
        raise InputError(f"the engine {name!r} runs on the cpu only; for the device {device!r} take 'torch'")
    if name == "winograd" and platform.machine().lower() not in {"x86_64", "amd64"}:
        raise InputError(
            f"the engine 'winograd' was tried on x86-64 only, and this is {platform.machine()}; take 'ncnn'"
        )
    return name


@functools.cache
def _make(name: str, device: str) -> Engine:
    library = "torch" if name == "torch" else "ncnn"
    if importlib.util.find_spec(library) is None:
        how = "pip install 'raim[torch]'" if name == "torch" else "pip install ncnn"
        raise MissingExtraError(
            f"the engine {name!r} (device {device!r}) needs a library that is not installed; run: {how}"
        )
    if name == "torch":
        from raim.networks.torch_features import TorchEngine

        return TorchEngine(device)
    from raim.networks.packed_features import load_packed_engine

    return load_packed_engine(name)
