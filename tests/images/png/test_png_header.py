"""The chunks of a PNG."""

import struct
import zlib

import numpy as np
import pytest

from raim.errors import ImageError, ImageTruncatedError
from raim.images import encode_image, inspect_image, read_image


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


def test_an_animated_png_is_an_error_that_names_the_mend(forge, png):
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
    import tracemalloc

    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    content = forge.insert(png, b"iCCP", b"bomb\0\0" + bomb)
    tracemalloc.start()
    with pytest.raises(ImageError, match="over 8,388,608 bytes"):
        inspect_image(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30 << 20


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt"])
def test_packed_texts_are_never_unpacked(forge, png, name):
    import tracemalloc

    bomb = zlib.compress(bytes(200 << 20), 9)
    start = b"Comment\0\0" if name == b"zTXt" else b"Comment\0\1\0\0\0"
    content = forge.insert(png, name, start + bomb)
    tracemalloc.start()
    assert np.array_equal(read_image(content).pixels, forge.rgb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 << 20


@pytest.mark.parametrize("content", [b"name\0\0damaged", b"name", b""])
def test_a_damaged_profile_is_an_error(forge, png, content):
    with pytest.raises(ImageError, match="colour profile"):
        inspect_image(forge.insert(png, b"iCCP", content))


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
    monkeypatch.setattr("raim.images.png.header.MAX_CHUNKS", 1000)
    content = png[:33] + forge.chunk(b"teXt", b"") * 1001 + png[33:]
    with pytest.raises(ImageTruncatedError, match="more than 1,000 chunks"):
        inspect_image(content)
