"""Whether an embedded ICC profile is sRGB, which raim assumes of every image without one."""

import functools
import io


@functools.lru_cache(maxsize=64)
def is_srgb(icc_profile: bytes) -> bool:
    """Tell whether a profile calls itself sRGB; a damaged one does not.

    Example:
        >>> from PIL import ImageCms
        >>> is_srgb(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()), is_srgb(b"damaged")
        (True, False)
    """
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        return "srgb" in ImageCms.getProfileDescription(profile).lower().replace(" ", "")
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return False
