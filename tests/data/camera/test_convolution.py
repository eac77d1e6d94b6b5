import numpy as np
import pytest
from scipy import ndimage

from raim.data.camera.convolution import blur_gaussian, blur_with_kernel


@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_kernel_gives_what_direct_convolution_gives(channels):
    rng = np.random.default_rng(0)
    picture = rng.random((30, 41, *channels), np.float32)
    kernel = rng.random((7, 7))
    expected = ndimage.convolve(picture, kernel.reshape(7, 7, *(1 for _ in channels)), mode="reflect")
    np.testing.assert_allclose(blur_with_kernel(picture, kernel), expected, rtol=1e-4)


@pytest.mark.parametrize("sigma", [1.5, 3.0, 10.0])
def test_a_gaussian_gives_what_direct_convolution_gives(sigma):
    picture = np.random.default_rng(0).random((40, 50), np.float32)
    expected = ndimage.gaussian_filter(picture, sigma, mode="reflect", truncate=8)
    np.testing.assert_allclose(blur_gaussian(picture, sigma), expected, atol=2e-3)


def test_blurs_keep_a_flat_picture_flat_up_to_its_border():
    flat = np.full((20, 20, 3), 0.4, np.float32)
    np.testing.assert_allclose(blur_with_kernel(flat, np.full((9, 9), 1 / 81)), 0.4, rtol=1e-5)
    np.testing.assert_allclose(blur_gaussian(flat, 30.0), 0.4, rtol=1e-5)
