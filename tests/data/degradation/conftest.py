"""A folder of small clean photographs."""

import numpy as np
import pytest

from raim.images import write_image


@pytest.fixture
def clean(tmp_path):
    folder = tmp_path / "clean"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, shape in (("b.png", (40, 52, 3)), ("a.png", (36, 48, 3)), ("grey.tif", (44, 40))):
        write_image(folder / name, rng.integers(0, 256, shape, np.uint8))
    return folder
