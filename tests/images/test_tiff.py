"""The page of a TIFF: kinds that are read, kinds that are named."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from peaks import peak_of_reading
from raim.errors import ImageError, ImageTruncatedError
from raim.images import encode_image, inspect_image, read_image


def test_several_pages_are_an_error_that_names_the_fix(forge):
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


def test_exif_goes_into_a_tiff_and_comes_back_with_every_offset_true(forge):
    exif = Image.Exif()
    exif[0x010F] = "a camera's maker"
    exif.get_ifd(0x8769).update({0x829A: 0.005, 0x927C: b"maker note", 0xA005: {1: "R98"}})
    exif.get_ifd(0x8825)[1] = "N"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    content = encode_image(forge.rgb16, ".tif", exif=block)
    assert content[8 : len(block)] == block[8:]  # nothing of it has moved
    assert np.array_equal(read_image(content).pixels, forge.rgb16)
    back = Image.Exif()
    back.load(read_image(content, purpose="restore").exif)
    assert back[0x010F] == "a camera's maker"
    own = back.get_ifd(0x8769)
    assert (own[0x829A], own[0x927C], back.get_ifd(0xA005)) == (0.005, b"maker note", {1: "R98"})
    assert back.get_ifd(0x8825) == {1: "N"}


PACKINGS = [(None, False), ("packbits", False)]  # tifffile writes no differences (predictor) for these
PACKINGS += [(name, flag) for name in ("deflate", "adobe_deflate", "lzw") for flag in (False, True)]


@pytest.mark.parametrize(("compression", "predictor"), PACKINGS)
@pytest.mark.parametrize("blocks", [{}, {"rowsperstrip": 7}, {"tile": (16, 32)}])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_arrangement_is_read(forge, order, blocks, compression, predictor):
    for pixels in (forge.rgb, forge.rgb16, forge.grey, forge.rgb16[..., 0]):
        content = forge.tiff(pixels, byteorder=order, compression=compression, predictor=predictor, **blocks)
        assert np.array_equal(read_image(content).pixels, pixels)


@pytest.mark.parametrize("options", [{}, {"compression": "deflate", "rowsperstrip": 9}, {"tile": (16, 16)}])
@pytest.mark.parametrize("is_big", [False, True])
def test_planes_and_bigtiff_are_read(forge, options, is_big):
    planes = np.moveaxis(forge.rgb16, 2, 0)
    content = forge.tiff(planes, planarconfig="separate", bigtiff=is_big, **options)
    assert np.array_equal(read_image(content).pixels, forge.rgb16)


def test_grey_with_white_as_zero_is_inverted(forge):
    for pixels in (forge.grey, forge.rgb16[..., 0]):
        content = forge.tiff(pixels, photometric="miniswhite")
        assert np.array_equal(read_image(content).pixels, ~pixels)


def test_pixels_equal_those_of_pillow(forge):
    for compression in ("raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits"):
        content = forge.pillow("TIFF", compression=compression)
        assert np.array_equal(read_image(content).pixels, forge.rgb)


@pytest.mark.parametrize("compression", [None, "deflate", "lzw", "packbits"])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_height_that_the_strip_does_not_hold_is_an_error(forge, compression, change):
    content = forge.tiff(compression=compression)
    with pytest.raises(ImageTruncatedError, match=r"a block of pixels|it needs 2 blocks"):
        read_image(forge.patch(content, 257, forge.height + change))


@pytest.mark.parametrize("compression", [None, "deflate", "lzw", "packbits"])
@pytest.mark.parametrize("n_bytes", [0, 10, 2**31])
def test_a_strip_length_that_lies_is_an_error(forge, compression, n_bytes):
    with pytest.raises(ImageTruncatedError, match="a block of pixels"):
        read_image(forge.patch(forge.tiff(compression=compression), 279, n_bytes))


def test_a_strip_beyond_the_file_is_an_error(forge):
    with pytest.raises(ImageTruncatedError, match="a block of pixels reaches to byte"):
        read_image(forge.patch(forge.tiff(), 273, 2**31))


def test_a_strip_that_unpacks_to_gigabytes_is_cut_at_its_own_size(forge):
    import zlib

    bomb = zlib.compress(bytes(300 << 20), 9)
    content = forge.tiff(compression="deflate")
    lying = forge.patch(forge.patch(content + bomb, 273, len(content)), 279, len(bomb))
    peak, said = peak_of_reading(lying)
    assert said.startswith("ImageTruncatedError: ")
    assert "cannot be decoded" in said
    assert peak < 5 << 20


def test_damaged_packed_data_are_an_error(forge):
    content = bytearray(encode_image(forge.rgb, ".tif"))
    content[40] ^= 0xFF
    with pytest.raises(ImageTruncatedError):
        read_image(bytes(content))


def test_a_profile_that_is_not_in_the_file_is_an_error_for_scoring_and_left_out_for_restoring(forge):
    import tifffile

    content = bytearray(forge.tiff(iccprofile=forge.profile()))
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        entry = file.pages[0].tags[34675]
    struct.pack_into("<I", content, entry.offset + 8, 2**31)
    with pytest.raises(ImageError, match="its colour profile cannot be read"):
        read_image(bytes(content))
    picture = read_image(bytes(content), purpose="restore")
    assert np.array_equal(picture.pixels, forge.rgb)
    assert "its colour profile is damaged" in picture.warnings[0]
