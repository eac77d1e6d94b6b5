"""Compiled kernels: how they are compiled, where the machine code is kept, and who compiles first.

Machine code lies where numba puts it: beside the module if that folder can be written to, else in the user's cache
(`~/.cache/numba` on Linux), or in `NUMBA_CACHE_DIR` if the user sets it; raim sets nothing for the whole process.
Where neither can be written to, a kernel is compiled in each process again, which takes seconds but works.

numba's index of one function's signatures is read, extended and written back without a lock. Two processes that
compile different signatures (8-bit here, 16-bit there) at once can therefore file one signature's code under the
other's. `first_use` lets one process at a time compile or load, and costs nothing from the second call on.
"""

import inspect
import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock

# Sums may be reordered and multiplications fused with additions, which fills vector registers and moves results in
# the last bits only. Not "nnan" and "ninf": NIQE's features are NaN where the original's are. Not "arcp": x / x is 1,
# so that the similarity of identical images is exactly 1.
REORDERING = frozenset({"reassoc", "contract", "nsz"})

_ready: set[Hashable] = set()


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function at its first call, keep its machine code, and let other threads run meanwhile."""
    return _compile(function, REORDERING)


def strict_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile as `kernel` does, each operation rounded as it is written."""
    return _compile(function, frozenset())


def _compile(function: Callable[..., Any], fastmath: frozenset[str]) -> Callable[..., Any]:
    import numba

    function = inspect.unwrap(function)  # the test run's type checker wraps it; numba compiles what is inside
    # Python's error for a division by zero would keep loops from being vectorised; IEEE's NaN and infinity do not.
    options = {"nogil": True, "fastmath": set(fastmath), "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder that it can write to
        return numba.njit(**options)(function)


@contextmanager
def first_use(*signature: Hashable) -> Iterator[None]:
    """Hold back other processes while this one calls kernels with this signature for the first time.

    Args:
        signature: Names the kernels and all that decides the types of their arguments.
    """
    if signature in _ready:
        yield
        return
    with ExitStack() as stack:
        folder = Path(os.environ.get("RAIM_CACHE_DIR") or platformdirs.user_cache_dir("raim"))
        with suppress(OSError):  # who has no folder of his own shares no machine code either
            stack.enter_context(FileLock(folder / "kernels.lock"))
        yield
    _ready.add(signature)
