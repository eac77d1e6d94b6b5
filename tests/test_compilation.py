import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import raim
from patience import PATIENCE_S
from raim import compilation
from raim.compilation import first_use, kernel
from raim.metrics import (
    dists,
    luma_kernels,
    niqe,
    niqe_kernels,
    psnr,
    psnr_kernels,
    ssim,
    ssim_kernels,
)
from raim.networks import kernels

PROGRAM = """
import numpy as np
from raim.metrics.psnr import psnr
reference = np.zeros((8, 8, 3), np.{dtype})
print(psnr(reference + reference.dtype.type(np.iinfo(reference.dtype).max // 5), reference))
"""


@pytest.fixture
def install(tmp_path):
    """Copy the package to where no cache can be put beside a module: a file stands in the folder's place.

    (Taking away the permission to write would not stop a test that runs as root.)
    """
    package = tmp_path / "site" / "raim"
    shutil.copytree(Path(raim.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir())]:
        (folder / "__pycache__").touch()
    return package.parent


def start(install, home, dtype):
    environment = {
        **os.environ,
        "PYTHONPATH": str(install),
        "HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in ("XDG_CACHE_HOME", "RAIM_CACHE_DIR", "NUMBA_CACHE_DIR"):
        environment.pop(name, None)
    program = PROGRAM.format(dtype=dtype)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return float(output)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache is named by HOME on Linux only")
def test_processes_that_compile_at_once_share_the_users_cache(install, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    processes = [start(install, home, dtype) for dtype in ("uint8", "uint16", "uint8", "uint16")]
    assert [finish(process) for process in processes] == pytest.approx([13.979400086720377] * 4)
    compiled = list((home / ".cache" / "numba").rglob("psnr_kernels.integer_squares-*.nbc"))
    assert len(compiled) == 2  # one for each type
    assert finish(start(install, home, "uint16")) == pytest.approx(13.979400086720377)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache is named by HOME on Linux only")
def test_kernels_work_where_nothing_can_be_written(install, tmp_path):
    (tmp_path / "file").touch()
    assert finish(start(install, tmp_path / "file" / "home", "uint8")) == pytest.approx(13.979400086720377)


def test_a_kernel_is_compiled_without_a_cache_where_numba_finds_no_folder(monkeypatch):
    original = numba.njit

    def refuse(*args, **options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return original(*args, **options)

    monkeypatch.setattr(numba, "njit", refuse)

    def double(x):
        return 2 * x

    assert kernel(double)(21) == 42


def test_only_the_first_use_of_a_signature_takes_the_lock(monkeypatch, tmp_path):
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compilation, "_ready", set())
    taken = []
    original = compilation.FileLock
    monkeypatch.setattr(compilation, "FileLock", lambda path: taken.append(path) or original(path))
    for signature in (("a", 1), ("a", 1), ("a", 2)):
        with first_use(*signature):
            pass
    assert taken == [tmp_path / "kernels.lock"] * 2


def test_a_failed_first_use_is_not_the_first_use(monkeypatch, tmp_path):
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compilation, "_ready", set())
    with pytest.raises(ZeroDivisionError), first_use("b"):
        raise ZeroDivisionError
    assert compilation._ready == set()


def kinds_of(image):
    """List what an array may be besides one of its own memory in order, as numba's types tell them apart."""
    read_only = image.copy()
    read_only.flags.writeable = False
    unaligned = np.empty(image.nbytes + 1, np.uint8)[1:].view(image.dtype).reshape(image.shape)
    unaligned[:] = image
    by_columns = np.asfortranarray(image)
    by_pixels = np.ascontiguousarray(image.transpose(1, 2, 0)).transpose(2, 0, 1)
    mapped = np.frombuffer(image.tobytes(), image.dtype).reshape(image.shape)
    return {
        "own": image.copy(),
        "read-only": read_only,
        "bytes": mapped,
        "unaligned": unaligned,
        "by columns": by_columns,
        "by pixels": by_pixels,
        "turned": image[::-1, ::-1].copy()[::-1, ::-1],
        "a part": np.pad(image, ((1, 1), (1, 1), (0, 0)))[1:-1, 1:-1],
    }


@pytest.fixture
def outside(monkeypatch):
    """Begin as a process that has compiled nothing; list what is compiled, or loaded, outside the lock."""
    monkeypatch.setattr(compilation, "_ready", set())
    held, found = [], []
    lock, compile_one = compilation.FileLock, Dispatcher.compile

    @contextlib.contextmanager
    def hold(path):
        with lock(path):
            held.append(path)
            yield
            held.pop()

    def watch(kernel, signature):
        if not held:
            found.append((kernel.__name__, signature))
        return compile_one(kernel, signature)

    monkeypatch.setattr(compilation, "FileLock", hold)
    monkeypatch.setattr(Dispatcher, "compile", watch)
    for module in (luma_kernels, niqe_kernels, psnr_kernels, ssim_kernels, kernels):
        for each in vars(module).values():
            if isinstance(each, Dispatcher):
                each._reset_overloads()
    return found


def test_no_kind_of_array_is_compiled_for_outside_the_lock(outside):
    pictures = np.random.default_rng(0).integers(0, 65536, (2, 192, 97, 3), np.uint16)
    restored, reference = (list(kinds_of(each).values()) for each in pictures)
    kernels.compile_kernels()
    values = set()
    for first, second in zip(restored, reference[::-1], strict=True):
        shown = (
            psnr(first, second),
            psnr(first, second, colour="y"),
            ssim(first, second, colour="y"),
            niqe(first),
        )
        values.add((*(round(value, 9) for value in shown), round(dists(first[:40], second[:40]), 6)))
    assert len(values) == 1
    assert outside == []
