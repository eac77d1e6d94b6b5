"""Which of the exact engines is faster here: measured once for each kind of processor, and remembered.

Both make the same values within 1e-6. On a Xeon with AVX-512 ours takes three quarters of ncnn's time, on an EPYC more
than ncnn, and numpy's BLAS may be set to use another processor's code; so it is tried.
"""

import functools
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from raim.files import replace_file
from raim.networks.packing import aligned_zeros
from raim.networks.vectors import LANES
from raim.weights import weights_folders

GAIN = 0.9  # ours is taken below this share of ncnn's time: less is not worth other last digits
ROUNDS = 5
SHAPES = ((64, 1024, 4), (256, 256, 16))  # channels, columns, rows, as VGG16 has them


@functools.cache
def choose_exact_engine() -> str:
    """Return the name of the faster exact engine, "ncnn" or "winograd"; it is measured at first."""
    times = measured_times()
    return "winograd" if times and times["winograd"] < GAIN * times["ncnn"] else "ncnn"


def measured_times() -> dict[str, float] | None:
    """Return the seconds of each engine for the same convolutions; None where there is nothing to choose.

    Without AVX-512 ours is no faster anywhere, and on ARM it is untested.
    """
    from numba.core.codegen import get_host_cpu_features

    from raim.networks.ncnn import native_pack

    if "+avx512f" not in get_host_cpu_features():
        return None
    path, here = weights_folders().cache.parent / "engines.json", _describe_processor()
    known: dict[str, dict[str, float]] = {}
    with suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
    if set(known.get(here, {})) != {"ncnn", "winograd"}:
        if native_pack() != LANES:  # a build of ncnn without AVX-512
            return None
        known[here] = measure_engines()
        with suppress(OSError):  # who has no folder of his own measures again
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(known, indent=1).encode())
    return known[here]


def measure_engines() -> dict[str, float]:
    """Time both engines by turns on one thread; the best of some rounds counts."""
    from raim.networks.packed_features import CONVOLUTIONS

    best = {name: [float("inf")] * len(SHAPES) for name in ("ncnn", "winograd")}
    for index, (channels, columns, rows) in enumerate(SHAPES):
        weight, bias = np.ones((channels, channels, 3, 3), np.float32), np.zeros(channels, np.float32)
        buffer = aligned_zeros((channels // 16, rows + 2, columns + 2, 16))
        for name, times in best.items():
            convolution = CONVOLUTIONS[name](weight, bias)
            run = functools.partial(convolution.run_packed, buffer, rows + 2, 16)
            times[index] = min(_time(run) for _ in range(ROUNDS))
    return {name: sum(times) for name, times in best.items()}


def _time(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _describe_processor() -> str:
    """Name all that the times depend on."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    versions = (f"{library} {importlib.metadata.version(library)}" for library in ("ncnn", "numpy"))
    return "; ".join((name, *versions, os.environ.get("OPENBLAS_CORETYPE", "")))
