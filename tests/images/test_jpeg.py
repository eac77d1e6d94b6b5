"""The segments of a JPEG."""

import io
import struct

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images import encode_image, inspect_image, read_image
from raim.images.header import Stream
from raim.images.jpeg import find_end, parse_jpeg


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
    monkeypatch.setattr("raim.images.jpeg.MAX_SEGMENTS", 100)
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


WAYS = [
    {"quality": quality, "subsampling": subsampling, "progressive": progressive, **more}
    for quality in (30, 90)
    for subsampling in ("4:4:4", "4:2:2", "4:2:0")
    for progressive in (False, True)
    for more in ({}, {"restart_marker_rows": 1})
]


@pytest.fixture
def large():
    rng = np.random.default_rng(8)
    rows, columns = np.mgrid[:237, :311]
    waves = np.stack([np.sin(rows / 9), np.sin(columns / 5), np.cos((rows + columns) / 3)], axis=-1)
    return (128 + 90 * waves + rng.normal(0, 12, waves.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("way", WAYS)
def test_pixels_are_bit_for_bit_those_of_pillow(forge, large, way):
    content = forge.pillow("JPEG", large, **way)
    assert np.array_equal(read_image(content).pixels, np.asarray(Image.open(io.BytesIO(content))))


def test_pixels_are_bit_for_bit_those_of_opencv(forge, large):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    content = forge.pillow("JPEG", large, subsampling="4:2:0")
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.array_equal(read_image(content).pixels, decoded)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_grey_is_bit_for_bit_that_of_pillow(forge, large, options):
    content = forge.pillow("JPEG", large[..., 0], **options)
    assert np.array_equal(read_image(content).pixels, np.asarray(Image.open(io.BytesIO(content))))


def test_a_jpeg_that_stores_rgb_is_read_as_pillow_reads_it(forge, large):
    content = forge.pillow("JPEG", large, keep_rgb=True)
    assert np.array_equal(read_image(content).pixels, np.asarray(Image.open(io.BytesIO(content))))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_cut_off_jpeg_is_never_filled_with_grey(forge, large, progressive, share):
    content = forge.pillow("JPEG", large, progressive=progressive)
    cut = content[: int(len(content) * share)]
    for end in (b"", b"\xff\xd9"):  # also where somebody has put an end marker to it
        with pytest.raises(ImageTruncatedError):
            read_image(cut + end)


def test_a_missing_end_marker_alone_is_an_error(forge):
    with pytest.raises(ImageTruncatedError, match="its end marker"):
        read_image(encode_image(forge.rgb, ".jpg")[:-2])


@pytest.mark.parametrize("filling", [b"\0" * 300, b"\xff\x01" * 150, b"\xff\xd9" + b"\0" * 298])
def test_overwritten_pixels_are_an_error(forge, large, filling):
    content = forge.pillow("JPEG", large)
    middle = len(content) // 2
    with pytest.raises(ImageTruncatedError):
        read_image(content[:middle] + filling + content[middle + 300 :])


@pytest.mark.parametrize("size", [(237, 400), (900, 311), (9000, 1800)])
def test_a_frame_larger_than_its_data_is_an_error(forge, large, size):
    content = forge.pillow("JPEG", large)
    at = content.index(b"\xff\xc0") + 5
    lying = content[:at] + size[0].to_bytes(2, "big") + size[1].to_bytes(2, "big") + content[at + 4 :]
    with pytest.raises(ImageTruncatedError):
        read_image(lying)


def test_thousands_of_scans_are_refused_before_they_are_decoded(forge, large, monkeypatch):
    content = forge.pillow("JPEG", large, progressive=True)
    scan = content.rindex(b"\xff\xda")
    bomb = content[:-2] + content[scan:-2] * 5000 + b"\xff\xd9"
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_, **__: pytest.fail("it was decoded"))
    with pytest.raises(ImageTruncatedError, match="more than 100 scans"):
        read_image(bomb)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_the_end_is_the_images_own_not_that_of_what_follows(forge, large, options):
    content = forge.pillow("JPEG", large, **options)
    both = content + encode_image(forge.rgb, ".jpg")
    scan = parse_jpeg(Stream(file=io.BytesIO(both), n_bytes=len(both))).scan
    assert find_end(both, scan) == len(content)
