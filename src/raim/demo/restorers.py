"""The three entries of the demo: the inputs as they are, non-local means, and a sharpened one.

None is good at everything, which is what a challenge is for: one keeps noise, one smooths texture away, one sharpens
noise and blocks along with the edges.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8, UInt16

# (h, w, 3) or (h, w).
Pixels = UInt8[np.ndarray, "..."] | UInt16[np.ndarray, "..."]

# Filter strength of non-local means; 3 is OpenCV's default, 10 its advice for strong noise.
NLM_STRENGTH = 6.0
NLM_PATCH_PX = 7  # OpenCV's recommended template and search windows
NLM_SEARCH_PX = 21
SHARPEN_SIGMA_PX = 1.5
SHARPEN_AMOUNT = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoEntry:
    """One entry of the demo.

    Attributes:
        name: In tables.
        file_name: Of its zip, without suffix.
        description: For readme.txt and the page.
        restore: Takes and gives (h, w, 3) or (h, w), uint8 or uint16.
    """

    name: str
    file_name: str
    description: str
    restore: Callable[[Pixels], Pixels]


def keep_input(pixels: Pixels) -> Pixels:
    """Return the input as it is."""
    return pixels


def denoise_input(pixels: Pixels) -> Pixels:
    """Denoise by non-local means: in CIELAB for 8-bit colour, else on the values as they are.

    Source: Buades, Coll, Morel, "Non-Local Means Denoising", IPOL 2011; OpenCV's fastNlMeansDenoising.
    """
    import cv2

    if pixels.dtype == np.uint8 and pixels.ndim == 3:
        bgr = np.ascontiguousarray(pixels[..., ::-1])
        windows = (NLM_PATCH_PX, NLM_SEARCH_PX)
        restored = cv2.fastNlMeansDenoisingColored(bgr, None, NLM_STRENGTH, NLM_STRENGTH, *windows)
        return np.ascontiguousarray(restored[..., ::-1])
    scale = 257 if pixels.dtype == np.uint16 else 1
    channels = 1 if pixels.ndim == 2 else 3
    # OpenCV compares 16-bit patches by absolute differences only.
    norm = cv2.NORM_L1 if pixels.dtype == np.uint16 else cv2.NORM_L2
    strengths = [NLM_STRENGTH * scale] * channels
    return cv2.fastNlMeansDenoising(
        pixels,
        h=strengths,
        templateWindowSize=NLM_PATCH_PX,
        searchWindowSize=NLM_SEARCH_PX,
        normType=norm,
    )


def sharpen_input(pixels: Pixels) -> Pixels:
    """Sharpen by an unsharp mask: the difference from a blurred copy is added once more."""
    import cv2

    values = pixels.astype(np.float32)
    blurred = cv2.GaussianBlur(values, (0, 0), SHARPEN_SIGMA_PX, borderType=cv2.BORDER_REFLECT_101)
    sharpened = values + SHARPEN_AMOUNT * (values - blurred)
    return np.clip(np.rint(sharpened), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def resize_input(pixels: Pixels, width: int, height: int) -> Pixels:
    """Bring an input to the size of its reference, by bicubic interpolation; the same size is left alone."""
    import cv2

    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = pixels.shape[0] > height and pixels.shape[1] > width
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


ENTRIES = (
    DemoEntry(
        name="as they are", file_name="as-they-are", description="the inputs as they are", restore=keep_input
    ),
    DemoEntry(
        name="non-local means",
        file_name="non-local-means",
        description=f"OpenCV's non-local means of strength {NLM_STRENGTH:g}",
        restore=denoise_input,
    ),
    DemoEntry(
        name="sharpened",
        file_name="sharpened",
        description=f"an unsharp mask of sigma {SHARPEN_SIGMA_PX:g} pixels and amount {SHARPEN_AMOUNT:g}",
        restore=sharpen_input,
    ),
)
