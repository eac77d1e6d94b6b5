"""What is damaged around its pixels is read for restoring, as Pillow shows it; what has missing pixels is not."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from raim.errors import ImageError, ImageTruncatedError
from raim.images import inspect_image, read_image, repair

END = b"\xff\xd9"
WAYS = [{}, {"progressive": True}, {"subsampling": "4:2:0"}, {"restart_marker_blocks": 3}]
# A video behind the picture, as telephones append it; bytes without any FF, and such with markers in them.
VIDEO = b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data\0\0\0\x18ftypmp42" + bytes(range(1, 200)) * 40
NOISE = np.random.default_rng(2).bytes(9000)


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def part(number, count, content):
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + content)


def at_tables(jpeg, extra):
    """Insert before the first table of quantization."""
    place = jpeg.index(b"\xff\xdb")
    return jpeg[:place] + extra + jpeg[place:]


SPOILED = {
    "no end": lambda jpeg: jpeg[:-2],
    "no end, then a video": lambda jpeg: jpeg[:-2] + VIDEO,
    "no end, then noise": lambda jpeg: jpeg[:-2] + NOISE,
    "padding before the end": lambda jpeg: jpeg[:-2] + bytes(300) + END,
    "stray bytes between markers": lambda jpeg: at_tables(jpeg, b"\0\0"),
    "stray text between markers": lambda jpeg: at_tables(jpeg, b"webcam firmware 1.0\xff\0"),
    "no end, stray bytes": lambda jpeg: at_tables(jpeg[:-2], bytes(999)),
}


@pytest.mark.parametrize("how", SPOILED)
@pytest.mark.parametrize("way", WAYS)
def test_a_jpeg_with_all_its_pixels_is_restored_with_a_warning_and_not_scored(forge, way, how):
    whole = forge.pillow("JPEG", quality=90, **way)
    content = SPOILED[how](whole)
    picture = read_image(content, purpose="restore")
    assert np.array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(whole))))
    assert any("end marker is missing" in each or "stray bytes" in each for each in picture.warnings)
    assert inspect_image(content, purpose="restore").width == 50
    with pytest.raises(ImageTruncatedError):
        read_image(content)


@pytest.mark.parametrize("purpose", ["score", "restore"])
@pytest.mark.parametrize("way", WAYS)
def test_a_jpeg_with_missing_pixels_stays_an_error(forge, way, purpose):
    content = forge.pillow("JPEG", quality=90, **way)
    for length in (*range(300, len(content) - 3, 211), len(content) - 4):
        with pytest.raises(ImageTruncatedError):
            read_image(content[:length], purpose=purpose)


def test_a_progressive_jpeg_without_its_last_passes_stays_an_error(forge):
    """Decoders find nothing wrong with it: it is only less sharp."""
    content = forge.pillow("JPEG", progressive=True)
    scans = [place for place in range(len(content)) if content[place : place + 2] == b"\xff\xda"]
    for scan in scans[1:]:
        tables = content.rindex(b"\xff\xc4", 0, scan)
        with pytest.raises(ImageTruncatedError, match="end marker"):
            read_image(content[:tables], purpose="restore")


PROFILES = {
    "a part is missing": lambda profile: part(1, 2, profile[:200]),
    "counted from zero": lambda profile: part(0, 1, profile),
    "of no parts": lambda profile: part(1, 0, profile),
    "empty": lambda _: part(1, 1, b""),
    "no profile": lambda _: part(1, 1, b"x" * 200),
    "cut off": lambda profile: part(1, 1, profile[:150]),
}


@pytest.mark.parametrize("how", PROFILES)
def test_a_broken_profile_is_left_out_and_said(forge, how):
    whole = forge.pillow("JPEG")
    content = at_tables(whole, PROFILES[how](forge.profile()))
    picture = read_image(content, purpose="restore")
    assert np.array_equal(picture.pixels, read_image(whole).pixels)
    assert picture.icc_profile is None
    assert "colour profile is damaged" in picture.warnings[0]
    with pytest.raises(ImageError):
        read_image(content)


def test_a_profile_that_is_there_twice_is_used_once(forge):
    twice = part(1, 1, forge.profile()) * 2
    picture = read_image(at_tables(forge.pillow("JPEG"), twice), purpose="restore")
    assert picture.icc_profile == forge.profile()
    assert "there twice" in picture.warnings[0]


@pytest.mark.parametrize("block", [b"", b"II*\0\xff\xff\0\0", b"MM\0*\0\0\0\x08\xff\xff", b"nonsense"])
def test_a_broken_exif_block_is_left_out_and_said(forge, block):
    content = at_tables(forge.pillow("JPEG"), segment(0xE1, b"Exif\0\0" + block))
    picture = read_image(content, purpose="restore")
    assert (picture.exif, picture.warnings) == (None, ("its EXIF block is damaged and was left out",))
    assert read_image(content).warnings == ()  # scoring does not use it


def test_of_two_exif_blocks_the_first_counts(forge):
    blocks = b"".join(segment(0xE1, b"Exif\0\0" + forge.exif(orientation)) for orientation in (6, 3))
    picture = read_image(at_tables(forge.pillow("JPEG"), blocks), purpose="restore")
    assert picture.pixels.shape == (forge.width, forge.height, 3)
    assert picture.warnings == ("it has several EXIF blocks; the first counts",)


def test_a_profile_of_another_kind_of_pixels_is_left_out_and_said(forge):
    import imagecodecs

    content = forge.pillow("JPEG", icc_profile=imagecodecs.cms_profile("gray", gamma=1.8))
    picture = read_image(content, purpose="restore")
    assert picture.icc_profile is None
    assert "of another kind of pixels" in picture.warnings[0]


def wrong_checksum(forge, name, content):
    chunk = bytearray(forge.chunk(name, content))
    chunk[-1] ^= 1
    return bytes(chunk)


@pytest.mark.parametrize(
    ("make", "warning"),
    [
        (lambda _, png: png[:-12], "its end chunk (IEND) is missing"),
        (lambda _, png: png[:-12] + b"\0\0\0\0IEND", "its end chunk (IEND) is missing"),
        (
            lambda forge, png: png[:33] + wrong_checksum(forge, b"tEXt", b"a\0b") + png[33:],
            "chunk tEXt is damaged",
        ),
        (
            lambda forge, png: png[:33] + wrong_checksum(forge, b"eXIf", b"II") + png[33:],
            "chunk eXIf is damaged",
        ),
        (lambda forge, png: forge.insert(png, b"iCCP", b"name\0\0damaged"), "its colour profile is damaged"),
    ],
)
def test_a_png_that_is_damaged_around_its_pixels_is_restored_with_a_warning(forge, make, warning):
    content = make(forge, forge.pillow("PNG"))
    picture = read_image(content, purpose="restore")
    assert np.array_equal(picture.pixels, forge.rgb)
    assert warning in picture.warnings[0]
    with pytest.raises(ImageError):
        read_image(content)


def test_a_png_with_damaged_or_missing_pixels_stays_an_error(forge):
    png = forge.pillow("PNG")
    damaged = png[:200] + bytes([png[200] ^ 1]) + png[201:]
    for content in (damaged, *(png[:length] for length in range(50, len(png) - 20, 301))):
        with pytest.raises(ImageTruncatedError):
            read_image(content, purpose="restore")


@pytest.mark.parametrize(
    "mark",
    [
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0 xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/'"),
        segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0"),
    ],
)
def test_a_gain_map_is_left_out_and_said(forge, mark):
    content = at_tables(forge.pillow("JPEG"), mark) + forge.pillow("JPEG", forge.grey)
    assert read_image(content, purpose="restore").warnings == ("its gain map, for HDR screens, was left out",)
    assert read_image(content).warnings == ()


def test_thousands_of_scans_that_are_never_complete_are_not_gone_through(forge, monkeypatch):
    """Each scan is of the first component alone, and there is no end marker."""
    calls = []
    original = repair._is_complete
    monkeypatch.setattr(
        repair, "_is_complete", lambda *given, **options: calls.append(1) or original(*given, **options)
    )
    content = forge.pillow("JPEG")
    scan = content.index(b"\xff\xda")
    bomb = content[:scan] + (segment(0xDA, bytes((1, 1, 0, 0, 63, 0))) + b"\0") * 9000
    with pytest.raises(ImageTruncatedError):
        read_image(bomb, purpose="restore")
    assert len(calls) < 150
