"""Encoding of PNG, 8 and 16 bits, with profile and EXIF."""

import zlib

from raim.images.codec import load_codecs
from raim.images.picture import PixelArray
from raim.images.png.chunks import SIGNATURE, make_chunk

N_IHDR = 25  # length, name, 13 bytes, checksum
# Between 4 and 6 the files of photographs shrink by 1 % and take twice as long (benchmarks/decoders.py --write).
LEVEL = 4


def encode_png(pixels: PixelArray, icc_profile: bytes | None, exif: bytes | None) -> bytes:
    """Encode pixels without loss; profile and EXIF block become chunks iCCP and eXIf."""
    png: bytes = load_codecs().png_encode(pixels, level=LEVEL)
    metadata = b""
    if icc_profile is not None:
        metadata += make_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if exif is not None:
        metadata += make_chunk(b"eXIf", exif)
    start = len(SIGNATURE) + N_IHDR
    return png[:start] + metadata + png[start:] if metadata else png
