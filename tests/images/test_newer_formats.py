"""AVIF, HEIF and JPEG XL, for restoring; Pillow and imagecodecs write the first and the last.

The HEIF files were written by libheif with x265: 24x16 pixels, 8 bits and turned, and 10 bits.
"""

import base64
import struct
import sys
from importlib.util import find_spec

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images import inspect_image, read_image
from raim.images.colour import describe_profile
from raim.images.exif import find_orientation

needs_heif = pytest.mark.skipif(find_spec("pi_heif") is None, reason="the extra heif is not installed")
needs_jxl = pytest.mark.skipif(find_spec("pillow_jxl") is None, reason="the extra jxl is not installed")


def read(content, **options):
    return read_image(content, purpose="restore", **options)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_every_depth_is_read_over_its_whole_range(forge, bits):
    most = 2**bits - 1
    pixels = (forge.rgb.astype(np.uint32) * most // 255).astype(np.uint8 if bits == 8 else np.uint16)
    content = imagecodecs.avif_encode(pixels, level=100, bitspersample=bits)
    picture = read(content)
    assert picture.pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    scale = 1 if bits == 8 else 257
    assert np.abs(picture.pixels / scale - forge.rgb).max() <= 4
    assert inspect_image(content, purpose="restore").bit_depth == bits


def test_profile_and_rotation_are_those_of_the_file(forge):
    wide = imagecodecs.cms_profile("adobergb")
    content = forge.pillow("AVIF", quality=95, exif=b"Exif\0\0" + forge.exif(6), icc_profile=wide)
    picture = read(content)
    assert picture.pixels.shape == (forge.width, forge.height, 3)
    assert picture.icc_profile == wide
    assert find_orientation(picture.exif) == 1


def test_coded_colours_are_known(forge):
    content = forge.pillow("AVIF")
    codes = content.index(b"colrnclx") + 8

    def coded(primaries, transfer):
        return content[:codes] + bytes((0, primaries, 0, transfer)) + content[codes + 4 :]

    assert read(coded(1, 13)).icc_profile is None
    assert describe_profile(read(coded(12, 13)).icc_profile) == "Display P3"
    with pytest.raises(ImageError, match=r"HDR pixels \(PQ\)"):
        read(coded(9, 16))


def test_grey_and_opaque_alpha_are_read_and_frames_refused(forge):
    assert read(imagecodecs.avif_encode(forge.grey)).pixels.shape == forge.grey.shape
    opaque = imagecodecs.avif_encode(np.dstack([forge.rgb, forge.alpha]))
    assert read(opaque).pixels.shape == forge.rgb.shape
    with pytest.raises(ImageError, match="animated AVIF"):
        read(forge.pillow("AVIF", save_all=True, append_images=[Image.fromarray(forge.rgb[::-1].copy())]))


def test_limits_and_damage_are_found_and_scoring_refuses_it(forge):
    content = forge.pillow("AVIF")
    with pytest.raises(ImageTooLargeError, match="50x40"):
        read(content, max_pixels=1999)
    for length in (30, 200, len(content) - 1):
        with pytest.raises(ImageError):
            read(content[:length])
    with pytest.raises(ImageError, match="it is an AVIF image; save it as PNG"):
        read_image(content)


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


@needs_heif
def test_pixels_are_turned_once_and_exif_says_so():
    picture = read_image(TURNED, purpose="restore")
    assert np.abs(picture.pixels.astype(int) - np.rot90(PIXELS, -1)).max() <= 20  # it is lossy
    assert find_orientation(picture.exif) == 1
    assert inspect_image(TURNED, purpose="restore").upright_size == (24, 16)


@needs_heif
def test_ten_bits_are_kept():
    picture = read_image(OF_TEN_BITS, purpose="restore")
    assert picture.pixels.dtype == np.uint16
    assert np.abs(picture.pixels / 256 - PIXELS).max() <= 20
    assert inspect_image(OF_TEN_BITS, purpose="restore").bit_depth == 10


@needs_heif
def test_the_size_is_checked_before_pixels_are_decoded():
    with pytest.raises(ImageTooLargeError, match="16x24 = 384 pixels"):
        read_image(TURNED, purpose="restore", max_pixels=383)


@needs_heif
@pytest.mark.parametrize("length", [40, 300, len(TURNED) - 100, len(TURNED) - 1])
def test_a_file_that_is_cut_off_is_refused(length):
    with pytest.raises(ImageError):
        read_image(TURNED[:length], purpose="restore")


@needs_heif
def test_scoring_refuses_heif_and_without_the_library_so_does_restoring(monkeypatch):
    with pytest.raises(ImageError, match="it is a HEIF image; save it as PNG"):
        read_image(TURNED)
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(ImageError, match=r"pip install 'raim\[heif\]' to read it, or save it as PNG"):
        read_image(TURNED, purpose="restore")


@needs_heif
def test_an_item_of_an_impossible_type_is_refused_before_the_library_ends_the_process():
    with pytest.raises(ImageTruncatedError, match="type of an item cannot be decoded"):
        read_image(TURNED.replace(b"Exif", b"\xff\xff\xff\x7f", 1), purpose="restore")


@needs_heif
def test_a_file_without_a_picture_is_refused():
    with pytest.raises(ImageError):
        read_image(TURNED.replace(b"hvc1", b"free", 1), purpose="restore")


@needs_jxl
@pytest.mark.parametrize("size", [(8, 8), (40, 50), (256, 256), (64, 512), (300, 400), (9, 16), (1, 600)])
def test_the_size_is_read_before_anything_is_decoded(size):
    content = imagecodecs.jpegxl_encode(np.zeros((*size, 3), np.uint8))
    info = inspect_image(content, purpose="restore")
    assert (info.height, info.width) == size
    with pytest.raises(ImageTooLargeError):
        inspect_image(content, purpose="restore", max_pixels=size[0] * size[1] - 1)


@needs_jxl
@pytest.mark.parametrize("is_boxed", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_come_back_as_they_were_written(forge, dtype, is_boxed):
    pixels = forge.rgb if dtype == np.uint8 else forge.rgb16
    picture = read(imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=is_boxed))
    assert picture.pixels.dtype == dtype
    assert np.array_equal(picture.pixels, pixels)


@needs_jxl
def test_a_packed_jpeg_and_grey_are_read(forge):
    jpeg = forge.pillow("JPEG", quality=95)
    assert (
        np.abs(read(imagecodecs.jpegxl_encode_jpeg(jpeg)).pixels.astype(int) - read(jpeg).pixels).max() <= 4
    )
    assert np.array_equal(read(imagecodecs.jpegxl_encode(forge.grey, lossless=True)).pixels, forge.grey)


@needs_jxl
def test_other_samples_frames_and_damage_are_refused(forge):
    for pixels in ((forge.rgb / 255).astype(np.float32), np.stack([forge.rgb] * 2)):
        with pytest.raises(ImageError, match="save one frame with 8 or 16 bits"):
            read(imagecodecs.jpegxl_encode(pixels))
    content = imagecodecs.jpegxl_encode(forge.rgb, usecontainer=True)
    for length in (14, 40, len(content) // 2):
        with pytest.raises(ImageError):
            read(content[:length])
    with pytest.raises(ImageError, match="no codestream"):
        read(content[:12] + struct.pack(">I4s", 8, b"free") + bytes(8) * 2000)


@needs_jxl
def test_scoring_refuses_jpeg_xl_and_without_the_library_so_does_restoring(forge, monkeypatch):
    content = imagecodecs.jpegxl_encode(forge.rgb)
    with pytest.raises(ImageError, match="it is a JPEG XL image; save it as PNG"):
        read_image(content)
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(ImageError, match=r"pip install 'raim\[jxl\]' to read it"):
        read(content)
