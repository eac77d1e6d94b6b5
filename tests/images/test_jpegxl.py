"""JPEG XL, for restoring; imagecodecs writes it."""

import struct
import sys

import imagecodecs
import numpy as np
import pytest

from raim.errors import ImageError, ImageTooLargeError
from raim.images import inspect_image, read_image

pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")


def read(content, **options):
    return read_image(content, purpose="restore", **options)


@pytest.mark.parametrize("size", [(8, 8), (40, 50), (256, 256), (64, 512), (300, 400), (9, 16), (1, 600)])
def test_the_size_is_read_before_anything_is_decoded(size):
    content = imagecodecs.jpegxl_encode(np.zeros((*size, 3), np.uint8))
    info = inspect_image(content, purpose="restore")
    assert (info.height, info.width) == size
    with pytest.raises(ImageTooLargeError):
        inspect_image(content, purpose="restore", max_pixels=size[0] * size[1] - 1)


@pytest.mark.parametrize("is_boxed", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_come_back_as_they_were_written(forge, dtype, is_boxed):
    pixels = forge.rgb if dtype == np.uint8 else forge.rgb16
    picture = read(imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=is_boxed))
    assert picture.pixels.dtype == dtype
    assert np.array_equal(picture.pixels, pixels)


def test_a_packed_jpeg_and_grey_are_read(forge):
    jpeg = forge.pillow("JPEG", quality=95)
    assert (
        np.abs(read(imagecodecs.jpegxl_encode_jpeg(jpeg)).pixels.astype(int) - read(jpeg).pixels).max() <= 4
    )
    assert np.array_equal(read(imagecodecs.jpegxl_encode(forge.grey, lossless=True)).pixels, forge.grey)


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


def test_scoring_refuses_it_and_without_the_library_so_does_restoring(forge, monkeypatch):
    content = imagecodecs.jpegxl_encode(forge.rgb)
    with pytest.raises(ImageError, match="it is a JPEG XL image; save it as PNG"):
        read_image(content)
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(ImageError, match=r"pip install 'raim\[jxl\]' to read it"):
        read(content)
