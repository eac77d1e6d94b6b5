"""How long a user waits for the first result: imports, the command's help, one pair of 512x512 from the shell."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs

import raim
from material import Case, make_case
from processes import Turn, run_command

RAIM = (sys.executable, "-m", "raim")


def time_startup(root: Path, runs: int) -> Iterator[tuple[str, Turn]]:
    """Give, for each thing that is waited for, its description and the fastest of the runs.

    What happens on a first run only is run once. Everything is a fresh process; its whole life is timed.
    """
    case = make_case(root / "startup", "512x512")
    score = score_command(case)
    yield "`python -c pass`, for comparison", _fastest((sys.executable, "-c", "pass"), runs)
    yield "`import raim`", _fastest((sys.executable, "-c", "import raim"), runs)
    yield "`raim --help`", _fastest((*RAIM, "--help"), runs)
    yield "`raim score`, one 512x512 pair, compiled kernels present", _fastest(score, runs)
    empty = {"NUMBA_CACHE_DIR": str(root / "kernels")}
    yield "the same on the very first run: no compiled kernels", run_command(score, empty)
    yield "the same once more", run_command(score, empty)
    sealed = seal_install(root / "sealed")
    yield "very first run, from an install that cannot be written to", run_command(score, sealed)
    yield "the same once more: kernels are in the user's cache", run_command(score, sealed)


def score_command(case: Case) -> tuple[str, ...]:
    """Give the command line that scores a case's first candidate with nothing known before."""
    return (*RAIM, "score", str(case.restored[0]), str(case.reference), "--no-cache")


def _fastest(command: tuple[str, ...], runs: int) -> Turn:
    run_command(command)
    return min((run_command(command) for _ in range(runs)), key=lambda turn: turn.wall_s)


def seal_install(root: Path) -> Mapping[str, str]:
    """Copy the package to where no code can be cached beside it; give the environment that runs it, with empty caches.

    A file stands where each `__pycache__` would be, which holds back an administrator too, unlike permissions.
    """
    package = root / "site" / "raim"
    shutil.copytree(Path(raim.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in {path.parent for path in package.rglob("*.py")}:
        (folder / "__pycache__").touch()
    weights = os.environ.get("RAIM_CACHE_DIR") or platformdirs.user_cache_dir("raim")
    return {
        "PYTHONPATH": str(package.parent),
        "RAIM_CACHE_DIR": weights,
        "XDG_CACHE_HOME": str(root / "cache"),
        "HOME": str(root),
        "NUMBA_CACHE_DIR": "",
    }
