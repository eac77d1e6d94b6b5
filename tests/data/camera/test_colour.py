import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raim.data.camera.colour import (
    Colour,
    apply_tone,
    decode_srgb,
    develop,
    encode_srgb,
    invert_tone,
    mixing_matrix,
    unprocess,
)

COLOURS = st.builds(
    Colour,
    red_gain=st.floats(1, 4),
    blue_gain=st.floats(1, 4),
    crosstalk=st.floats(0, 0.25),
    tone=st.floats(0, 1),
)


def test_srgb_goes_to_linear_light_and_back():
    values = np.linspace(0, 1, 256)
    np.testing.assert_allclose(encode_srgb(decode_srgb(values)), values, atol=1e-6)
    assert decode_srgb(np.array([0.5]))[0] == pytest.approx(((0.5 + 0.055) / 1.055) ** 2.4, rel=1e-6)


@given(strength=st.floats(0, 1))
def test_the_tone_curve_has_an_exact_inverse(strength):
    values = np.linspace(0, 1, 101)
    # The full curve is flat at its ends, where its inverse has no slope to be exact with.
    np.testing.assert_allclose(apply_tone(invert_tone(values, strength), strength), values, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(colour=COLOURS, seed=st.integers(0, 2**32 - 1))
def test_every_8_bit_picture_comes_back_from_camera_light(colour, seed):
    # The colour matrix is worst conditioned at a crosstalk of 1/4: rounding then grows by four.
    clean = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    back = np.rint(develop(unprocess(clean, colour), colour) * 255)
    assert np.abs(back - clean).max() <= 1


@settings(max_examples=20, deadline=None)
@given(colour=COLOURS)
def test_white_and_grey_stay_neutral(colour):
    clean = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    developed = develop(unprocess(clean, colour), colour) * 255
    assert np.ptp(developed, axis=2).max() < 0.1
    assert developed[0, 255] == pytest.approx([255] * 3, abs=0.01)
    assert unprocess(clean, colour)[0, 255] == pytest.approx(
        [1 / colour.red_gain, 1, 1 / colour.blue_gain], rel=1e-5
    )


def test_sixteen_bits_and_grey_are_read_too():
    deep = np.array([[0, 32768, 65535]], np.uint16)
    developed = develop(unprocess(deep, Colour(red_gain=2.0, tone=0.5)), Colour(red_gain=2.0, tone=0.5))
    np.testing.assert_allclose(developed[0, :, 0], [0, 32768 / 65535, 1], atol=1e-5)


def test_the_colour_matrix_and_the_tone_curve_have_known_values():
    np.testing.assert_allclose(np.linalg.inv(mixing_matrix(0.15))[0], [1.5455, -0.2727, -0.2727], atol=1e-4)
    np.testing.assert_array_equal(apply_tone(np.array([0.25, 0.5, 0.75]), 1.0), [0.15625, 0.5, 0.84375])
    bright = develop(np.array([[[0.5, 1.5, 0.0]]], np.float32), Colour(red_gain=2.0, tone=1.0))
    np.testing.assert_allclose(bright[0, 0], [1, 1, 0], atol=1e-5)
