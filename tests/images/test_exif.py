"""The orientation in an EXIF block."""

import pytest
from PIL import Image

from raim.images.exif import find_orientation, set_upright, strip_prefix


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_found_in_both_byte_orders_and_set_upright(forge, orientation, order):
    block = forge.exif(orientation, order)
    assert find_orientation(block) == orientation
    assert set_upright(block) == forge.exif(1, order)


def test_pillow_reads_the_same_from_what_was_set_upright():
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera's maker", 8
    block = strip_prefix(exif.tobytes())
    after = Image.Exif()
    after.load(set_upright(block))
    assert dict(after) == {0x010F: "a camera's maker", 0x0112: 1}


@pytest.mark.parametrize("block", [None, b"", b"II*\0", b"nonsense" * 10, b"II*\0\xff\xff\xff\x7f"])
def test_without_a_readable_block_the_image_is_upright(block):
    assert find_orientation(block) == 1
    assert set_upright(block) == block


@pytest.mark.parametrize("change", [{"orientation": 0}, {"orientation": 9}, {"count": 2}, {"kind": 5}])
def test_an_orientation_that_does_not_exist_counts_as_none(forge, change):
    assert find_orientation(forge.exif(**change)) == 1
