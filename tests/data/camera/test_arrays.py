import numpy as np

from raim.data.camera.arrays import join_luma, mix_channels, split_luma


def test_mixing_is_the_matrix_product():
    rng = np.random.default_rng(0)
    picture, matrix = rng.random((5, 6, 3), np.float32), rng.random((3, 3))
    np.testing.assert_allclose(mix_channels(picture, matrix), picture @ matrix.T, rtol=1e-5)


def test_brightness_and_colour_come_together_again():
    rgb = np.random.default_rng(0).random((8, 9, 3), np.float32)
    np.testing.assert_allclose(join_luma(split_luma(rgb)), rgb, atol=1e-6)


def test_the_published_primaries_come_out():
    primaries = np.eye(3, dtype=np.float32)[None]
    expected = [[0.299, -0.1687, 0.5], [0.587, -0.3313, -0.4187], [0.114, 0.5, -0.0813]]  # T.871, section 7
    np.testing.assert_allclose(split_luma(primaries)[0], expected, atol=1e-4)
