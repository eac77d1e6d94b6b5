import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from raim.errors import InputError, UnknownNameError
from raim.metrics.luma import YIQ, find_planes, interleaved, load_plane, load_plane_in_single, luma

IMAGES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


@pytest.mark.parametrize(
    ("kind", "black", "white"), [("bt601", 16, 235), ("yiq", 0, 255), ("rgb2gray", 0, 255)]
)
def test_black_and_white_lie_where_the_standard_puts_them(kind, black, white):
    image = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    assert luma(image, kind=kind)[0] == pytest.approx([black, white], abs=1e-9)


@given(IMAGES)
def test_bt601_follows_its_definition(image):
    expected = (65.481 * image[..., 0] + 128.553 * image[..., 1] + 24.966 * image[..., 2]) / 255 + 16
    np.testing.assert_allclose(luma(image), expected, atol=1e-10)
    assert (luma(image, rounded=True) == np.rint(luma(image))).all()


@given(IMAGES)
def test_the_type_of_the_pixels_does_not_matter(image):
    value = luma(image, kind="yiq")
    np.testing.assert_allclose(luma(image * np.uint16(257), kind="yiq"), value, atol=1e-10)
    np.testing.assert_allclose(luma(image / 255, kind="yiq"), value, atol=1e-10)
    np.testing.assert_allclose(luma(image.astype(np.uint16), kind="yiq", data_range=255), value, atol=1e-10)


@given(IMAGES)
def test_single_precision_rounds_each_step(image):
    x = image.astype(np.float32) / np.float32(255)
    r, g, b = (x[..., channel] * np.float32(weight) for channel, weight in enumerate((0.299, 0.587, 0.114)))
    out = np.empty(image.shape[:2], np.uint8)
    load_plane_in_single(image, YIQ, white=255.0, out=out)
    assert (out == np.rint(((r + g) + b) * np.float32(255))).all()


def test_all_grey_pixels_keep_their_value_in_single_precision():
    grey = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    out = np.empty((1, 256), np.uint8)
    load_plane_in_single(grey, YIQ, white=255.0, out=out)
    assert out[0].tolist() == list(range(256))


def test_halves_go_to_the_even_integer():
    image = np.array([[[0.5, 0, 0], [1.5, 0, 0], [2.5, 0, 0]]]) / 255
    out = np.empty((1, 3))
    load_plane(image, find_planes("rgb")[0], white=1.0, rounded=True, out=out)
    assert out[0].tolist() == [0, 2, 2]


def test_rows_of_a_cut_picture_are_not_copied():
    image = np.zeros((9, 9, 3), np.uint8)
    assert np.shares_memory(interleaved(image[2:5, 1:-1]), image)


def test_wrong_arguments_are_refused():
    with pytest.raises(UnknownNameError, match="no luma named 'bt709'; did you mean 'bt601'"):
        luma(np.zeros((1, 1, 3), np.uint8), kind="bt709")
    with pytest.raises(InputError, match="type int64"):
        luma(np.zeros((1, 1, 3), np.int64))
