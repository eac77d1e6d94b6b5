import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.metrics.windows import gaussian_window


@given(st.integers(1, 15), st.floats(0.3, 5))
def test_a_window_is_symmetric_and_sums_to_one(taps, deviation):
    window = gaussian_window(taps, deviation)
    assert window.sum() == pytest.approx(1, rel=1e-14)
    np.testing.assert_array_equal(window, window[::-1])


def test_neighbours_fall_off_as_a_gaussian():
    window = gaussian_window(7, 7 / 6)
    assert window[3] / window[2] == pytest.approx(np.exp(0.5 * (6 / 7) ** 2), rel=1e-14)
