"""Pixels of another colour profile brought to sRGB, for submissions, which carry none.

Source: ICC.1:2022; Little CMS with perceptual intent and its defaults, as viewers use it.
"""

import numpy as np

from raim.errors import ImageError
from raim.images import PixelArray


def convert_to_srgb(pixels: PixelArray, icc_profile: bytes) -> PixelArray:
    """Convert pixels, of 8 or 16 bits, colour or grey, from a profile to sRGB.

    Raises:
        ImageError: The profile cannot be used for these pixels.

    Example:
        >>> import imagecodecs
        >>> grey = np.full((1, 2, 3), 128, np.uint8)
        >>> convert_to_srgb(grey, imagecodecs.cms_profile("srgb"))[0, 0]
        array([128, 128, 128], dtype=uint8)
    """
    import imagecodecs

    is_grey = pixels.ndim == 2
    try:
        converted = imagecodecs.cms_transform(
            pixels,
            icc_profile,
            imagecodecs.cms_profile("srgb"),
            colorspace="gray" if is_grey else "rgb",
            outcolorspace="rgb",
        )
    except (imagecodecs.CmsError, ValueError) as error:
        raise ImageError(
            f"its colour profile cannot be used ({error}); convert its pixels to sRGB and save it again"
        ) from error
    # Grey stays grey: its three channels are equal.
    return np.ascontiguousarray(converted[..., 0] if is_grey else converted)
