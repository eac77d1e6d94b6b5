import math

import numpy as np
import pytest

from raim.data.camera.arrays import mix_channels, require_range
from raim.errors import InputError


def test_mixing_is_the_matrix_product():
    rng = np.random.default_rng(0)
    picture, matrix = rng.random((5, 6, 3), np.float32), rng.random((3, 3))
    np.testing.assert_allclose(mix_channels(picture, matrix), picture @ matrix.T, rtol=1e-5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 11.0])
def test_a_value_outside_its_range_is_named(value):
    with pytest.raises(InputError, match=r"a\.b is .*; expected 0 to 10"):
        require_range("a.b", value, 0, 10)
