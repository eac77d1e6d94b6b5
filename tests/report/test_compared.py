import base64
import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from raim.errors import ImageError
from raim.images import write_image
from raim.report.compared import Comparison, choose_changed_part, show_comparison


def noise(height, width, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width, 3), dtype)


def decode(uri):
    kind, _, text = uri.partition(",")
    assert kind == "data:image/webp;base64"
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    return np.asarray(image.convert("RGB")), image.info


@pytest.fixture
def compared(tmp_path):
    def show(before, after, side_px=2048, *, is_guarded=False, **metadata):
        write_image(tmp_path / "after.png", after, **metadata)
        entry = Comparison(
            name="x",
            before=lambda: before,
            after=tmp_path / "after.png",
            notes=("why",),
            is_guarded=is_guarded,
        )
        return show_comparison(entry, side_px=side_px)

    return show


def test_a_small_photograph_is_shown_whole_and_exactly(compared):
    before, after = noise(30, 40, 1), noise(30, 40, 2)
    shown = compared(before, after)
    assert shown.is_whole
    assert shown.notes == ("why",)
    np.testing.assert_array_equal(decode(shown.before_uri)[0], before)
    np.testing.assert_array_equal(decode(shown.after_uri)[0], after)


def test_a_large_one_is_cut_to_what_changed_most_at_the_same_place(compared):
    before = noise(60, 90)
    after = before.copy()
    after[40:50, 70:80] ^= 128
    shown = compared(before, after, side_px=20)
    crop = shown.crop
    assert not shown.is_whole
    assert (crop.width, crop.height) == (20, 20)
    assert 60 <= crop.x <= 70
    assert 30 <= crop.y <= 40
    np.testing.assert_array_equal(decode(shown.before_uri)[0], crop.cut(before))
    np.testing.assert_array_equal(decode(shown.after_uri)[0], crop.cut(after))


@pytest.mark.parametrize("side_px", [2048, 15])
def test_an_enlarged_photograph_stands_beside_its_input_with_repeated_pixels(compared, side_px):
    before, after = noise(9, 12, 1), noise(36, 48, 2)
    shown = compared(before, after, side_px)
    assert (shown.before_size, shown.after_size) == ((12, 9), (48, 36))
    repeated = before.repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(decode(shown.before_uri)[0], shown.crop.cut(repeated))


def test_the_search_on_a_coarse_grid_finds_the_place_in_a_very_large_photograph():
    before = np.zeros((300, 5000, 3), np.uint8)
    after = before.copy()
    after[100:200, 4900:] = 200
    crop = choose_changed_part(before, after, 200)
    assert crop.x == 4800
    assert 0 <= crop.y <= 100


def test_an_unchanged_photograph_has_a_place_too():
    pixels = noise(50, 60)
    crop = choose_changed_part(pixels, pixels, 16)
    assert (crop.x, crop.y, crop.width, crop.height) == (0, 0, 16, 16)


def test_grey_and_sixteen_bits_are_shown_in_eight_bit_colour(compared):
    deep = noise(10, 10, dtype=np.uint16)[..., 0].copy()
    shown = compared(deep, deep)
    assert shown.is_deep
    pixels = decode(shown.after_uri)[0]
    np.testing.assert_allclose(pixels[..., 1], deep / 257, atol=0.51)


def test_the_colour_profile_goes_with_the_pixels(compared):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    shown = compared(noise(10, 10), noise(10, 10, 1), icc_profile=profile)
    assert decode(shown.before_uri)[1]["icc_profile"] == profile
    assert decode(shown.after_uri)[1]["icc_profile"] == profile


def painted_pair():
    """A coarse photograph, and the same with a strong pattern in the blocks of 16 pixels from (96, 64) to (128, 96)."""
    before = noise(20, 30, 3).repeat(8, axis=0).repeat(8, axis=1)
    after = before.copy()
    after[64:96, 96:128] = (np.indices((32, 32)).sum(axis=0) // 8 % 2 * 255)[..., None]
    return before, after


def test_what_does_not_follow_from_the_input_is_marked_in_place(compared):
    shown = compared(*painted_pair(), is_guarded=True)
    marks = decode_marks(shown.marks_uri)
    assert marks.shape == (160, 240, 4)
    inside = np.zeros((160, 240), bool)
    inside[64:96, 96:128] = True
    np.testing.assert_array_equal(marks[..., 3] > 0, inside)
    frame = inside.copy()
    frame[66:94, 98:126] = False
    np.testing.assert_array_equal(marks[..., 3] == 255, frame)


def test_marks_follow_the_part_that_is_shown(compared):
    whole = decode_marks(compared(*painted_pair(), is_guarded=True).marks_uri)
    shown = compared(*painted_pair(), side_px=50, is_guarded=True)
    crop = shown.crop
    expected = whole[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
    np.testing.assert_array_equal(decode_marks(shown.marks_uri), expected)


def test_nothing_is_marked_where_all_follows_or_nobody_asked(compared):
    before, after = painted_pair()
    assert compared(before, before, is_guarded=True).marks_uri == ""
    assert compared(before, after).marks_uri == ""
    assert compared(noise(30, 40, 1), noise(30, 40, 2), is_guarded=True).marks_uri == ""  # too small to judge


def test_marks_of_an_enlarged_photograph_lie_where_its_blocks_do(compared):
    before, after = painted_pair()
    marks = decode_marks(
        compared(before, after.repeat(2, axis=0).repeat(2, axis=1), is_guarded=True).marks_uri
    )
    expected = decode_marks(compared(before, after, is_guarded=True).marks_uri)[..., 3] > 0
    np.testing.assert_array_equal(marks[..., 3] > 0, expected.repeat(2, axis=0).repeat(2, axis=1))


def decode_marks(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA"))


def test_a_restored_file_that_is_gone_is_named(tmp_path):
    entry = Comparison(name="x", before=lambda: noise(9, 9), after=tmp_path / "gone.png")
    with pytest.raises(ImageError, match=r"gone\.png"):
        show_comparison(entry, side_px=9)
