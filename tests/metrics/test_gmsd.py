import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d

from raim.errors import UnscorableError
from raim.metrics import gmsd

GREY = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])
PREWITT = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]]) / 3


def plain(restored, reference, *, rounded=False):
    """Follow the authors' release line by line with scipy; images of 0 to 255."""

    def gradient(image):
        grey = image.astype(np.float64) @ GREY
        grey = np.rint(grey) if rounded else grey
        # MATLAB's "same" of a kernel of even size begins one pixel later than scipy's.
        mean = convolve2d(grey, np.full((2, 2), 0.25), "full")[1:, 1:]
        small = mean[::2, ::2]
        return np.hypot(convolve2d(small, PREWITT, "same"), convolve2d(small, PREWITT.T, "same"))

    x, y = gradient(restored), gradient(reference)
    quality = (2 * x * y + 170) / (x**2 + y**2 + 170)
    return np.std(quality, ddof=1)


def pair(seed, height, width):
    rng = np.random.default_rng(seed)
    y = np.kron(rng.integers(20, 230, (9, 9, 3)), np.ones((9, 9, 1)))[:height, :width].astype(np.uint8)
    return (y * 0.8 + rng.normal(0, 20, y.shape)).clip(0, 255).astype(np.uint8), y


@settings(max_examples=25, deadline=None)
@given(st.integers(6, 80), st.integers(6, 80), st.integers(0, 2**32 - 1), st.booleans())
def test_it_equals_an_independent_implementation(height, width, seed, rounded):
    x, y = pair(seed, height, width)
    assert gmsd(x, y, rounded_luma=rounded) == pytest.approx(plain(x, y, rounded=rounded), abs=1e-10)


def test_it_is_zero_for_identical_images_and_small_where_all_edges_change_alike():
    x, y = pair(0, 80, 80)
    assert gmsd(y, y) == 0
    assert gmsd(y // 2 + 60, y) < gmsd(x, y)


def test_the_type_of_the_pixels_and_their_order_do_not_matter():
    x, y = pair(1, 60, 64)
    value = gmsd(x, y)
    assert gmsd(y, x) == pytest.approx(value, abs=1e-13)
    assert gmsd(x * np.uint16(257), y * np.uint16(257)) == pytest.approx(value, abs=1e-12)
    assert gmsd(x / 255, y / 255) == pytest.approx(value, abs=1e-12)
    for turn in (np.flipud, np.fliplr, lambda image: image.swapaxes(0, 1)):
        assert gmsd(turn(x), turn(y)) == pytest.approx(value, abs=1e-13)


def test_an_image_of_a_few_pixels_is_unscorable():
    image = np.zeros((5, 40, 3), np.uint8)
    with pytest.raises(UnscorableError, match="the image is 40x5, GMSD needs at least 6x6"):
        gmsd(image, image)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "value"), [("I03", 0.220408957688), ("I04", 0.000278354341)])
def test_a_public_implementation_gives_the_same(known_image, name, value):
    # piq 0.8.0, which divides by n and takes luma by weights of three digits.
    restored, reference = (known_image(f"{name}_{kind}") for kind in ("distorted", "reference"))
    assert gmsd(restored, reference) == pytest.approx(value, rel=2e-5)
