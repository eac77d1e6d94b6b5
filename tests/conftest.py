"""Fixtures that every test module may use."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("raim", deadline=None, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile("raim")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of photographs and known answers beside the repository, or skip without it."""
    folder = ROOT.parent / "shared"
    if not (folder / "kat").is_dir():
        pytest.skip("the photographs and known answers in ../shared are not here")
    return folder
