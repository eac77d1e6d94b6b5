"""The chunks of a WebP: the image's own size counts, and must be its canvas'."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images import encode_image, inspect_image, read_image


@pytest.fixture(params=[90, 100], ids=["lossy", "lossless"])
def webp(request, forge):
    return encode_image(forge.rgb, ".webp", quality=request.param, exif=forge.exif(1))


def test_a_canvas_of_another_size_than_its_image_is_an_error(webp):
    assert webp[12:16] == b"VP8X"
    lying = webp[:24] + (999).to_bytes(3, "little") + webp[27:]
    for function in (inspect_image, read_image):
        with pytest.raises(ImageTruncatedError, match="its canvas is 1000x40, its image 50x40"):
            function(lying)


def test_the_size_in_the_image_data_is_what_is_checked(forge):
    content = bytearray(encode_image(forge.rgb, ".webp", quality=90))
    assert content[12:16] == b"VP8 "
    content[26:30] = struct.pack("<HH", 16_383, 16_383)
    with pytest.raises(ImageTooLargeError, match="16383x16383"):
        read_image(bytes(content))


def test_image_data_smaller_than_declared_are_an_error(forge):
    for quality, at in ((90, 26), (100, 21)):
        content = bytearray(encode_image(forge.rgb, ".webp", quality=quality))
        content[at : at + 2] = (int.from_bytes(content[at : at + 2], "little") + 900).to_bytes(2, "little")
        with pytest.raises(ImageTruncatedError):
            read_image(bytes(content))


def test_a_riff_size_beyond_the_file_is_a_cut_off_file(webp):
    with pytest.raises(ImageTruncatedError, match="ends early"):
        inspect_image(webp[:-2])


def test_a_chunk_beyond_the_riff_size_is_damage(webp):
    lying = webp[:34] + b"\xff\xff\xff\x7f" + webp[38:]
    with pytest.raises(ImageTruncatedError, match="reaches to byte"):
        inspect_image(lying)


def test_an_animation_is_named_also_by_its_flag_alone(webp):
    with pytest.raises(ImageError, match="animated WebP"):
        inspect_image(webp[:20] + bytes([webp[20] | 2]) + webp[21:])


@pytest.mark.parametrize("n_images", [0, 2])
def test_there_must_be_one_image(forge, n_images):
    plain = [encode_image(forge.rgb, ".webp", quality=quality)[12:] for quality in (90, 100)]
    chunks = b"".join(plain[:n_images])
    content = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks
    with pytest.raises(ImageTruncatedError, match=f"it has {n_images} images"):
        inspect_image(content)


@pytest.mark.parametrize("quality", [90, 100])
def test_damaged_image_headers_are_errors(forge, quality):
    content = bytearray(encode_image(forge.rgb, ".webp", quality=quality))
    content[20] ^= 1  # not a key frame; not the lossless mark
    with pytest.raises(ImageTruncatedError, match=r"key frame|lossless header"):
        inspect_image(bytes(content))


def test_metadata_are_found(webp, forge):
    assert inspect_image(webp).orientation == 1
    picture = read_image(webp, purpose="restore")
    assert picture.exif == forge.exif(1)
    assert picture.icc_profile is None


def test_what_stands_behind_the_riff_content_is_ignored(webp):
    assert np.array_equal(read_image(webp + b"behind").pixels, read_image(webp).pixels)


@pytest.mark.parametrize("options", [{"quality": 40}, {"quality": 95}, {"lossless": True}])
def test_pixels_are_those_of_pillow(forge, options):
    content = forge.pillow("WEBP", **options)
    assert np.array_equal(read_image(content).pixels, np.asarray(Image.open(io.BytesIO(content))))


def test_an_opaque_alpha_channel_that_is_stored_is_dropped_with_a_warning(forge):
    """The header says that there is alpha; its values are all opaque."""
    alpha = forge.alpha.copy()
    alpha[0, 0] = 254
    content = bytearray(forge.pillow("WEBP", forge.rgb, lossless=True))
    assert content[12:16] == b"VP8L"
    content[24] |= 0x10
    picture = read_image(bytes(content))
    assert picture.warnings == ("its opaque alpha channel was dropped",)
    assert np.array_equal(picture.pixels, forge.rgb)
