"""AVIF, for restoring; Pillow and imagecodecs write it."""

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from raim.errors import ImageError, ImageTooLargeError
from raim.images import inspect_image, read_image
from raim.images.colour import describe_profile
from raim.images.exif import find_orientation


def read(content, **options):
    return read_image(content, purpose="restore", **options)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_every_depth_is_read_over_its_whole_range(forge, bits):
    most = 2**bits - 1
    pixels = (forge.rgb.astype(np.uint32) * most // 255).astype(np.uint8 if bits == 8 else np.uint16)
    content = imagecodecs.avif_encode(pixels, level=100, bitspersample=bits)
    picture = read(content)
    assert picture.pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    scale = 1 if bits == 8 else 257
    assert np.abs(picture.pixels / scale - forge.rgb).max() <= 4
    assert inspect_image(content, purpose="restore").bit_depth == bits


def test_profile_and_rotation_are_those_of_the_file(forge):
    wide = imagecodecs.cms_profile("adobergb")
    content = forge.pillow("AVIF", quality=95, exif=b"Exif\0\0" + forge.exif(6), icc_profile=wide)
    picture = read(content)
    assert picture.pixels.shape == (forge.width, forge.height, 3)
    assert picture.icc_profile == wide
    assert find_orientation(picture.exif) == 1


def test_coded_colours_are_known(forge):
    content = forge.pillow("AVIF")
    codes = content.index(b"colrnclx") + 8

    def coded(primaries, transfer):
        return content[:codes] + bytes((0, primaries, 0, transfer)) + content[codes + 4 :]

    assert read(coded(1, 13)).icc_profile is None
    assert describe_profile(read(coded(12, 13)).icc_profile) == "Display P3"
    with pytest.raises(ImageError, match=r"HDR pixels \(PQ\)"):
        read(coded(9, 16))


def test_grey_and_opaque_alpha_are_read_and_frames_refused(forge):
    assert read(imagecodecs.avif_encode(forge.grey)).pixels.shape == forge.grey.shape
    opaque = imagecodecs.avif_encode(np.dstack([forge.rgb, forge.alpha]))
    assert read(opaque).pixels.shape == forge.rgb.shape
    with pytest.raises(ImageError, match="animated AVIF"):
        read(forge.pillow("AVIF", save_all=True, append_images=[Image.fromarray(forge.rgb[::-1].copy())]))


def test_limits_and_damage_are_found_and_scoring_refuses_it(forge):
    content = forge.pillow("AVIF")
    with pytest.raises(ImageTooLargeError, match="50x40"):
        read(content, max_pixels=1999)
    for length in (30, 200, len(content) - 1):
        with pytest.raises(ImageError):
            read(content[:length])
    with pytest.raises(ImageError, match="it is an AVIF image; save it as PNG"):
        read_image(content)
