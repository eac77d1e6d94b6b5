import imagecodecs
import numpy as np
import pytest

from raim.errors import ImageError
from raim.restore.batch.colour import convert_to_srgb

RED = np.full((4, 5, 3), (200, 50, 50), np.uint8)


def adobe_to_srgb(colour):
    """Convert by the definitions of both spaces: AdobeRGB (1998) 4.3.4.2, IEC 61966-2-1."""
    linear = (np.array(colour) / 255) ** (563 / 256)
    to_xyz = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    to_srgb = [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    srgb = np.clip(np.array(to_srgb) @ to_xyz @ linear, 0, 1)
    return 255 * np.where(srgb <= 0.0031308, 12.92 * srgb, 1.055 * srgb ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_it_agrees_with_the_definitions_of_both_spaces(dtype):
    scale = np.iinfo(dtype).max // 255
    pixels = RED.astype(dtype) * dtype(scale)
    converted = convert_to_srgb(pixels, imagecodecs.cms_profile("adobergb"))
    assert converted.dtype == dtype
    np.testing.assert_allclose(converted[0, 0] / scale, adobe_to_srgb((200, 50, 50)), atol=0.8)


def test_grey_stays_grey():
    profile = imagecodecs.cms_profile("gray", gamma=1.0)
    converted = convert_to_srgb(np.full((4, 5), 55, np.uint8), profile)
    assert converted.shape == (4, 5)
    expected = 255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(converted, expected, atol=1)


@pytest.mark.parametrize("profile", [b"", b"no profile", imagecodecs.cms_profile("gray", gamma=2.2)])
def test_a_profile_that_does_not_fit_is_an_error_about_the_image(profile):
    with pytest.raises(ImageError, match="colour profile cannot be used"):
        convert_to_srgb(RED, profile)
