"""Encoding of PNG, 8 and 16 bits, with profile and EXIF."""

import zlib

from raim.images.codec import load_codecs
from raim.images.picture import PixelArray
from raim.images.png.chunks import SIGNATURE, make_chunk

N_IHDR = 25  # length, name, 13 bytes, checksum
# A synthetic photograph of 12 megapixels: level 2 15.1 MB in 1.7 s, level 4 14.6 MB in 2.1 s, level 6 13.9 MB in 11 s.
LEVEL = 4


def encode_png(pixels: PixelArray, icc_profile: bytes | None, exif: bytes | None) -> bytes:
    """Encode pixels without loss; profile and EXIF block become chunks iCCP and eXIf."""
    # A filter byte per row; Deflate and the chunks around each 8 KB add less than 1 % to what does not pack.
    n_rows = pixels.shape[0] + pixels.nbytes
    png = bytes(load_codecs().png_encode(pixels, level=LEVEL, out=n_rows + n_rows // 100 + 4096))
    metadata = b""
    if icc_profile is not None:
        metadata += make_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if exif is not None:
        metadata += make_chunk(b"eXIf", exif)
    start = len(SIGNATURE) + N_IHDR
    return png[:start] + metadata + png[start:] if metadata else png
