"""AVIF, for restoring: its header as Pillow reads it, its pixels with libavif (imagecodecs), of 10 and 12 bits too.

Source: AV1 Image File Format 1.2 (AOMedia, 2024), with the boxes `colr` and `av1C`; ITU-T H.273 for its codes.
"""

import io
import struct
from dataclasses import dataclass

import numpy as np

from raim.errors import ImageError
from raim.images.colour import find_coded
from raim.images.exif import find_orientation, strip_prefix
from raim.images.header import Header
from raim.images.stream import Stream, damaged, load_codecs

CODES, CONFIGURATION = b"colrnclx", b"av1C"  # a box's name, and what follows it
HIGH, TWELVE = 0x40, 0x20  # flags of the depth


@dataclass(frozen=True, kw_only=True, slots=True)
class AvifHeader(Header):
    """The header of an AVIF with one picture."""


def parse_avif(stream: Stream) -> AvifHeader:
    """Read the header of an AVIF without decoding its pixels.

    Raises:
        ImageError: It has several frames, or HDR pixels.
        ImageTruncatedError: It cannot be read.
    """
    from PIL import AvifImagePlugin

    content = stream.read_at(0, stream.n_bytes, "its content")
    try:
        image = AvifImagePlugin.AvifImageFile(io.BytesIO(content))
    except (RuntimeError, SyntaxError, ValueError, OSError) as error:
        raise damaged(f"its header cannot be read ({error})") from error
    if image.n_frames > 1:
        raise ImageError("is an animated AVIF; save one frame as an ordinary AVIF or PNG")
    place = content.find(CODES) + len(CODES)
    codes = struct.unpack_from(">HH", content, place) if place >= len(CODES) else (2, 2)
    exif = image.info.get("exif")
    block = None if exif is None else strip_prefix(exif)
    return AvifHeader(
        format="AVIF",
        width=image.width,
        height=image.height,
        mode="rgba" if image.mode == "RGBA" else "rgb",
        bit_depth=_find_depth(content),
        space=None if "icc_profile" in image.info else find_coded(*codes),
        orientation=find_orientation(block),  # Pillow puts the file's own rotation there
        icc_profile=image.info.get("icc_profile"),
        exif=block,
    )


def decode_avif(content: bytes, header: Header) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), uint8 or, of 10 and 12 bits, uint16.

    Raises:
        ImageTruncatedError: The data are cut off or damaged.
    """
    try:
        pixels: np.ndarray = load_codecs().avif_decode(content, numthreads=1)
    except (RuntimeError, ValueError) as error:
        raise damaged(f"its pixels cannot be decoded ({error})") from error
    if pixels.dtype == np.uint8:
        return pixels
    most = 2**header.bit_depth - 1
    return ((pixels.astype(np.uint32) * 65535 + most // 2) // most).astype(np.uint16)


def _find_depth(content: bytes) -> int:
    place = content.find(CONFIGURATION)
    flags = content[place + 6] if 0 <= place < len(content) - 6 else 0
    return (12 if flags & TWELVE else 10) if flags & HIGH else 8
