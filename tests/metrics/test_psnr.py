import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from raim.errors import InputError, UnknownNameError
from raim.metrics.psnr import psnr

PAIRS = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda dtype: arrays.arrays(
        dtype, st.tuples(st.just(2), st.integers(1, 9), st.integers(1, 9), st.just(3))
    )
)


def direct(restored, reference, white):
    """Follow the definition in Python's integers."""
    squares = sum((int(x) - int(y)) ** 2 for x, y in zip(restored.flat, reference.flat, strict=True))
    return math.inf if squares == 0 else -10 * math.log10(squares / restored.size / white**2)


@given(PAIRS)
def test_it_follows_the_definition_exactly(pair):
    white = {1: 255, 2: 65535}[pair.itemsize]
    assert psnr(*pair) == pytest.approx(direct(*pair, white), rel=1e-12)


@pytest.mark.parametrize(
    ("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1), (np.float64, 1)]
)
def test_a_constant_difference_gives_its_own_decibels(dtype, white):
    reference = np.zeros((3, 4, 3), dtype)
    restored = np.full_like(reference, white / 5 if white == 1 else white // 5)
    expected = 20 * math.log10(5)
    assert psnr(restored, reference) == pytest.approx(expected, abs=1e-6)
    assert psnr(restored, reference, colour="y") == pytest.approx(
        expected + 20 * math.log10(255 / 219), abs=1e-6
    )


def test_black_against_white_is_zero_decibels_and_does_not_overflow():
    black = np.zeros((700, 700, 3), np.uint16)
    assert psnr(black, black + np.uint16(65535)) == 0


def test_luma_weighs_the_channels_as_the_standard_says():
    reference = np.zeros((1, 1, 3))
    for channel, weight in enumerate((65.481, 128.553, 24.966)):
        restored = np.zeros((1, 1, 3))
        restored[..., channel] = 1
        expected = -20 * math.log10(weight / 255)
        assert psnr(restored, reference, colour="y") == pytest.approx(expected, rel=1e-12)


def test_identical_images_are_infinite_or_where_epsilon_says():
    image = np.full((2, 2, 3), 7, np.uint8)
    assert psnr(image, image) == math.inf
    assert psnr(image, image, colour="y", epsilon=1e-8) == pytest.approx(80, rel=1e-15)


def test_the_stated_white_replaces_that_of_the_type():
    reference = np.zeros((2, 2, 3), np.uint16)
    restored = np.full_like(reference, 1023)
    assert psnr(restored, reference, data_range=1023) == 0


@given(PAIRS)
def test_order_and_orientation_do_not_matter(pair):
    value = psnr(pair[0], pair[1])
    assert psnr(pair[1], pair[0]) == value
    assert psnr(pair[0][::-1], pair[1][::-1]) == value
    assert psnr(pair[0][:, ::-1], pair[1][:, ::-1]) == value


@pytest.mark.parametrize("colour", ["rgb", "y"])
def test_a_cut_border_needs_no_copy_and_changes_nothing(colour):
    a, b = np.random.default_rng(0).integers(0, 256, (2, 20, 23, 3), np.uint8)
    inner = (slice(4, -4), slice(4, -4))
    assert psnr(a[inner], b[inner], colour=colour) == psnr(a[inner].copy(), b[inner].copy(), colour=colour)


def test_wrong_arguments_are_refused_with_their_values():
    image = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(InputError, match="restored is 3x2, its reference 2x2"):
        psnr(image, image[:, :2])
    with pytest.raises(InputError, match="restored is uint8, its reference uint16"):
        psnr(image, image.astype(np.uint16))
    with pytest.raises(UnknownNameError, match="no colour named 'rbg'; did you mean 'rgb'"):
        psnr(image, image, colour="rbg")
    with pytest.raises(InputError, match=r"epsilon is -1\.0"):
        psnr(image, image, epsilon=-1.0)
    with pytest.raises(InputError, match="values from 300 to 300, expected 0 to 255"):
        psnr(image.astype(np.uint16) + np.uint16(300), image.astype(np.uint16), data_range=255)


@pytest.mark.shared
def test_published_values_come_out(known_answers, known_image):
    rows = [row for row in known_answers if row["measure"] == "psnr_rgb"]
    assert len(rows) == 2
    for row in rows:
        reference, restored = (known_image(stem) for stem in row["pair"].split("|"))
        assert psnr(restored, reference) == pytest.approx(float(row["value"]), abs=float(row["tolerance"]))


@pytest.mark.shared
@pytest.mark.parametrize(("prefix", "border"), [("raim2024", 4), ("nocrop", 0)])
def test_all_real_pairs_come_out(real_pairs, prefix, border):
    assert len(real_pairs) == 30
    for row, restored, reference in real_pairs:
        h, w = reference.shape[:2]
        x, y = (image[border : h - border, border : w - border] for image in (restored, reference))
        assert psnr(x, y, colour="y", epsilon=1e-8) == pytest.approx(float(row[f"{prefix}_psnr"]), abs=1e-4)
        assert psnr(x, y, epsilon=1e-8) == pytest.approx(float(row[f"{prefix}_psnr_rgb"]), abs=1e-4)
