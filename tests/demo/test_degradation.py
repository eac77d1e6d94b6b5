import numpy as np
import pytest

from score_tables import noise

pytest.importorskip("cv2", reason="the extra `demo` is not installed")

from raim.demo.degradation import BLUR_SIGMA_PX, DEGRADATIONS, NOISE_SIGMA, add_noise, blur


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_the_same_seed_gives_the_same_pixels(name):
    photo = noise(40, 50, 1)
    first, second = (DEGRADATIONS[name].degrade(photo, np.random.default_rng([7, 1])) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.shape == photo.shape
    assert not np.array_equal(first, photo)


def test_noise_has_the_stated_sigma_and_no_bias():
    grey = np.full((400, 400, 3), 128, np.uint8)
    noisy = add_noise(grey, np.random.default_rng(3)).astype(float)
    assert noisy.std() == pytest.approx(np.sqrt(NOISE_SIGMA**2 + 1 / 12), rel=0.01)
    assert noisy.mean() == pytest.approx(128, abs=0.1)


def test_a_step_is_blurred_to_the_error_function():
    from scipy.special import ndtr

    step = np.zeros((9, 60, 3), np.uint8)
    step[:, 30:] = 255
    blurred = blur(step, np.random.default_rng(0))[4, :, 0]
    expected = 255 * ndtr((np.arange(60) - 29.5) / BLUR_SIGMA_PX)
    assert np.abs(blurred - expected).max() < 2.5
