import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from raim.images import Picture
from raim.report.crop import Crop, choose_crop, difference, scale_to_size, show_pixels, shrink
from score_tables import noise

FIELDS = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.integers(0, 255).map(float),
)


@given(field=FIELDS, side=st.integers(1, 14))
def test_no_other_rectangle_of_that_size_differs_more(field, side):
    crop = choose_crop(field, side)
    height, width = field.shape
    assert (crop.height, crop.width) == (min(height, side), min(width, side))
    sums = [
        field[y : y + crop.height, x : x + crop.width].sum()
        for y in range(height - crop.height + 1)
        for x in range(width - crop.width + 1)
    ]
    chosen = field[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
    assert chosen.shape == (crop.height, crop.width)
    assert chosen.sum() == pytest.approx(max(sums))


def test_identical_images_show_the_top_left():
    assert choose_crop(np.zeros((9, 9), np.float32), 4) == Crop(x=0, y=0, width=4, height=4)


def test_a_cut_holds_the_very_pixels():
    pixels = noise(20, 30, 1)
    assert np.array_equal(Crop(x=3, y=5, width=7, height=6).cut(pixels), pixels[5:11, 3:10])


def test_the_difference_is_the_mean_over_the_channels():
    restored, reference = np.zeros((1, 1, 3), np.uint8), np.array([[[0, 30, 255]]], np.uint8)
    assert difference(restored, reference).tolist() == [[95.0]]
    assert difference(reference, restored).tolist() == [[95.0]]


@pytest.mark.parametrize("value", [0, 128, 129, 257, 32767, 65535])
def test_sixteen_bits_go_to_the_nearest_of_eight(value):
    shown = show_pixels(Picture(pixels=np.full((1, 1, 3), value, np.uint16)))
    assert shown.tolist() == [[[round(value / 257)] * 3]]


def test_grey_is_shown_in_three_equal_channels():
    shown = show_pixels(Picture(pixels=np.array([[7, 9]], np.uint8)))
    assert shown.tolist() == [[[7, 7, 7], [9, 9, 9]]]


@given(factor=st.integers(1, 4))
def test_enlarging_by_a_whole_factor_repeats_each_pixel(factor):
    pixels = noise(3, 5, 2)
    expected = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    assert np.array_equal(scale_to_size(pixels, 5 * factor, 3 * factor), expected)


def test_a_small_picture_is_not_enlarged_for_its_thumbnail():
    assert shrink(noise(20, 30, 1), 100).shape == (20, 30, 3)
