"""The page of a TIFF: kinds that are read, kinds that are named."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from raim.errors import ImageError, ImageTruncatedError
from raim.images import encode_image, inspect_image, read_image


def test_several_pages_are_an_error_that_names_the_mend(forge):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for _ in range(3):
            writer.write(forge.rgb, photometric="rgb", metadata=None)
    with pytest.raises(ImageError, match="TIFF of 3 pages or more; save the one"):
        inspect_image(file.getvalue())


def test_a_reduced_copy_of_the_page_does_not_count(forge):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(forge.rgb, photometric="rgb", metadata=None)
        writer.write(forge.rgb[::4, ::4], photometric="rgb", subfiletype=1, metadata=None)
    assert np.array_equal(read_image(file.getvalue()).pixels, forge.rgb)


def test_directories_in_a_circle_end(forge):
    content = forge.tiff()
    first = struct.unpack_from("<I", content, 4)[0]
    n_entries = struct.unpack_from("<H", content, first)[0]
    circle = bytearray(content)
    struct.pack_into("<I", circle, first + 2 + 12 * n_entries, first)
    with pytest.raises(ImageError, match="pages"):
        inspect_image(bytes(circle))


@pytest.mark.parametrize(
    ("tag", "value", "message"),
    [
        (259, 7, "compression 7; save it with Deflate"),
        (262, 6, "pixels are YCbCr, expected grey or RGB"),
        (262, 32803, "pixels are raw sensor data"),
        (262, 77, "pixels are of kind 77"),
        (277, 5, "has 5 samples per pixel, rgb has 3"),
        (256, 51, None),
        (257, 41, None),
        (258, 4, r"unsigned samples of \[4, 8\] bits"),
        (256, 0, None),
    ],
)
def test_other_kinds_are_named_and_lies_are_found(forge, tag, value, message):
    with pytest.raises(ImageError, match=message or "damaged"):
        read_image(forge.patch(forge.tiff(), tag, value))


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint32])
def test_samples_of_other_types_are_errors(forge, dtype):
    with pytest.raises(ImageError, match="save it with unsigned samples of 8 or 16 bits"):
        inspect_image(forge.tiff(forge.rgb.astype(dtype)))


def test_one_bit_images_are_errors(forge):
    content = forge.tiff(forge.grey > 100, photometric="minisblack")
    with pytest.raises(ImageError, match=r"samples of \[1\] bits"):
        inspect_image(content)


def test_a_floating_point_predictor_is_an_error(forge):
    content = forge.patch(forge.tiff(compression="deflate", predictor=True), 317, 3)
    with pytest.raises(ImageError, match="predictor 3"):
        inspect_image(content)


def test_a_giant_tile_over_a_small_image_is_an_error(forge):
    content = forge.patch(forge.patch(forge.tiff(tile=(16, 16)), 322, 65_520), 323, 65_520)
    with pytest.raises(ImageTruncatedError, match="tiles of 65520x65520 are larger"):
        inspect_image(content)


def test_a_wrong_number_of_strips_is_an_error(forge):
    with pytest.raises(ImageTruncatedError, match="it needs 20 blocks, it has 10 offsets"):
        inspect_image(forge.patch(forge.tiff(rowsperstrip=4), 278, 2))


def test_a_photograph_with_exif_says_that_it_is_not_kept(forge):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x829A] = 0.005  # exposure time
    content = encode_image(forge.rgb, ".tif", exif=exif.tobytes())
    assert read_image(content).warnings == ("the EXIF data of a TIFF are not kept",)
