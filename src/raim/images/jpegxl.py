"""JPEG XL, for restoring, with libjxl: pixels by imagecodecs, profile and EXIF by the extra `jxl` (pillow-jxl-plugin).

libjxl turns the pixels itself, as the file says. The size is read here, since the libraries say it only after decoding.

Source: ISO/IEC 18181-1, D.2 (size header); 18181-2 (boxes).
"""

import io
import struct
from dataclasses import dataclass

import numpy as np

from raim.errors import ImageError
from raim.images.exif import strip_prefix
from raim.images.header import Header
from raim.images.picture import MAX_PIXELS
from raim.images.stream import Stream, damaged, load_codecs

BARE = b"\xff\x0a"
N_SIGNATURE = 12  # of a file of boxes
CODESTREAM = {b"jxlc": 0, b"jxlp": 4}  # box -> bytes before the codestream
MAX_BOXES = 1000
N_SIZE_HEADER = 16  # more than it can be
BITS = (9, 13, 18, 30)  # of a side
# Of width to height; the first: none.
RATIOS = ((0, 1), (1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class JxlHeader(Header):
    """The header of a JPEG XL file."""


def parse_jxl(stream: Stream) -> JxlHeader:
    """Read the size of a JPEG XL file and, where it can be decoded, what it says of its colours.

    Raises:
        ImageError: The extra `jxl` is not installed.
        ImageTruncatedError: It cannot be read.
    """
    try:
        from pillow_jxl import JpegXLImagePlugin
    except ImportError as error:
        raise ImageError(
            "is a JPEG XL image; pip install 'raim[jxl]' to read it, or save it as PNG, JPEG, TIFF or WebP"
        ) from error
    content = stream.read_at(0, stream.n_bytes, "its content")
    width, height = _read_size(stream)
    info, mode = {}, "RGB"
    if width * height <= MAX_PIXELS:  # else it is refused by its size
        try:
            image = JpegXLImagePlugin.JXLImageFile(io.BytesIO(content))
            info, mode = image.info, image.mode
        except (RuntimeError, ValueError, OSError, SyntaxError) as error:
            raise damaged("its content cannot be decoded") from error
    exif = info.get("exif")
    return JxlHeader(
        format="JXL",
        width=width,
        height=height,
        mode="grey" if mode.startswith(("L", "I", "F")) else "rgb",
        bit_depth=8,
        icc_profile=info.get("icc_profile"),
        exif=strip_prefix(exif) if exif else None,
    )


def decode_jxl(content: bytes, _header: Header) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), upright, uint8 or uint16.

    Raises:
        ImageError: It is animated, or has samples of another kind.
        ImageTruncatedError: The data are cut off or damaged.
    """
    try:
        pixels: np.ndarray = load_codecs().jpegxl_decode(content, numthreads=1)
    except (RuntimeError, ValueError) as error:
        raise damaged(f"its pixels cannot be decoded ({error})") from error
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim > 3:
        raise ImageError(
            f"is a JPEG XL image of {pixels.dtype} and shape {pixels.shape}; save one frame with 8 or 16 bits"
        )
    return pixels


def _read_size(stream: Stream) -> tuple[int, int]:
    bits = int.from_bytes(
        stream.read_at(_find_codestream(stream) + len(BARE), N_SIZE_HEADER, "its size"), "little"
    )

    def take(n_bits: int) -> int:
        nonlocal bits
        value, bits = bits & (1 << n_bits) - 1, bits >> n_bits
        return value

    is_small = take(1)

    def take_side() -> int:
        return 8 * (take(5) + 1) if is_small else take(BITS[take(2)]) + 1

    height = take_side()
    times, part = RATIOS[take(3)]
    return (height * times // part if times else take_side()), height


def _find_codestream(stream: Stream) -> int:
    if stream.read_at(0, 2, "its signature") == BARE:
        return 0
    offset = N_SIGNATURE
    for _ in range(MAX_BOXES):
        n_bytes, name = struct.unpack(">I4s", stream.read_at(offset, 8, "a box"))
        n_start = 8
        if n_bytes == 1:
            n_bytes, n_start = struct.unpack(">Q", stream.read_at(offset + 8, 8, "a box"))[0], 16
        if name in CODESTREAM:
            return offset + n_start + CODESTREAM[name]
        if n_bytes < n_start:
            break
        offset += n_bytes
    raise damaged("it has no codestream")
