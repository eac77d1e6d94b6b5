"""What a header says, of every format; what is no image, or no single one."""

import io
import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from raim.errors import ImageError, ImageTooLargeError, ImageTruncatedError
from raim.images import MAX_PIXELS, ImageInfo, encode_image, inspect_image, read_image
from raim.images.header import Stream
from raim.images.reading import turn_upright

READ_AT = Stream.read_at


@pytest.mark.parametrize(
    ("suffix", "name", "depth"),
    [
        (".png", "PNG", 8),
        (".png", "PNG", 16),
        (".tif", "TIFF", 16),
        (".webp", "WEBP", 8),
        (".jpg", "JPEG", 8),
    ],
)
def test_a_plain_image_is_described(forge, suffix, name, depth):
    content = encode_image(forge.rgb if depth == 8 else forge.rgb16, suffix)
    assert inspect_image(content) == ImageInfo(
        format=name,
        width=50,
        height=40,
        mode="rgb",
        bit_depth=depth,
        has_icc=False,
        orientation=1,
        n_bytes=len(content),
    )


@pytest.mark.parametrize(
    ("kind", "pillow_mode", "mode"),
    [
        ("PNG", "L", "grey"),
        ("PNG", "LA", "grey-alpha"),
        ("PNG", "RGBA", "rgba"),
        ("PNG", "P", "palette"),
        ("JPEG", "L", "grey"),
        ("JPEG", "CMYK", "cmyk"),
        ("TIFF", "L", "grey"),
        ("TIFF", "LA", "grey-alpha"),
        ("TIFF", "RGBA", "rgba"),
        ("TIFF", "CMYK", "cmyk"),
    ],
)
def test_modes_are_distinguished(forge, kind, pillow_mode, mode):
    image = Image.fromarray(forge.rgb).convert(pillow_mode)
    assert inspect_image(forge.pillow(kind, image)).mode == mode


def test_the_default_limit_is_120_megapixels(forge):
    rows = bytes(10)
    assert MAX_PIXELS == 120_000_000
    assert inspect_image(forge.png((12_000, 10_000), 8, 2, rows)).width == 12_000
    with pytest.raises(ImageError, match="120,012,000 pixels"):
        inspect_image(forge.png((12_000, 10_001), 8, 2, rows))


def test_no_pixels_are_no_image(forge):
    for size in ((0, 5), (5, 0)):
        with pytest.raises(ImageTruncatedError, match="pixels"):
            inspect_image(forge.png(size, 8, 2, b""))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "GIF"])
def test_several_frames_are_an_error(forge, kind):
    second = Image.fromarray(forge.rgb[::-1].copy())
    content = forge.pillow(kind, save_all=True, append_images=[second])
    for function in (inspect_image, read_image):
        with pytest.raises(ImageError, match=r"animated|pages|GIF"):
            function(content)


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"", "an empty file"),
        (b"GIF89a" + bytes(20), "a GIF"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), r"a video \(MP4"),
        (b"\0\0\0\x18ftypqt  " + bytes(20), r"a video \(MP4 or QuickTime"),
        (b"\0\0\0\x18ftypheic" + bytes(20), "a HEIF image"),
        (b"\0\0\0\x18ftypavif" + bytes(20), "an AVIF image"),
        (b"RIFF\x10\0\0\0AVI LIST", r"a video \(AVI"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "a RIFF file of another kind"),
        (b"\x1aE\xdf\xa3" + bytes(20), r"a video \(Matroska"),
        (b"%PDF-1.7", "a PDF"),
        (b"BM" + bytes(60), "a BMP"),
        (b"readme", "no image that raim reads"),
    ],
)
def test_other_files_are_named(start, name):
    with pytest.raises(ImageError, match=f"it is {name}.*save it as PNG, JPEG, TIFF or WebP"):
        inspect_image(start)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_refused_at_once_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="no ordinary file"):
        inspect_image(tmp_path / "pipe.png")


def test_inspecting_a_large_file_reads_only_its_header(tmp_path, monkeypatch):
    """A hole of a gigabyte within a PNG chunk is stepped over."""
    path = tmp_path / "large.png"
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0"
    import zlib

    header += zlib.crc32(header[12:]).to_bytes(4, "big")
    with path.open("wb") as file:
        file.write(header + (1 << 30).to_bytes(4, "big") + b"IDAT")
        file.seek(len(header) + 8 + (1 << 30) + 4)
        file.write(b"\0\0\0\0IEND\xaeB`\x82")
    read = []

    def read_at(self, offset, n_bytes, what):
        read.append(n_bytes)
        return READ_AT(self, offset, n_bytes, what)

    monkeypatch.setattr(Stream, "read_at", read_at)
    assert inspect_image(path).width == 16
    assert 0 < sum(read) < 200


def test_a_telephone_photograph_with_a_preview_behind_it_is_read(forge):
    photo, preview = encode_image(forge.rgb, ".jpg"), encode_image(forge.grey[:8, :8], ".jpg")
    assert inspect_image(photo + preview).width == 50
    assert np.array_equal(read_image(photo + preview).pixels, np.asarray(Image.open(io.BytesIO(photo))))


LOSSLESS = [".png", ".tif", ".webp"]


def encode(pixels, suffix, **options):
    return encode_image(pixels, suffix, quality=100, **options)


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_pixels_come_back_as_they_were_written(forge, suffix):
    picture = read_image(encode(forge.rgb, suffix))
    assert np.array_equal(picture.pixels, forge.rgb)
    assert picture.pixels.flags.c_contiguous
    assert picture.warnings == ()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("is_grey", [False, True])
def test_sixteen_bits_are_read_truly(forge, suffix, is_grey):
    pixels = forge.rgb16[..., 0] if is_grey else forge.rgb16
    read = read_image(encode(pixels, suffix)).pixels
    assert read.dtype == np.uint16
    assert np.array_equal(read, pixels)
    assert len(np.unique(read & 0xFF)) > 200  # the low bytes carry information


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_grey_stays_grey(forge, suffix):
    read = read_image(encode(forge.grey, suffix)).pixels
    assert read.shape == forge.grey.shape
    assert np.abs(read.astype(int) - forge.grey).max() <= 2


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_path_and_bytes_give_the_same(forge, tmp_path, suffix):
    content = encode(forge.rgb, suffix)
    path = tmp_path / "wrongly-named.dat"
    path.write_bytes(content)
    assert inspect_image(path) == inspect_image(content)
    assert np.array_equal(read_image(path).pixels, read_image(content).pixels)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_an_opaque_alpha_channel_is_dropped_with_a_warning(forge, kind):
    content = forge.pillow(
        kind, np.dstack([forge.rgb, forge.alpha]), **({"lossless": True} if kind == "WEBP" else {})
    )
    picture = read_image(content)
    assert np.array_equal(picture.pixels, forge.rgb)
    # libwebp drops an opaque alpha channel itself when it writes
    assert picture.warnings == (() if kind == "WEBP" else ("its opaque alpha channel was dropped",))


@pytest.mark.parametrize("purpose", ["score", "restore"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_one_transparent_pixel_is_an_error_that_counts_it(forge, kind, purpose):
    alpha = forge.alpha.copy()
    alpha[3, 4] = 254
    with pytest.raises(ImageError, match=r"1 transparent pixels; flatten it"):
        read_image(forge.pillow(kind, np.dstack([forge.rgb, alpha])), purpose=purpose)


@pytest.mark.parametrize("purpose", ["score", "restore"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_palette_is_an_error_that_names_the_fix(forge, kind, purpose):
    content = forge.pillow(kind, Image.fromarray(forge.rgb).quantize(16))
    assert inspect_image(content).mode == "palette"
    with pytest.raises(ImageError, match=r"palette.*convert it to RGB"):
        read_image(content, purpose=purpose)


@pytest.mark.parametrize("purpose", ["score", "restore"])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_an_error_that_names_the_fix(forge, kind, purpose):
    content = forge.pillow(kind, Image.fromarray(forge.rgb).convert("CMYK"))
    assert inspect_image(content).mode == "cmyk"
    with pytest.raises(ImageError, match=r"CMYK.*convert it to RGB"):
        read_image(content, purpose=purpose)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_an_srgb_profile_and_orientation_1_are_accepted_for_scoring(forge, suffix):
    exif = None if suffix == ".tif" else forge.exif(1)
    content = encode(forge.rgb, suffix, icc_profile=forge.profile(), exif=exif)
    info = inspect_image(content)
    assert (info.has_icc, info.orientation) == (False, 1)
    assert np.abs(read_image(content).pixels.astype(int) - forge.rgb).max() <= 5


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_another_profile_is_an_error_for_scoring_and_kept_for_restoring(forge, suffix):
    linear = forge.matrix_profile(
        [(0.61, 0.31, 0.02), (0.2, 0.63, 0.06), (0.15, 0.06, 0.74)], b"curv" + bytes(8)
    )
    content = encode(forge.rgb, suffix, icc_profile=linear)
    assert inspect_image(content).has_icc
    with pytest.raises(ImageError, match=r"another colour space than sRGB.*convert its pixels to sRGB"):
        read_image(content)
    assert read_image(content, purpose="restore").icc_profile == linear


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_a_rotation_is_an_error_for_scoring_and_applied_for_restoring(forge, suffix):
    content = encode(forge.rgb, suffix, exif=forge.exif(6))
    assert inspect_image(content).orientation == 6
    assert inspect_image(content).width == forge.width  # as stored
    with pytest.raises(ImageError, match=r"orientation 6.*rotate its pixels"):
        read_image(content)
    picture = read_image(content, purpose="restore")
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    assert np.array_equal(picture.pixels, upright)
    assert picture.pixels.flags.c_contiguous
    assert picture.exif == forge.exif(1)


def test_a_rotated_tiff_is_refused_for_scoring_and_turned_for_restoring(forge):
    content = forge.tiff(extratags=[(274, "H", 1, 3, True)])
    with pytest.raises(ImageError, match="orientation 3"):
        read_image(content)
    assert np.array_equal(read_image(content, purpose="restore").pixels, forge.rgb[::-1, ::-1])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(forge, orientation):
    image = Image.fromarray(forge.rgb)
    image.getexif()[0x0112] = orientation
    assert np.array_equal(turn_upright(forge.rgb, orientation), np.asarray(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_the_declared_size_is_checked_before_pixels_are_decoded(forge, suffix, monkeypatch):
    content = encode(forge.rgb, suffix)
    monkeypatch.setattr("raim.images.reading.decode", lambda *_: pytest.fail("pixels were decoded"))
    for function in (inspect_image, read_image):
        with pytest.raises(
            ImageTooLargeError, match=r"50x40 = 2,000 pixels, the limit is 1,999.*raise the limit"
        ):
            function(content, max_pixels=1999)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_a_file_cut_anywhere_is_never_read(forge, suffix):
    content = encode(forge.rgb, suffix)
    for length in [*range(1, 200), *range(200, len(content), 97), len(content) - 1]:
        with pytest.raises(ImageError):
            read_image(content[:length])


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_a_file_cut_in_its_pixels_is_called_truncated(forge, suffix):
    content = encode(forge.rgb, suffix)
    with pytest.raises(ImageTruncatedError, match="copy or export it again"):
        read_image(content[: len(content) // 2])


def test_the_message_of_a_file_begins_with_its_path(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("hello")
    with pytest.raises(
        ImageError, match=r"notes\.png: it is no image that raim reads \(it begins with b'hello'\)"
    ):
        read_image(path)


def test_missing_files_and_folders_are_errors_with_a_way_out(tmp_path):
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        inspect_image(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="no ordinary file"):
        read_image(tmp_path)


def test_decoding_works_in_worker_processes(forge, tmp_path):
    """Started apart: with importmode=importlib a spawned child could not find a function of this module."""
    contents = [encode(forge.rgb, suffix) for suffix in (".png", ".tif", ".webp", ".jpg")]
    paths = [tmp_path / str(position) for position in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pictures = pool.map(read_image, paths)
        pool.close()
        pool.join()
    for picture, content in zip(pictures, contents, strict=True):
        assert np.array_equal(picture.pixels, read_image(content).pixels)


def test_importing_loads_no_codec():
    code = (
        "import sys, raim.images; "
        "print([m for m in ('PIL', 'imagecodecs', 'simplejpeg', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_that_the_import_check_can_fail():
    code = "import sys, imagecodecs; print([m for m in ('imagecodecs',) if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['imagecodecs']"


@pytest.mark.shared
def test_real_photographs_are_read_as_pillow_reads_them(shared):
    paths = [
        path for path in sorted((shared / "data").rglob("*")) if path.suffix in (".png", ".jpg", ".jpeg")
    ]
    assert len(paths) > 50
    for path in paths:
        assert np.array_equal(read_image(path, purpose="restore").pixels, np.asarray(Image.open(path))), path
