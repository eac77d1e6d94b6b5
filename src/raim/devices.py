"""Devices of torch: found by name for every command, and the arithmetic that measures ask of them."""

import contextlib
import functools
import importlib.util
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from raim.errors import InputError, need_extra, shown

if TYPE_CHECKING:
    import torch

CPU = "cpu"


def find_device(name: str) -> "torch.device":
    """Find a device by torch's name for it.

    Args:
        name: "cpu", "cuda", "cuda:1", "mps" and the like.

    Raises:
        InputError: torch has no such device here; those that it has are named.
        MissingExtraError: torch is not installed.

    Example:
        >>> find_device("cpu").type
        'cpu'
        >>> find_device("cuda:99")
        Traceback (most recent call last):
        raim.errors.InputError: there is no device 'cuda:99' here (...); take one of: cpu...
    """
    need_extra(f"the device {name!r}", "torch", "torch")
    import torch

    try:
        with warnings.catch_warnings():  # of old names and drivers: what comes of it is an error all the same
            warnings.simplefilter("ignore")
            device = torch.device(name)
            torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError, ImportError) as error:
        reason = str(error).strip().split("\n")[0].split(". ")[0] or type(error).__name__
        reason = "torch knows none of that name" if reason.startswith("Expected one of") else reason
        raise InputError(
            f"there is no device {name!r} here ({shown(reason, longest=300)}); take one of: {', '.join(list_devices())}"
        ) from error
    return device


def list_devices() -> tuple[str, ...]:
    """Name the devices that are here, "cpu" first; without torch there is no other.

    Example:
        >>> list_devices()[0]
        'cpu'
    """
    if importlib.util.find_spec("torch") is None:
        return (CPU,)
    import torch

    has_mps = torch.backends.mps.is_available()
    return (
        CPU,
        *(f"cuda:{index}" for index in range(torch.cuda.device_count())),
        *(("mps",) if has_mps else ()),
    )


def check_device(name: str) -> None:
    """Refuse a device that is not here, before any work; "cpu" needs no torch.

    Raises:
        InputError: There is none of that name.
        MissingExtraError: torch is not installed.
    """
    if name != CPU:
        find_device(name)


def to_double(values: "torch.Tensor") -> "torch.Tensor":
    """Return values in double precision: on their device, or on the processor where the device has none (Apple's MPS).

    Example:
        >>> import torch
        >>> to_double(torch.ones(1))
        tensor([1.], dtype=torch.float64)
    """
    return values.double() if has_double(values.device) else values.cpu().double()


@functools.cache
def has_double(device: "torch.device") -> bool:
    """Return whether a device computes in double precision, by trying it.

    Example:
        >>> import torch
        >>> has_double(torch.device("cpu"))
        True
    """
    import torch

    try:
        torch.ones(1, dtype=torch.float64, device=device).sum()
    except (TypeError, RuntimeError):
        return False
    return True


def release_memory(error: BaseException) -> None:
    """Let go of what the frames of an error hold, and of what torch keeps on its devices for later, so that others fit.

    Example:
        >>> release_memory(MemoryError())
    """
    traceback.clear_frames(error.__traceback__)
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if torch is not None and torch.backends.mps.is_available():
        torch.mps.empty_cache()


@contextlib.contextmanager
def exact_convolutions() -> Iterator[None]:
    """Keep torch from rounding the factors of convolutions and products, in float32, to fewer bits.

    On GPUs torch rounds those of convolutions to TF32, which has 10 bits for the fraction where float32 has 23: LPIPS
    moves by 4e-5 and DISTS by 5e-6. `torch.set_float32_matmul_precision` asks for the like of products.

    What was set before holds again when the last thread has left; it is a setting of the whole process, as torch has
    none for a thread. Gradients are computed after it was left, as the user has set it.

    Source: PyTorch documentation, "CUDA semantics", section on TensorFloat-32.

    Example:
        >>> import torch
        >>> with exact_convolutions():
        ...     torch.backends.cudnn.conv.fp32_precision
        'ieee'
    """
    _precision.enter()
    try:
        yield
    finally:
        _precision.leave()


class _Precision:
    """What torch's settings were when the first of the threads that need float32 exactly came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_threads = 0
        self._before: list[Any] = []

    def enter(self) -> None:
        """Make products exact."""
        with self._lock:
            if self._n_threads == 0:
                self._before = _set_exact()
            self._n_threads += 1

    def leave(self) -> None:
        """Set what was set before, unless another thread is still there."""
        with self._lock:
            self._n_threads -= 1
            if self._n_threads == 0:
                _set_back(self._before)


_precision = _Precision()


def _set_exact() -> list[Any]:
    """Return what is set, having set what is exact."""
    import torch

    backends = torch.backends
    if not hasattr(backends.cudnn, "conv"):  # torch below 2.9
        before = [backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()]
        _set_back([False, "highest"])
        return before
    places = _list_places()
    before = [place.fp32_precision for place, _ in places]
    # What a place takes from the backend that it belongs to is taken from there again afterwards.
    before = [
        "none" if own == above.fp32_precision else own for own, (_, above) in zip(before, places, strict=True)
    ]
    _set_back(["ieee"] * len(places))
    return before


def _set_back(settings: list[Any]) -> None:
    import torch

    if not hasattr(torch.backends.cudnn, "conv"):
        torch.backends.cudnn.allow_tf32 = settings[0]
        torch.set_float32_matmul_precision(settings[1])
        return
    for (place, _), value in zip(_list_places(), settings, strict=True):
        place.fp32_precision = value


def _list_places() -> list[tuple[Any, Any]]:
    """List where newer torch keeps the precision of convolutions and products, each with what it belongs to."""
    from torch.backends import cuda, cudnn, mkldnn

    return [(cudnn.conv, cudnn), (cuda.matmul, cudnn), (mkldnn.conv, mkldnn), (mkldnn.matmul, mkldnn)]
