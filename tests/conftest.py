"""Fixtures that every test module may use."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from typechecking import check_calls

settings.register_profile("raim", deadline=None, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile("raim")

check_calls()

CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}

ROOT = Path(__file__).resolve().parents[1]


def pytest_xdist_auto_num_workers():
    """Run one process more than there are cores: a quarter of the time tests wait for servers, workers and browsers."""
    from raim.processes import count_cores

    return count_cores() + 1


def pytest_collection_finish():
    """Leave what was imported and collected out of the collector's rounds: a million objects that stay."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of photographs and known answers beside the repository, or skip without it."""
    folder = ROOT.parent / "shared"
    if not (folder / "kat").is_dir():
        pytest.skip("the photographs and known answers in ../shared are not here")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_priority():
    """Keep the priority of the tests, which a worker would lower for all that follow, and of all that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.nice", lambda _increment: 0, raising=False)
        patch.setenv("PYTHONPATH", str(ROOT / "tests/own_priority"), prepend=os.pathsep)
        yield


@pytest.fixture(scope="session", autouse=True)
def real_hasher():
    """Let the people of tests, who are many, log in without the cost of real passwords; give what makes that cost."""
    try:
        from raim.server.actions import passwords
    except ImportError:  # the extra `server` is not installed
        return None
    real, passwords._HASHER = passwords._HASHER, passwords.PasswordHasher(**CHEAP)
    return real
