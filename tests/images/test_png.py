"""The chunks of a PNG."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from peaks import peak_of_reading
from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images import encode_image, inspect_image, read_image
from raim.images.png import PngHeader, count_row_bytes


@pytest.fixture
def png(forge):
    return encode_image(forge.rgb, ".png")


def test_the_header_must_come_first_and_once(forge, png):
    header, *rest = forge.chunks(png)
    for chunks in ([*rest[:1], header, *rest[1:]], [header, header, *rest], rest):
        with pytest.raises(ImageTruncatedError, match=r"header \(IHDR\) is not the first chunk"):
            inspect_image(forge.join(chunks))


@pytest.mark.parametrize(
    "header",
    [(50, 40, 8, 5, 0, 0, 0), (50, 40, 4, 2, 0, 0, 0), (50, 40, 8, 2, 1, 0, 0), (50, 40, 8, 2, 0, 0, 2)],
)
def test_a_header_that_png_does_not_have_is_damaged(forge, png, header):
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", *header)), *forge.chunks(png)[1:]]
    with pytest.raises(ImageTruncatedError, match="which PNG does not have"):
        inspect_image(forge.join(chunks))


def test_an_animated_png_is_an_error_that_names_the_fix(forge, png):
    content = forge.insert(png, b"acTL", struct.pack(">II", 2, 0))
    with pytest.raises(ImageError, match="it is an animated PNG; save one frame"):
        inspect_image(content)


def test_a_wrong_checksum_is_found_already_in_the_header(png):
    damaged = bytearray(png)
    damaged[16] ^= 1  # width
    with pytest.raises(ImageTruncatedError, match="checksum of chunk IHDR is wrong"):
        inspect_image(bytes(damaged))


def test_a_file_without_its_end_chunk_is_cut_off(png):
    with pytest.raises(ImageTruncatedError, match="ends early"):
        inspect_image(png[:-12])


def test_what_stands_behind_the_end_chunk_is_ignored(forge, png):
    assert np.array_equal(read_image(png + b"behind the end").pixels, forge.rgb)


def test_a_profile_that_unpacks_to_gigabytes_is_never_unpacked(forge, png):
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    content = forge.insert(png, b"iCCP", b"bomb\0\0" + bomb)
    peak, said = peak_of_reading(content)
    assert "its colour profile cannot be read" in said
    assert peak < 30 << 20


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt"])
def test_packed_texts_are_never_unpacked(forge, png, name):
    bomb = zlib.compress(bytes(200 << 20), 9)
    start = b"Comment\0\0" if name == b"zTXt" else b"Comment\0\1\0\0\0"
    content = forge.insert(png, name, start + bomb)
    assert np.array_equal(read_image(content).pixels, forge.rgb)
    assert peak_of_reading(content)[0] < 5 << 20


@pytest.mark.parametrize("content", [b"name\0\0damaged", b"name", b""])
def test_a_damaged_profile_is_an_error(forge, png, content):
    with pytest.raises(ImageError, match="its colour profile cannot be read"):
        read_image(forge.insert(png, b"iCCP", content))


@pytest.mark.parametrize(("cicp", "has_icc"), [((1, 13, 0, 1), False), ((9, 16, 0, 1), True)])
def test_a_coded_colour_space_counts_as_a_profile(forge, png, cicp, has_icc):
    content = forge.insert(png, b"cICP", bytes(cicp))
    assert inspect_image(content).has_icc is has_icc
    if has_icc:
        with pytest.raises(ImageError, match=r"another colour space than sRGB \(cICP 9/16/0/1\)"):
            read_image(content)


def test_another_gamma_is_taken_as_srgb_with_a_warning(forge, png):
    linear = forge.insert(png, b"gAMA", struct.pack(">I", 100_000))
    assert read_image(linear).warnings == (
        "its gAMA chunk states 1 instead of sRGB's 0.45455; it was taken as sRGB",
    )
    assert read_image(forge.insert(linear, b"sRGB", b"\0")).warnings == ()
    assert read_image(forge.insert(png, b"gAMA", struct.pack(">I", 45_455))).warnings == ()


def test_an_orientation_behind_the_pixels_is_found(forge, png):
    content = png[:-12] + forge.chunk(b"eXIf", forge.exif(6)) + png[-12:]
    assert inspect_image(content).orientation == 6


def test_endless_empty_chunks_end(forge, monkeypatch, png):
    monkeypatch.setattr("raim.images.png.MAX_CHUNKS", 1000)
    content = png[:33] + forge.chunk(b"teXt", b"") * 1001 + png[33:]
    with pytest.raises(ImageTruncatedError, match="more than 1,000 chunks"):
        inspect_image(content)


# Adam7 (PNG, section 8): the pass that each pixel of an 8x8 block belongs to.
ADAM7 = np.array(
    [
        [1, 6, 4, 6, 2, 6, 4, 6],
        [7, 7, 7, 7, 7, 7, 7, 7],
        [5, 6, 5, 6, 5, 6, 5, 6],
        [7, 7, 7, 7, 7, 7, 7, 7],
        [3, 6, 4, 6, 3, 6, 4, 6],
        [7, 7, 7, 7, 7, 7, 7, 7],
        [5, 6, 5, 6, 5, 6, 5, 6],
        [7, 7, 7, 7, 7, 7, 7, 7],
    ]
)


def plain_rows(pixels):
    """Rows with filter 0."""
    return b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels)


def interlace(pixels):
    """The rows of the seven passes, by Adam7's table."""
    table = np.tile(ADAM7, (-(-pixels.shape[0] // 8), -(-pixels.shape[1] // 8)))
    table = table[: pixels.shape[0], : pixels.shape[1]]
    rows = b""
    for number in range(1, 8):
        for row, places in zip(pixels, table, strict=True):
            if (places == number).any():
                rows += b"\0" + row[places == number].tobytes()
    return rows


@given(
    shape=st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3])),
    dtype=st.sampled_from([np.uint8, np.uint16]),
    is_interlaced=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=120, deadline=None)
def test_every_size_depth_and_interlacing_is_read(forge, shape, dtype, is_interlaced, seed):
    pixels = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    stored = pixels.astype(pixels.dtype.newbyteorder(">"))
    rows = interlace(stored) if is_interlaced else plain_rows(pixels)
    depth, kind = pixels.dtype.itemsize * 8, 2 if shape[2] == 3 else 0
    read = read_image(forge.png((shape[1], shape[0]), depth, kind, rows, interlace=int(is_interlaced))).pixels
    assert np.array_equal(read, pixels if shape[2] == 3 else pixels[..., 0])


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_of_few_bits_is_spread_over_eight(forge, depth):
    rows = bytes([0, 0b00011011, 0, 0b11110100])
    content = forge.png((8 // depth, 2), depth, 0, rows)
    assert inspect_image(content).bit_depth == depth
    read = read_image(content).pixels
    pillow = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    assert np.array_equal(read, pillow)
    assert read.max() == 255


@pytest.mark.parametrize(("depth", "key"), [(8, (7, 8, 9)), (16, (700, 800, 900))])
def test_a_transparent_colour_counts_where_a_pixel_has_it(forge, depth, key):
    pixels = np.full((2, 3, 3), 5, np.uint8 if depth == 8 else np.uint16)

    def content():
        png = forge.png((3, 2), depth, 2, plain_rows(pixels))
        return forge.insert(png, b"tRNS", struct.pack(">3H", *key))

    assert inspect_image(content()).mode == "rgba"
    picture = read_image(content())
    assert np.array_equal(picture.pixels, pixels)
    assert picture.warnings == ("its opaque alpha channel was dropped",)
    pixels[0, 1] = key
    with pytest.raises(ImageError, match="1 transparent pixels"):
        read_image(content())


@pytest.mark.parametrize(("depth", "byte", "n_transparent"), [(2, 0b00011011, 1), (8, 3, 1), (8, 4, 0)])
def test_a_transparent_grey_counts_where_a_pixel_has_it(forge, depth, byte, n_transparent):
    png = forge.png((8 // depth, 1), depth, 0, bytes([0, byte]))
    content = forge.insert(png, b"tRNS", struct.pack(">H", 3))
    if n_transparent:
        with pytest.raises(ImageError, match="1 transparent"):
            read_image(content)
    else:
        assert read_image(content).pixels.tolist() == [[4]]


@pytest.mark.parametrize(
    "size", [(50, 20), (50, 39), (50, 41), (50, 4000), (49, 40), (51, 40), (25, 80), (100, 20), (1, 1)]
)
def test_a_header_with_another_size_than_the_data_is_found(forge, size):
    chunks = forge.chunks(encode_image(forge.rgb, ".png"))
    header = struct.pack(">II", *size) + chunks[0][1][8:]
    with pytest.raises(ImageTruncatedError, match="damaged"):
        read_image(forge.join([(b"IHDR", header), *chunks[1:]]))


def test_a_huge_header_over_little_data_takes_no_memory(forge):
    peak, said = peak_of_reading(forge.png((12_000, 10_000), 16, 6, bytes(10)))
    assert said.startswith("ImageTruncatedError: ")
    assert "cannot hold 12000x10000 pixels" in said
    assert peak < 1 << 20


def test_a_picture_over_two_gigabytes_is_named_too_large(forge, monkeypatch):
    monkeypatch.setattr("raim.images.png.MAX_CHUNK", 1000)
    with pytest.raises(ImageTooLargeError, match="up to 2 GiB"):
        read_image(encode_image(forge.rgb, ".png"))


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_flipped_bit_is_found_by_the_chunk_checksum(forge, place):
    damaged = bytearray(encode_image(forge.rgb, ".png"))
    damaged[int(len(damaged) * place)] ^= 4
    with pytest.raises(ImageTruncatedError, match="checksum of chunk IDAT is wrong"):
        read_image(bytes(damaged))


def test_a_damaged_text_chunk_is_found_too(forge):
    content = bytearray(forge.insert(encode_image(forge.rgb, ".png"), b"tEXt", b"Comment\0words"))
    content[45] ^= 1
    with pytest.raises(ImageTruncatedError, match="checksum of chunk tEXt"):
        read_image(bytes(content))


def test_a_wrong_checksum_of_the_unpacked_data_is_found(forge):
    packed = bytearray(zlib.compress(plain_rows(forge.rgb)))
    packed[-1] ^= 1
    header = struct.pack(">IIBBBBB", 50, 40, 8, 2, 0, 0, 0)
    with pytest.raises(ImageTruncatedError, match="pixels cannot be decoded"):
        read_image(forge.join([(b"IHDR", header), (b"IDAT", bytes(packed)), (b"IEND", b"")]))


def test_a_filter_that_does_not_exist_is_damage(forge):
    with pytest.raises(ImageTruncatedError, match="adaptive filter"):
        read_image(forge.png((1, 1), 8, 2, bytes([9, 1, 2, 3])))


def test_data_of_more_than_one_stored_block_are_read(forge):
    pixels = np.random.default_rng(2).integers(0, 256, (200, 333, 3), dtype=np.uint8)
    assert np.array_equal(read_image(encode_image(pixels, ".png")).pixels, pixels)
    exact = np.random.default_rng(2).integers(0, 256, (65535, 1), dtype=np.uint8)  # two blocks, no rest
    assert np.array_equal(read_image(encode_image(exact, ".png")).pixels, exact)


def test_row_bytes_follow_the_definition():
    def header(width, height, mode, depth, *, is_interlaced):
        return PngHeader(
            format="PNG",
            width=width,
            height=height,
            mode=mode,
            bit_depth=depth,
            chunks=(),
            idat=(),
            is_interlaced=is_interlaced,
            transparent=None,
        )

    assert count_row_bytes(header(5, 3, "rgb", 8, is_interlaced=False)) == 3 * 16
    assert count_row_bytes(header(9, 2, "grey", 1, is_interlaced=False)) == 2 * 3
    for width in range(1, 18):
        pixels = np.zeros((11, width), np.uint8)
        assert count_row_bytes(header(width, 11, "grey", 8, is_interlaced=True)) == len(interlace(pixels))
