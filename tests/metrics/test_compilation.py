import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import raim
from raim.metrics import compilation
from raim.metrics.compilation import first_use, kernel

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
    output, errors = process.communicate(timeout=100)
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
    original = compilation.exclusive
    monkeypatch.setattr(compilation, "exclusive", lambda path: taken.append(path) or original(path))
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
