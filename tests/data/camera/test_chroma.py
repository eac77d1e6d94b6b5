import numpy as np
import pytest

from raim.data.camera.chroma import ChromaNoise, add_chroma_noise, draw_blotches
from raim.data.camera.luma import split_luma


def test_blotches_have_variance_one_and_the_spectrum_of_their_gaussian():
    field = draw_blotches(512, 512, 4.0, np.random.default_rng(0))
    assert field.std() == pytest.approx(1, abs=0.05)
    # White noise behind a Gaussian of sigma s is correlated by exp(-d^2 / 4 s^2) at a distance d.
    correlation = (field[:, 8:] * field[:, :-8]).mean() / (field**2).mean()
    assert correlation == pytest.approx(np.exp(-64 / 64), abs=0.06)


def test_colour_gets_the_stated_deviation_and_brightness_none():
    grey = np.full((256, 256, 3), 1 - np.sqrt(1 / 3), np.float32)  # where the fade is 1
    noisy = split_luma(add_chroma_noise(grey, ChromaNoise(sigma=0.02, scale_px=3.0, seed=1)))
    assert np.ptp(noisy[..., 0]) < 1e-5
    assert noisy[..., 1].std() == pytest.approx(0.02, rel=0.1)
    assert noisy[..., 2].std() == pytest.approx(0.02, rel=0.1)


def test_white_has_no_colour_noise():
    white = np.ones((32, 32, 3), np.float32)
    np.testing.assert_allclose(add_chroma_noise(white, ChromaNoise(sigma=0.1, block_sigma=0.1)), 1, atol=1e-5)


def test_blocks_are_flat_inside_and_differ_from_one_another():
    grey = np.full((64, 64, 3), 0.3, np.float32)
    blue = split_luma(add_chroma_noise(grey, ChromaNoise(block_sigma=0.02, block_px=16)))[..., 1]
    blocks = blue.reshape(4, 16, 4, 16).transpose(0, 2, 1, 3).reshape(16, -1)
    assert np.ptp(blocks, axis=1).max() < 1e-6
    assert len(np.unique(blocks[:, 0].round(6))) == 16
