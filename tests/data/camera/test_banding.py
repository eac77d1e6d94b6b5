import numpy as np
import pytest

from raim.data.camera.banding import Banding, round_to_steps


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_a_slope_has_two_to_the_bits_levels_and_the_variance_of_rounding(bits):
    slope = np.linspace(0, 1, 100_001, dtype=np.float32)[None, :, None].repeat(3, 2)
    banded = round_to_steps(slope, Banding(bits=bits))
    assert len(np.unique(banded)) == 2**bits
    step = 1 / (2**bits - 1)
    assert (banded - slope).var() == pytest.approx(step**2 / 12, rel=0.02)
    assert np.abs(banded - slope).max() <= step / 2 + 1e-6


def test_zero_bits_round_nothing():
    picture = np.random.default_rng(0).random((4, 4, 3), np.float32)
    assert round_to_steps(picture, Banding()) is picture
