"""Encoding of WebP, with profile and EXIF.

Source: RFC 9649, section 2.7 (extended file format).
"""

import struct

import numpy as np

from raim.errors import InputError
from raim.images.codec import load_codecs
from raim.images.picture import PixelArray

MAX_SIDE = 16_383  # 14 bits
LOSSLESS = 100
HAS_PROFILE, HAS_EXIF = 0x20, 0x08  # flags of VP8X
N_RIFF = 12


def encode_webp(pixels: PixelArray, icc_profile: bytes | None, exif: bytes | None, quality: int) -> bytes:
    """Encode 8-bit pixels, without loss at quality 100. WebP has no grey: grey is written as RGB.

    Raises:
        InputError: 16 bits, or a side over 16,383 pixels.
    """
    if pixels.dtype != "uint8" or max(pixels.shape[:2]) > MAX_SIDE:
        raise InputError(
            f"WebP holds 8 bits and sides of up to {MAX_SIDE:,} pixels, got {pixels.dtype} of shape {pixels.shape}; "
            "write a PNG or TIFF"
        )
    colour = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
    webp: bytes = load_codecs().webp_encode(colour, level=quality, lossless=quality == LOSSLESS)
    if icc_profile is None and exif is None:
        return webp
    height, width = pixels.shape[:2]
    flags = HAS_PROFILE * (icc_profile is not None) | HAS_EXIF * (exif is not None)
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = _make_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + canvas)
    chunks += b"" if icc_profile is None else _make_chunk(b"ICCP", icc_profile)
    chunks += _take_image(webp)
    chunks += b"" if exif is None else _make_chunk(b"EXIF", exif)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def _take_image(webp: bytes) -> bytes:
    """Take the image data's chunk out of what libwebp wrote, which is the only other one than VP8X."""
    offset = N_RIFF
    while webp[offset : offset + 4] not in (b"VP8 ", b"VP8L"):
        n_bytes = int.from_bytes(webp[offset + 4 : offset + 8], "little")
        offset += 8 + n_bytes + n_bytes % 2
    return webp[offset:]


def _make_chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
