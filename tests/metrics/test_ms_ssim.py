import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate1d, uniform_filter

from raim.errors import UnscorableError
from raim.metrics import ms_ssim, ssim

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
LUMA = np.array([65.481, 128.553, 24.966]) / 255


def mean(plane):
    """Average over the windows inside, by scipy."""
    window = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    for axis in (0, 1):
        plane = correlate1d(plane, window / window.sum(), axis=axis)
    return plane[5:-5, 5:-5]


def plain(restored, reference, *, is_luma=False):
    """Follow the paper and the borders of the authors' release with scipy; images of 0 to 255."""
    x, y = restored.astype(np.float64), reference.astype(np.float64)
    if is_luma:
        x, y = (x @ LUMA + 16)[..., None], (y @ LUMA + 16)[..., None]
    values = []
    for channel in range(x.shape[2]):
        a, b, value = x[..., channel], y[..., channel], 1.0
        for scale, weight in enumerate(WEIGHTS):
            ma, mb = mean(a), mean(b)
            va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
            part = (2 * cov + 58.5225) / (va + vb + 58.5225)
            if scale == 4:
                part = part * (2 * ma * mb + 6.5025) / (ma**2 + mb**2 + 6.5025)
            value *= max(part.mean(), 0) ** weight
            a, b = (uniform_filter(p, 2, mode="reflect", origin=-1)[::2, ::2] for p in (a, b))
        values.append(value)
    return np.mean(values)


def photograph(rng, height, width):
    """Make smooth structure with noise, as pictures have."""
    y, x = np.mgrid[:height, :width][..., None]
    smooth = 127 + 90 * np.sin(x / 19.0 + rng.random(3)) * np.cos(y / 27.0 + rng.random(3))
    return (smooth + rng.normal(0, 12, (height, width, 3))).clip(0, 255).astype(np.uint8)


def spoil(rng, image):
    return (image * rng.uniform(0.5, 1) + rng.normal(0, 25, image.shape)).clip(0, 255).astype(np.uint8)


@settings(max_examples=10, deadline=None)
@given(st.integers(161, 230), st.integers(161, 230), st.integers(0, 2**32 - 1))
def test_it_equals_an_independent_implementation(height, width, seed):
    rng = np.random.default_rng(seed)
    y = photograph(rng, height, width)
    x = spoil(rng, y)
    assert ms_ssim(x, y) == pytest.approx(plain(x, y), abs=1e-10)
    assert ms_ssim(x, y, colour="y") == pytest.approx(plain(x, y, is_luma=True), abs=1e-10)


def test_it_is_one_for_identical_images_and_zero_for_opposite_ones():
    image = photograph(np.random.default_rng(1), 170, 180)
    assert ms_ssim(image, image) == 1
    assert ms_ssim(255 - image, image) == 0


def test_fine_noise_counts_less_than_in_ssim():
    rng = np.random.default_rng(2)
    reference = photograph(rng, 200, 200)
    restored = (reference + rng.normal(0, 25, reference.shape)).clip(0, 255).astype(np.uint8)
    assert ms_ssim(restored, reference) > ssim(restored, reference) + 0.1


def test_an_image_without_a_window_at_the_coarsest_scale_is_unscorable():
    image = np.zeros((160, 300, 3), np.uint8)
    with pytest.raises(UnscorableError, match="the image is 300x160, MS-SSIM needs at least 161x161"):
        ms_ssim(image, image)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "value"), [("I03", 0.670189220108), ("I04", 0.954181843301)])
def test_a_public_implementation_gives_the_same(known_image, name, value):
    # piq 0.8.0, multi_scale_ssim in double precision, which halves as the authors' release does.
    restored, reference = (known_image(f"{name}_{kind}") for kind in ("distorted", "reference"))
    assert ms_ssim(restored, reference) == pytest.approx(value, abs=1e-11)
