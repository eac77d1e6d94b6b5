"""Devices of torch: found by name for every command, and the arithmetic that measures ask of them."""

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

from raim.errors import InputError, MissingExtraError

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
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError(
            f"the device {name!r} needs torch; install it with: pip install 'raim[torch]'"
        )
    import torch

    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"there is no device {name!r} here ({reason}); take one of: {', '.join(list_devices())}"
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


@contextlib.contextmanager
def exact_convolutions() -> Iterator[None]:
    """Keep torch from rounding the factors of convolutions and products to TF32, as it does on GPUs by default.

    TF32 has 10 bits for the fraction where float32 has 23; with it LPIPS moves by 4e-5 and DISTS by 5e-6.

    Source: PyTorch documentation, "CUDA semantics", section on TensorFloat-32.

    Example:
        >>> import torch
        >>> with exact_convolutions():
        ...     torch.backends.cudnn.allow_tf32
        False
    """
    import torch

    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
