import numpy as np
import pytest

from raim.data.camera.denoise import Denoise, smooth_noise
from raim.data.camera.luma import split_luma


def test_what_varies_less_than_the_strength_goes_and_what_varies_more_stays():
    rng = np.random.default_rng(0)
    faint = (0.5 + 0.01 * rng.standard_normal((96, 96, 1))).astype(np.float32).repeat(3, 2)
    strong = (0.5 + 0.1 * rng.standard_normal((96, 96, 1))).astype(np.float32).repeat(3, 2)
    stage = Denoise(radius_px=6, luma_strength=0.04)
    kept = [smooth_noise(picture, stage).std() / picture.std() for picture in (faint, strong)]
    # White noise of variance v is scaled by a = v / (v + strength^2), where a window holds enough of it.
    assert kept[0] == pytest.approx(0.01**2 / (0.01**2 + 0.04**2), abs=0.08)
    assert kept[1] == pytest.approx(0.1**2 / (0.1**2 + 0.04**2), abs=0.03)


def test_a_strong_edge_stays_and_a_flat_side_stays_flat():
    step = np.repeat(np.array([0.2, 0.8], np.float32), 32)[None, :, None].repeat(3, 2).repeat(16, 0)
    smoothed = smooth_noise(step, Denoise(radius_px=3, luma_strength=0.05))
    assert np.abs(smoothed - step).max() < 0.02


def test_colour_is_smoothed_by_its_own_strength():
    noise = np.random.default_rng(0).normal(0.5, 0.03, (64, 64, 3)).astype(np.float32)
    smoothed = smooth_noise(noise, Denoise(radius_px=3, luma_strength=0.0, chroma_strength=0.3))
    before, after = split_luma(noise).std(axis=(0, 1)), split_luma(smoothed).std(axis=(0, 1))
    assert after[0] == pytest.approx(before[0], rel=1e-3)
    assert (after[1:] < 0.25 * before[1:]).all()
