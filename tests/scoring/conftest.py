"""Small folders of pairs and a profile that is quick to compute."""

from pathlib import Path

import numpy as np
import pytest

from raim.images import write_image
from raim.scoring import MeasureChoice, Profile

QUICK = Profile(
    name="quick",
    note="PSNR and SSIM alone, for tests",
    border_px=2,
    measures=(
        MeasureChoice(
            name="psnr", options={"colour": "rgb", "epsilon": 1e-8}, weight=20, zero_at=0, one_at=50
        ),
        MeasureChoice(name="ssim", weight=15, zero_at=0.5, one_at=1),
    ),
)


@pytest.fixture
def quick() -> Profile:
    return QUICK


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Make reference/, good/ and poor/ with three images each, and manifest.csv."""
    rng = np.random.default_rng(0)
    for name in ("reference", "good", "poor"):
        (tmp_path / name).mkdir()
    for index in range(3):
        reference = rng.integers(0, 256, (40, 50, 3), np.uint8)
        write_image(tmp_path / "reference" / f"{index}.png", reference)
        for name, spread in (("good", 5), ("poor", 60)):
            noise = rng.integers(-spread, spread + 1, reference.shape)
            restored = np.clip(reference + noise, 0, 255).astype(np.uint8)
            write_image(tmp_path / name / f"{index}.png", restored)
    (tmp_path / "manifest.csv").write_text("name,scenario\n0,denoise\n1,denoise\n2,blur\n", encoding="utf-8")
    return tmp_path
