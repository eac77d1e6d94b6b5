import numpy as np
import pytest
from scipy.signal import correlate

from raim.networks.folding import fold_kernel, fold_pixels, folded_side

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("kernel", "stride"), [(11, 4), (3, 2), (4, 4), (5, 3), (3, 1)])
def test_a_folded_convolution_is_the_strided_one(kernel, stride):
    weight = RNG.standard_normal((2, 3, kernel, kernel)).astype(np.float32)
    x = RNG.standard_normal((3, 29, 31, 1)).astype(np.float32)
    rows, columns = ((side - kernel) // stride + 1 for side in (29, 31))
    more = folded_side(kernel, stride) - 1
    folded = fold_pixels(x, rows=rows + more, columns=columns + more, stride=stride, pack=3)
    plain = np.moveaxis(folded, 3, 1).reshape(3 * stride**2, rows + more, columns + more)
    for output, plane in enumerate(fold_kernel(weight, stride)):
        expected = correlate(x[..., 0], weight[output], "valid")[0, ::stride, ::stride]
        np.testing.assert_allclose(correlate(plain, plane, "valid")[0], expected, atol=1e-4)


def test_what_lies_beyond_the_edge_counts_as_zero():
    folded = fold_pixels(np.ones((1, 3, 3, 1), np.float32), rows=2, columns=2, stride=2, pack=4)
    assert folded.sum() == 9
