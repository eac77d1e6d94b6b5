"""What a header says, of every format; what is no image, or no single one."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from raim.errors import ImageError, ImageTruncatedError
from raim.images import MAX_PIXELS, ImageInfo, encode_image, inspect_image, read_image
from raim.images.stream import Stream

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
def test_modes_are_told_apart(forge, kind, pillow_mode, mode):
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
