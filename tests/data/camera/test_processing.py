import math

import numpy as np
import pytest

from raim.data.camera.arrays import split_luma
from raim.data.camera.processing import (
    Banding,
    ChromaNoise,
    Denoise,
    Sharpening,
    add_chroma_noise,
    draw_blotches,
    round_to_steps,
    sharpen,
    smooth_noise,
)


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


@pytest.mark.parametrize(("amount", "radius"), [(0.5, 2.0), (0.8, 4.0), (0.3, 8.0)])
def test_the_halo_s_overshoot_is_that_of_the_blurred_step(amount, radius):
    step = np.repeat(np.array([0.3, 0.7], np.float32), 64)[None, :, None].repeat(3, 2).repeat(8, 0)
    sharpened = sharpen(step, Sharpening(amount=amount, radius_px=radius))
    # Half a pixel from the edge the blurred step is below the plateau by h (1 - Phi(1 / 2 sigma)).
    missing = 0.4 * 0.5 * math.erfc(0.5 / radius / math.sqrt(2))
    assert sharpened.max() == pytest.approx(0.7 + amount * missing, abs=2e-3)
    assert sharpened.min() == pytest.approx(0.3 - amount * missing, abs=2e-3)


def test_colour_is_not_sharpened():
    picture = np.full((8, 32, 3), 0.5, np.float32)
    picture[:, 16:] += np.array([0.1, 0, -0.1 * 0.299 / 0.114], np.float32)  # of the same brightness
    np.testing.assert_allclose(sharpen(picture, Sharpening(amount=2.0, radius_px=2.0)), picture, atol=1e-5)
