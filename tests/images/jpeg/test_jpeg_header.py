"""The segments of a JPEG."""

import struct

import numpy as np
import pytest

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images import encode_image, inspect_image, read_image
from raim.images.stream import Stream


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


@pytest.fixture
def jpeg(forge):
    return encode_image(forge.rgb, ".jpg")


def with_frame(jpeg, **change):
    """Forge fields of the frame header."""
    at = jpeg.index(b"\xff\xc0")
    fields = dict(
        zip(("depth", "height", "width", "n"), struct.unpack_from(">BHHB", jpeg, at + 4), strict=True)
    )
    fields |= change
    return jpeg[: at + 4] + struct.pack(">BHHB", *fields.values()) + jpeg[at + 10 :]


def test_the_frame_header_is_what_is_checked(jpeg):
    with pytest.raises(ImageTooLargeError, match="65500x65500"):
        read_image(with_frame(jpeg, width=65_500, height=65_500))


def test_a_thumbnail_in_the_exif_is_not_taken_for_the_image(forge, jpeg):
    thumbnail = encode_image(forge.rgb[:8, :8], ".jpg")
    content = jpeg[:2] + segment(0xE1, b"Exif\0\0" + forge.exif(1) + thumbnail) + jpeg[2:]
    assert inspect_image(content).width == 50
    with pytest.raises(ImageTruncatedError):
        read_image(content[:-2])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"depth": 12}, ImageError, "12 bits per sample"),
        ({"height": 0}, ImageTruncatedError, "declares 50x0 pixels"),
        ({"n": 2}, ImageTruncatedError, "2 components"),
    ],
)
def test_frames_of_other_kinds_are_errors(jpeg, change, error, message):
    with pytest.raises(error, match=message):
        inspect_image(with_frame(jpeg, **change))


def test_a_lossless_jpeg_is_named(jpeg):
    with pytest.raises(ImageError, match="SOF3"):
        inspect_image(jpeg.replace(b"\xff\xc0", b"\xff\xc3", 1))


def test_two_frame_headers_are_an_error(jpeg):
    at = jpeg.index(b"\xff\xc0")
    frame = jpeg[at : at + 19]
    with pytest.raises(ImageTruncatedError, match="two frame headers"):
        inspect_image(jpeg[:at] + frame + jpeg[at:])


@pytest.mark.parametrize("n", [1, 2, 2**16 - 1, 2**16, 2**16 + 1])
@pytest.mark.parametrize("place", [2, -2])
def test_fill_bytes_before_a_marker_are_stepped_over(jpeg, n, place):
    filled = jpeg[:place] + b"\xff" * n + jpeg[place:]
    assert inspect_image(filled).width == 50
    np.testing.assert_array_equal(read_image(filled).pixels, read_image(jpeg).pixels)


def test_a_long_run_of_fill_bytes_is_read_in_blocks(jpeg, monkeypatch):
    reads = []
    original = Stream.read_at
    monkeypatch.setattr(
        Stream, "read_at", lambda stream, *where: reads.append(where) or original(stream, *where)
    )
    assert inspect_image(jpeg[:2] + b"\xff" * 2**22 + jpeg[2:]).width == 50
    assert len(reads) < 150  # 4 million bytes, one by one before


def test_a_file_that_ends_in_fill_bytes_ends_early(jpeg):
    with pytest.raises(ImageTruncatedError, match="ends early"):
        inspect_image(jpeg[:2] + b"\xff" * 2**17)


@pytest.mark.parametrize("length", [0, 1])
def test_a_segment_without_length_ends_the_walk(jpeg, length):
    with pytest.raises(ImageTruncatedError, match="has no length"):
        inspect_image(jpeg[:2] + struct.pack(">BBH", 0xFF, 0xFE, length) + jpeg[2:])


def test_endless_segments_end(jpeg, monkeypatch):
    monkeypatch.setattr("raim.images.jpeg.header.MAX_SEGMENTS", 100)
    with pytest.raises(ImageTruncatedError, match="more than 100 segments"):
        inspect_image(jpeg[:2] + segment(0xFE, b"") * 101 + jpeg[2:])


@pytest.mark.parametrize("parts", [[(1, 2)], [(2, 2)], [(1, 3), (3, 3)]])
def test_a_profile_with_missing_parts_is_an_error(jpeg, parts):
    segments = b"".join(segment(0xE2, b"ICC_PROFILE\0" + bytes(part) + b"part") for part in parts)
    with pytest.raises(ImageTruncatedError, match="colour profile has parts"):
        inspect_image(jpeg[:2] + segments + jpeg[2:])


def test_other_uses_of_the_profile_segment_are_ignored(jpeg):
    info = inspect_image(jpeg[:2] + segment(0xE2, b"MPF\0 and more") + jpeg[2:])
    assert info.has_icc is False


def test_without_a_scan_or_a_frame_it_is_damaged(jpeg):
    with pytest.raises(ImageTruncatedError, match="no scan"):
        inspect_image(b"\xff\xd8\xff\xd9")
    at = jpeg.index(b"\xff\xc0")
    with pytest.raises(ImageTruncatedError, match="no frame header"):
        inspect_image(jpeg[:at] + jpeg[at + 19 :])
