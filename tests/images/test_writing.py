"""Writing, read back by Pillow, tifffile and raim."""

import io

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from raim.errors import InputError, OutputError, UnknownNameError
from raim.images import encode_image, inspect_image, read_image, write_image

IMAGES = st.one_of(
    arrays(dtype, st.sampled_from(shapes))
    for dtype in (np.uint8, np.uint16)
    for shapes in ([(1, 1), (1, 7), (5, 3)], [(1, 1, 3), (2, 9, 3), (6, 4, 3)])
)


@given(pixels=IMAGES, suffix=st.sampled_from([".png", ".tif", ".TIFF"]))
@settings(max_examples=60, deadline=None)
def test_png_and_tiff_keep_every_bit(pixels, suffix):
    read = read_image(encode_image(pixels, suffix)).pixels
    assert read.dtype == pixels.dtype
    assert np.array_equal(read, pixels)


@given(pixels=IMAGES.filter(lambda pixels: pixels.dtype == np.uint8))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_webp_at_quality_100_keeps_every_bit(pixels):
    read = read_image(encode_image(pixels, ".webp", quality=100)).pixels
    assert np.array_equal(read if pixels.ndim == 3 else read[..., 0], pixels)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_pillow_reads_what_was_written_with_profile_and_exif(forge, suffix):
    exif = Image.Exif()
    exif[0x010F] = "a camera's maker"
    exif.get_ifd(0x8769)[0x829A] = 0.005  # exposure time
    content = encode_image(forge.rgb, suffix, icc_profile=forge.profile(), exif=exif.tobytes(), quality=100)
    image = Image.open(io.BytesIO(content))
    assert np.abs(np.asarray(image).astype(int) - forge.rgb).max() <= 4
    assert image.info["icc_profile"] == forge.profile()
    assert image.getexif()[0x010F] == "a camera's maker"
    assert float(image.getexif().get_ifd(0x8769)[0x829A]) == pytest.approx(0.005)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_profile_and_exif_survive_reading_and_writing(forge, suffix):
    content = encode_image(forge.rgb, suffix, icc_profile=forge.profile(), exif=forge.exif(8))
    picture = read_image(content, purpose="restore")
    again = encode_image(picture.pixels, suffix, icc_profile=picture.icc_profile, exif=picture.exif)
    info = inspect_image(again)
    assert (info.orientation, info.width, info.height) == (1, forge.height, forge.width)
    assert read_image(again, purpose="restore").exif == forge.exif(1)


def test_exif_of_the_other_byte_order_makes_a_tiff_of_that_order(forge):
    content = encode_image(forge.rgb16, ".tif", exif=forge.exif(6, ">"))
    assert content.startswith(b"MM")
    assert np.array_equal(tifffile.imread(io.BytesIO(content)), forge.rgb16)
    assert inspect_image(content).orientation == 1  # the pixels are upright


def test_tifffile_reads_a_tiff_of_many_strips():
    pixels = np.random.default_rng(1).integers(0, 65536, (900, 700, 3), dtype=np.uint16)
    assert np.array_equal(tifffile.imread(io.BytesIO(encode_image(pixels, ".tif"))), pixels)


def test_a_large_profile_spans_several_jpeg_segments(forge):
    profile = forge.profile() + np.random.default_rng(1).bytes(150_000)
    content = encode_image(forge.rgb, ".jpg", icc_profile=profile)
    assert Image.open(io.BytesIO(content)).info["icc_profile"] == profile
    assert read_image(content, purpose="restore").icc_profile == profile


def test_a_view_with_strides_is_written_as_it_looks(forge):
    view = forge.rgb[::-2, ::3]
    assert np.array_equal(read_image(encode_image(view, ".png")).pixels, view)


def test_jpeg_quality_counts_and_colour_has_full_resolution(forge):
    assert len(encode_image(forge.rgb, ".jpg", quality=30)) < len(encode_image(forge.rgb, ".jpg", quality=95))
    layers = Image.open(io.BytesIO(encode_image(forge.rgb, ".jpg"))).layer
    assert {layer[1:3] for layer in layers} == {(1, 1)}


@pytest.mark.parametrize(
    ("suffix", "change", "message"),
    [
        (".jpg", {"pixels": np.zeros((2, 2, 3), np.uint16)}, r"JPEG holds 8 bits.*write a PNG or TIFF"),
        (".webp", {"pixels": np.zeros((2, 2, 3), np.uint16)}, r"WebP holds 8 bits.*write a PNG or TIFF"),
        (".webp", {"pixels": np.zeros((1, 16_384), np.uint8)}, "sides of up to 16,383"),
        (".jpg", {"pixels": np.zeros((1, 65_501), np.uint8)}, "sides of up to 65,500"),
        (".png", {"pixels": np.zeros((0, 2), np.uint8)}, "expected uint8 or uint16"),
        (".jpg", {"quality": 0}, "quality is 0, expected 1 to 100"),
        (".jpg", {"exif": bytes(70_000)}, "65,527 bytes of EXIF, got 70,000"),
        (".jpg", {"icc_profile": bytes(17_000_000)}, "16,707,345 bytes of profile, got 17,000,000"),
        (".tif", {"exif": b"no TIFF structure"}, "the EXIF block has no TIFF header"),
    ],
)
def test_what_a_format_cannot_hold_is_an_error(suffix, change, message):
    arguments = {"pixels": np.zeros((2, 2, 3), np.uint8), **change}
    with pytest.raises(InputError, match=message):
        encode_image(arguments.pop("pixels"), suffix, **arguments)


def test_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(UnknownNameError, match=r"did you mean '\.jpeg'.*\.png"):
        write_image(tmp_path / "a.jpeg2", np.zeros((2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_and_nothing_else_is_left(forge, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    write_image(path, forge.rgb)
    assert np.array_equal(read_image(path).pixels, forge.rgb)
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_part(forge, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fill_the_disk(self, content):
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fill_the_disk)
    with pytest.raises(OutputError, match="cannot be written: No space left"):
        write_image(path, forge.rgb)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_an_error(forge, tmp_path):
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        write_image(tmp_path / "absent" / "a.png", forge.rgb)
