from pathlib import Path

import numpy as np
import pytest

from browser import find_chromium
from raim.images import write_image


@pytest.fixture
def folders(tmp_path):
    """Write the pictures of {folder: {name: pixels}}; give the folders' paths."""

    def write(pictures: dict[str, dict[str, np.ndarray]]) -> dict[str, Path]:
        for folder, images in pictures.items():
            (tmp_path / folder).mkdir()
            for name, pixels in images.items():
                write_image(tmp_path / folder / f"{name}.png", pixels)
        return {folder: tmp_path / folder for folder in pictures}

    return write


@pytest.fixture(scope="module")
def chromium() -> str:
    found = find_chromium()
    if found is None:
        pytest.skip("there is no Chromium on this machine (RAIM_CHROMIUM can name one)")
    return found
