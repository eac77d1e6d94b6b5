import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import correlate2d

from raim.errors import InputError, UnknownNameError, UnscorableError
from raim.metrics.ssim import C1, ssim


def plain(restored, reference, *, luma, rounded=False, clip=False):
    """Follow the definition with scipy's two-dimensional correlation; images of 0 to 255."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(plane):
        return correlate2d(plane, window, mode="valid")

    x, y = restored.astype(np.float64), reference.astype(np.float64)
    if luma:
        weights = np.array([65.481, 128.553, 24.966]) / 255
        x, y = (x @ weights + 16)[..., None], (y @ weights + 16)[..., None]
        if rounded:
            x, y = np.rint(x), np.rint(y)
    maps = []
    for a, b in zip(np.moveaxis(x, 2, 0), np.moveaxis(y, 2, 0), strict=True):
        ma, mb = mean(a), mean(b)
        va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
        contrast = (2 * cov + 58.5225) / (va + vb + 58.5225)
        contrast = np.maximum(contrast, 0) if clip else contrast
        maps.append((2 * ma * mb + 6.5025) / (ma**2 + mb**2 + 6.5025) * contrast)
    return np.mean(maps)


def has_tie(image):
    """Find a luma that lies exactly between two integers: the order of additions decides how it is rounded."""
    thousandths = image.astype(np.int64) @ np.array([65481, 128553, 24966])
    return bool((thousandths % 255000 == 127500).any())


def photograph(rng, height, width):
    """Make smooth structure with noise, as pictures have."""
    y, x = np.mgrid[:height, :width][..., None]
    smooth = 127 + 90 * np.sin(x / 9.0 + rng.random(3)) * np.cos(y / 7.0 + rng.random(3))
    return (smooth + rng.normal(0, 12, (height, width, 3))).clip(0, 255).astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.integers(11, 90), st.integers(11, 90), st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_it_equals_an_independent_implementation(height, width, seed, rounded, clip):
    rng = np.random.default_rng(seed)
    x, y = photograph(rng, height, width), photograph(rng, height, width)
    assume(not (rounded and (has_tie(x) or has_tie(y))))
    assert ssim(x, y, clip_contrast=clip) == pytest.approx(plain(x, y, luma=False, clip=clip), abs=1e-10)
    value = ssim(x, y, colour="y", rounded_luma=rounded, clip_contrast=clip)
    assert value == pytest.approx(plain(x, y, luma=True, rounded=rounded, clip=clip), abs=1e-10)


def test_identical_images_are_exactly_alike():
    image = photograph(np.random.default_rng(1), 60, 70)
    assert ssim(image, image) == 1
    assert ssim(image, image, colour="y", rounded_luma=True, clip_contrast=True) == 1


@pytest.mark.parametrize(("a", "b"), [(0, 255), (10, 20), (128, 128)])
def test_constant_images_differ_by_their_means_only(a, b):
    x, y = np.full((12, 15, 3), a, np.uint8), np.full((12, 15, 3), b, np.uint8)
    assert ssim(x, y) == pytest.approx((2 * a * b + C1) / (a * a + b * b + C1), rel=1e-9)


def test_opposite_structure_is_negative_unless_clipped():
    image = photograph(np.random.default_rng(2), 40, 40)
    assert ssim(255 - image, image) < -0.5
    assert ssim(255 - image, image, clip_contrast=True) >= 0


@pytest.mark.parametrize("strip_rows", [1, 7, 32, 1000])
def test_the_height_of_the_strips_does_not_matter(strip_rows):
    rng = np.random.default_rng(3)
    x, y = photograph(rng, 83, 61), photograph(rng, 83, 61)
    assert ssim(x, y, strip_rows=strip_rows) == pytest.approx(ssim(x, y), abs=1e-13)


def test_order_and_orientation_do_not_matter():
    rng = np.random.default_rng(4)
    x, y = photograph(rng, 50, 64), photograph(rng, 50, 64)
    value = ssim(x, y)
    assert ssim(y, x) == pytest.approx(value, abs=1e-13)
    for turn in (np.flipud, np.fliplr, lambda image: image.swapaxes(0, 1)):
        assert ssim(turn(x), turn(y)) == pytest.approx(value, abs=1e-13)


def test_the_type_of_the_pixels_does_not_matter():
    rng = np.random.default_rng(5)
    x, y = photograph(rng, 30, 30), photograph(rng, 30, 30)
    value = ssim(x, y, colour="y")
    assert ssim(x * np.uint16(257), y * np.uint16(257), colour="y") == pytest.approx(value, abs=1e-12)
    assert ssim(x / 255, y / 255, colour="y") == pytest.approx(value, abs=1e-12)
    assert ssim(x.astype(np.uint16), y.astype(np.uint16), colour="y", data_range=255) == value


def test_an_image_below_the_window_is_unscorable():
    image = np.zeros((10, 40, 3), np.uint8)
    with pytest.raises(UnscorableError, match="the image is 40x10"):
        ssim(image, image)


def test_wrong_arguments_are_refused():
    image = np.zeros((11, 11, 3), np.uint8)
    with pytest.raises(InputError, match="must be the same size"):
        ssim(image, np.zeros((11, 12, 3), np.uint8))
    with pytest.raises(UnknownNameError, match="no colour named 'Y'"):
        ssim(image, image, colour="Y")


@pytest.mark.shared
@pytest.mark.parametrize(("prefix", "border"), [("raim2024", 4), ("nocrop", 0)])
def test_all_real_pairs_come_out(real_pairs, prefix, border):
    for row, restored, reference in real_pairs:
        h, w = reference.shape[:2]
        x, y = (image[border : h - border, border : w - border] for image in (restored, reference))
        value = ssim(x, y, colour="y", rounded_luma=True, clip_contrast=True)
        assert value == pytest.approx(float(row[f"{prefix}_ssim"]), abs=2e-6)
