"""JPEG decodes bit for bit as libjpeg-turbo's default; oracles: Pillow and OpenCV, with their own copies of it."""

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from raim.errors import ImageTruncatedError
from raim.images import encode_image, read_image
from raim.images.jpeg.header import parse_jpeg
from raim.images.jpeg.pixels import find_end
from raim.images.stream import Stream

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
