"""HEIF, for restoring. The files were written by libheif with x265: 24x16 pixels, 8 bits and turned, and 10 bits."""

import base64
import sys

import numpy as np
import pytest

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images import inspect_image, read_image
from raim.images.exif import find_orientation

pytest.importorskip("pi_heif", reason="the extra heif is not installed")

TURNED = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAcdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ADRpbG9jAAAAAERAAAIAAQAAAAAB6wABAAAAAAAAAGAAAgAAAAACSwABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABBmlwcnAAAADlaXBjbwAAAHVodmNDAQNwAAAA"
    "kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq"
    "rprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw"
    "AAAAGAAAAAEAAAAQAAAAAf///9gAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAACWlyb3QDAAAAGWlwbWEAAAAAAAAAAQAB"
    "BoECAwWEhgAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAjG1kYXQAAABcKAGvCchtDSI97I7wyH/X2N0+GRObGzLxLA4S3L5s"
    "sAeiYtHJXj7Rvwt3tCzUHkEJMSPQtDEXmkBxSfa8IP4gGex069RwTp21w4XozD+R/RjdltXoxbTlHjP7BC8AAAAGRXhpZgAATU0A"
    "KgAAAAgAAQESAAMAAAABAAYAAAAAAAA="
)
OF_TEN_BITS = base64.b64decode(
    "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAAGkAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQQIAAAAnbgAAAAAHvAA/P36+gAADwNgAAEAF0ABDAH//wQIAAADAJ24AAAD"
    "AAAeugJAYQABACpCAQEECAAAAwCduAAAAwAAHqAggQTZbqrprm4CGgwIAAADAMgAAAMACEBiAAEABkQBwXPBiQAAABNjb2xybmNs"
    "eAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAGAAAAAEAAAAQAAAAAf///9gAAAAC////0AAAAAIAAAAQcGl4"
    "aQAAAAADCgoKAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAcW1kYXQAAABlKAGvCcht1xo97I7wrgk/9Bmh2TxXvHwlnwOEty+b"
    "LAHomLRyVYLmVcA9+BUW8dzETEj0LQxF5iZU9j77vl2+gP70o2/A/z47TV8P1Og7QZmeffgbF2regP7/8re9QBGfxEDDbz8="
)
ROWS, COLUMNS = np.mgrid[:16, :24]
PIXELS = np.stack([COLUMNS * 10, ROWS * 15, ROWS * 0 + 90], axis=-1)


def test_pixels_are_turned_once_and_exif_says_so():
    picture = read_image(TURNED, purpose="restore")
    assert np.abs(picture.pixels.astype(int) - np.rot90(PIXELS, -1)).max() <= 20  # it is lossy
    assert find_orientation(picture.exif) == 1
    assert inspect_image(TURNED, purpose="restore").upright_size == (24, 16)


def test_ten_bits_are_kept():
    picture = read_image(OF_TEN_BITS, purpose="restore")
    assert picture.pixels.dtype == np.uint16
    assert np.abs(picture.pixels / 256 - PIXELS).max() <= 20
    assert inspect_image(OF_TEN_BITS, purpose="restore").bit_depth == 10


def test_the_size_is_checked_before_pixels_are_decoded():
    with pytest.raises(ImageTooLargeError, match="16x24 = 384 pixels"):
        read_image(TURNED, purpose="restore", max_pixels=383)


@pytest.mark.parametrize("length", [40, 300, len(TURNED) - 100, len(TURNED) - 1])
def test_a_file_that_is_cut_off_is_refused(length):
    with pytest.raises(ImageError):
        read_image(TURNED[:length], purpose="restore")


def test_scoring_refuses_it_and_without_the_library_so_does_restoring(monkeypatch):
    with pytest.raises(ImageError, match="it is a HEIF image; save it as PNG"):
        read_image(TURNED)
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(ImageError, match=r"pip install 'raim\[heif\]' to read it, or save it as PNG"):
        read_image(TURNED, purpose="restore")


def test_an_item_of_an_impossible_type_is_refused_before_the_library_ends_the_process():
    with pytest.raises(ImageTruncatedError, match="item of an impossible type"):
        read_image(TURNED.replace(b"Exif", b"\xff\xff\xff\x7f", 1), purpose="restore")


def test_a_file_without_a_picture_is_refused():
    with pytest.raises(ImageError):
        read_image(TURNED.replace(b"hvc1", b"free", 1), purpose="restore")
