"""The pixels of a WebP; oracle: Pillow, which has its own copy of libwebp."""

import io

import numpy as np
import pytest
from PIL import Image

from raim.images import read_image


@pytest.mark.parametrize("options", [{"quality": 40}, {"quality": 95}, {"lossless": True}])
def test_pixels_are_those_of_pillow(forge, options):
    content = forge.pillow("WEBP", **options)
    assert np.array_equal(read_image(content).pixels, np.asarray(Image.open(io.BytesIO(content))))


def test_an_opaque_alpha_channel_that_is_stored_is_dropped_with_a_warning(forge):
    """The header says that there is alpha; its values are all opaque."""
    alpha = forge.alpha.copy()
    alpha[0, 0] = 254
    content = bytearray(forge.pillow("WEBP", forge.rgb, lossless=True))
    assert content[12:16] == b"VP8L"
    content[24] |= 0x10
    picture = read_image(bytes(content))
    assert picture.warnings == ("its opaque alpha channel was dropped",)
    assert np.array_equal(picture.pixels, forge.rgb)
