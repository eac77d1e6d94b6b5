import numpy as np
import pytest

from raim.images import write_image
from raim.restore import Restorer


@pytest.fixture
def folder(tmp_path):
    """Make a folder of three small photographs in three formats."""
    rng = np.random.default_rng(0)
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.png", "b.tif", "c.webp"):
        write_image(source / name, rng.integers(0, 256, (12, 16, 3), np.uint8), quality=100)
    return source


class Inverting:
    """A restorer that gives the negative, and counts."""

    def __init__(self):
        self.n_calls = 0
        self.restorer = Restorer(name="invert", purpose="for tests", compute=self.run)

    def run(self, image, context):
        self.n_calls += 1
        context.on_note("inverted")
        context.on_progress(1.0)
        return 1 - image


@pytest.fixture
def inverting():
    return Inverting()
