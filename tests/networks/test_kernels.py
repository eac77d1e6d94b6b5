import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raim.networks import kernels

ROUNDING = 1e-6


def packed(seed, groups=2, rows=7, width=9, pack=4):
    return np.random.default_rng(seed).standard_normal((groups, rows, width, pack)).astype(np.float32)


def channels(x):
    """Undo the packing: (c, rows, columns) in float64."""
    return np.moveaxis(x, 3, 1).reshape(-1, *x.shape[1:3]).astype(np.float64)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), rows=st.integers(1, 3), width=st.integers(1, 4))
def test_l2_pool_is_the_root_of_the_hann_weighted_squares(seed, rows, width):
    x = packed(seed)
    line = np.array([1, 2, 1]) / 4
    expected = [
        [
            np.sqrt(
                (np.outer(line, line) * channels(x)[:, 2 * y : 2 * y + 3, 2 * c : 2 * c + 3] ** 2).sum((1, 2))
                + 1e-12
            )
            for c in range(width)
        ]
        for y in range(rows)
    ]
    got = channels(kernels.l2_pool(x, rows, width))
    np.testing.assert_allclose(got, np.moveaxis(expected, 2, 0), rtol=ROUNDING)


@pytest.mark.parametrize("side", [2, 3])
def test_max_pool_takes_the_largest_of_each_window(side):
    x = packed(0)
    got = channels(kernels.max_pool(x, 3, 4, side))
    for y in range(3):
        for c in range(4):
            window = channels(x)[:, 2 * y : 2 * y + side, 2 * c : 2 * c + side]
            np.testing.assert_array_equal(got[:, y, c], window.max((1, 2)))


def test_sums_are_those_of_numpy_in_double_precision():
    images = [packed(1), packed(2), packed(3)]
    first, second, cross = kernels.sum_moments(images)
    plain = [channels(image).astype(np.float64) for image in images]
    np.testing.assert_allclose(first, [x.sum((1, 2)) for x in plain], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(second, [(x**2).sum((1, 2)) for x in plain], rtol=1e-12)
    np.testing.assert_allclose(cross, [(plain[0] * x).sum((1, 2)) for x in plain[1:]], rtol=1e-12, atol=1e-12)


def test_one_image_alone_has_no_products():
    first, _, cross = kernels.sum_moments([packed(1)])
    assert (len(first), cross.shape) == (1, (0, first.shape[1]))


def test_head_distance_compares_features_of_length_one():
    x, y, head = packed(3), packed(4), np.arange(8.0).reshape(2, 4)
    unit = [channels(z) / np.linalg.norm(channels(z), axis=0) for z in (x, y)]
    expected = (head.reshape(8, 1, 1) * (unit[0] - unit[1]) ** 2).sum()
    assert kernels.head_distance(x, y, head) == pytest.approx(expected, rel=1e-9)


def test_head_distance_of_a_zero_feature_is_no_division_by_zero():
    x = np.zeros((1, 1, 1, 4), np.float32)
    assert kernels.head_distance(x, x, np.ones((1, 4))) == 0
