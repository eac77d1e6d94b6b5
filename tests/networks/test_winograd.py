import numpy as np
import pytest
from scipy.signal import correlate

from convolutions import make_case, unpack
from raim.networks.winograd import G, WinogradConvolution, apply_twice, restore_line, transform_line


def test_a_tile_is_what_the_definition_gives():
    rng = np.random.default_rng(0)
    d, g = rng.standard_normal((6, 6)), rng.standard_normal((3, 3))
    products = G @ g @ G.T * np.array(apply_twice(transform_line, d.tolist()))
    np.testing.assert_allclose(
        apply_twice(restore_line, products.tolist()), correlate(d, g, "valid"), atol=1e-13
    )


@pytest.mark.parametrize(
    ("inputs", "outputs", "rows", "columns"),
    [(16, 16, 4, 8), (16, 32, 3, 5), (48, 64, 7, 33), (64, 16, 1, 1), (96, 32, 16, 70)],
)
def test_a_convolution_is_the_defined_one_at_edges_too(inputs, outputs, rows, columns):
    buffer, weight, bias, expected = make_case(inputs, outputs, rows, columns, spare=3)
    found = unpack(WinogradConvolution(weight, bias).run_packed(buffer, rows + 2, 16))
    np.testing.assert_allclose(found, expected, atol=2e-5 * expected.max())
