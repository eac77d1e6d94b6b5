import numpy as np
import pytest
from scipy.special import gamma

from raim.metrics.niqe_features import VARIANTS, block_features, halving_weights, shape_table


def test_halving_keeps_lines_and_parabolas_and_removes_the_finest_stripes():
    weights, offsets = halving_weights(), np.arange(8) - 3.5
    assert weights.sum() == 1
    assert weights @ offsets == 0
    assert weights @ (-1.0) ** np.arange(8) == 0


def test_the_table_is_that_of_the_gamma_function():
    a, ratio, scale, mean = shape_table()
    assert (a[0], a[-1], len(a)) == (0.2, pytest.approx(10), 9801)
    np.testing.assert_allclose(ratio, gamma(2 / a) ** 2 / (gamma(1 / a) * gamma(3 / a)), rtol=1e-11)
    np.testing.assert_allclose(scale, np.sqrt(gamma(1 / a) / gamma(3 / a)), rtol=1e-11)
    np.testing.assert_allclose(mean, gamma(2 / a) / gamma(1 / a), rtol=1e-11)
    assert (np.diff(ratio) > 0).all()


@pytest.fixture
def half_flat():
    """Give a picture of five blocks beside each other, the first two flat: all that the first one sees is flat."""
    image = np.random.default_rng(0).integers(0, 256, (96, 480, 3), np.uint8)
    image[:, :192] = (30, 77, 200)
    return image


@pytest.mark.parametrize("variant", ["basicsr", "matlab"])
def test_a_flat_block_has_the_first_shape_and_no_scales(half_flat, variant):
    values = block_features(half_flat, VARIANTS[variant], white=255.0).values
    shapes = [0, 2, 6, 10, 14, 18, 20, 24, 28, 32]
    assert (values[0, shapes] == 0.2).all()
    assert np.isnan(np.delete(values[0], shapes)).all()
    assert np.isfinite(values[2:]).all()


def test_a_flat_block_is_slightly_negative_where_the_window_sums_to_more_than_one(half_flat):
    values = block_features(half_flat, VARIANTS["pyiqa"], white=255.0).values
    assert VARIANTS["pyiqa"].sum_of_window == pytest.approx(1 + 1.135e-8, abs=1e-11)
    # All n are the same negative number, all products the same positive one.
    shape, scale, pair_shape, mean, left, right = values[0, :6]
    assert (shape, pair_shape) == (0.2, 0.2)
    assert np.isnan([scale, mean, left]).all()
    assert right > 0


@pytest.mark.parametrize(("height", "width"), [(96, 192), (192, 96), (288, 192)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_block_depends_on_nothing_beyond_nine_pixels(height, width, variant):
    rng = np.random.default_rng(1)
    large = rng.integers(0, 256, (384, 384, 3), np.uint8)
    other = rng.integers(0, 256, (384, 384, 3), np.uint8)
    other[: height + 9, : width + 9] = large[: height + 9, : width + 9]

    def features(image):
        values = block_features(image, VARIANTS[variant], white=255.0).values.reshape(4, 4, 36)
        return values[: height // 96, : width // 96]

    np.testing.assert_array_equal(features(large), features(other))
