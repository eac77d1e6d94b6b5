"""The pixels of a TIFF in all its arrangements. Oracle: what tifffile was given to write."""

import numpy as np
import pytest

from raim.errors import ImageTruncatedError
from raim.images import encode_image, read_image

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
    import tracemalloc
    import zlib

    bomb = zlib.compress(bytes(300 << 20), 9)
    content = forge.tiff(compression="deflate")
    lying = forge.patch(forge.patch(content + bomb, 273, len(content)), 279, len(bomb))
    tracemalloc.start()
    with pytest.raises(ImageTruncatedError, match="cannot be unpacked"):
        read_image(lying)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


def test_damaged_packed_data_are_an_error(forge):
    content = bytearray(encode_image(forge.rgb, ".tif"))
    content[40] ^= 0xFF
    with pytest.raises(ImageTruncatedError):
        read_image(bytes(content))
