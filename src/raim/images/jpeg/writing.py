"""Encoding of JPEG, with profile and EXIF.

Source: ITU-T T.81, annex B; CIPA DC-008, section 4.7.2 (APP1); ICC.1:2022, annex B.4 (APP2).
"""

import struct

from raim.errors import InputError
from raim.images.exif import PREFIX
from raim.images.jpeg.header import PROFILE_MARK
from raim.images.picture import PixelArray

MAX_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION
MAX_CONTENT = 65_533  # a segment's length, which counts itself, has 16 bits
N_START = 2  # the start marker (SOI)


def encode_jpeg(pixels: PixelArray, icc_profile: bytes | None, exif: bytes | None, quality: int) -> bytes:
    """Encode 8-bit pixels with full colour resolution (4:4:4).

    Raises:
        InputError: 16 bits, a side over 65,500 pixels, or more metadata than JPEG holds.
    """
    import simplejpeg  # type: ignore[import-untyped]  # it has stubs but no py.typed

    if pixels.dtype != "uint8" or max(pixels.shape[:2]) > MAX_SIDE:
        raise InputError(
            f"JPEG holds 8 bits and sides of up to {MAX_SIDE:,} pixels, got {pixels.dtype} of shape {pixels.shape}; "
            "write a PNG or TIFF"
        )
    is_grey = pixels.ndim == 2
    jpeg: bytes = simplejpeg.encode_jpeg(
        pixels[..., None] if is_grey else pixels,
        quality=quality,
        colorspace="GRAY" if is_grey else "RGB",
        colorsubsampling="Gray" if is_grey else "444",
    )
    start = _find_end_of_jfif(jpeg)
    return jpeg[:start] + _make_exif(exif) + _make_profile(icc_profile) + jpeg[start:]


def _find_end_of_jfif(jpeg: bytes) -> int:
    """Find where metadata belong: after the JFIF segment, which must come first."""
    if jpeg[N_START : N_START + 2] != b"\xff\xe0":
        return N_START
    return N_START + 2 + int.from_bytes(jpeg[N_START + 2 : N_START + 4])


def _make_exif(exif: bytes | None) -> bytes:
    return b"" if exif is None else _make_segment(0xE1, PREFIX + exif)


def _make_profile(profile: bytes | None) -> bytes:
    if profile is None:
        return b""
    n_part = MAX_CONTENT - len(PROFILE_MARK) - 2
    parts = [profile[start : start + n_part] for start in range(0, len(profile), n_part)]
    if len(parts) > 255:
        raise InputError(f"a JPEG holds profiles of up to {255 * n_part:,} bytes, got {len(profile):,}")
    return b"".join(
        _make_segment(0xE2, PROFILE_MARK + bytes([number, len(parts)]) + part)
        for number, part in enumerate(parts, 1)
    )


def _make_segment(marker: int, content: bytes) -> bytes:
    if len(content) > MAX_CONTENT:
        raise InputError(
            f"a JPEG holds {MAX_CONTENT:,} bytes of EXIF, got {len(content):,}; write without it"
        )
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
