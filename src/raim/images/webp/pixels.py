"""Decoding of WebP pixels with libwebp."""

import numpy as np

from raim.images.codec import load_codecs
from raim.images.stream import damaged
from raim.images.webp.header import WebpHeader


def decode_webp(content: bytes, header: WebpHeader) -> np.ndarray:
    """Decode to (h, w, 3) or, where there is alpha, (h, w, 4) uint8.

    Raises:
        ImageTruncatedError: The data are cut off or damaged.
    """
    data = memoryview(content)[: header.end]
    try:
        pixels: np.ndarray = load_codecs().webp_decode(data, hasalpha=header.mode == "rgba")
    except (RuntimeError, ValueError) as error:
        raise damaged(f"its pixels cannot be decoded ({error})") from error
    return pixels
