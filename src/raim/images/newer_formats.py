"""AVIF, HEIF (HEIC) and JPEG XL, for restoring: headers as Pillow's plug-ins read them, pixels by their own libraries.

AVIF comes with Pillow and imagecodecs (libavif); HEIF (libheif) and JPEG XL (libjxl) with extras, whose libraries turn
and mirror the pixels themselves, as the file says. The size of a JPEG XL is read here: libjxl says it after decoding.

Source: AV1 Image File Format 1.2 (AOMedia, 2024), with the boxes `colr` and `av1C`; ISO/IEC 23008-12 (HEIF); ITU-T
H.273 for codes of colour spaces; ISO/IEC 18181-1, D.2 (size header of JPEG XL); 18181-2 (boxes).
"""

import io
import re
import struct
from typing import Any

import numpy as np

from raim.errors import ImageError
from raim.images.colour import find_coded
from raim.images.exif import find_orientation, strip_prefix
from raim.images.header import Header, Stream, damaged, decoding, load_codecs
from raim.images.picture import MAX_PIXELS, PixelMode

CODES, CONFIGURATION = b"colrnclx", b"av1C"  # of AVIF: a box's name, and what follows it
HIGH, TWELVE = 0x40, 0x20  # flags of the depth
# Of HEIF.
MODES: dict[str, PixelMode] = {"L": "grey", "LA": "grey-alpha", "RGB": "rgb", "RGBA": "rgba", "I": "grey"}
N_BYTES = 4  # of a box's length, before its name
# A box of an item (infe) up to its type: version 2 has an identifier of 2 bytes, version 3 of 4.
ITEM = re.compile(rb"infe(?:\x02.{7}|\x03.{9})", re.DOTALL)
BARE = b"\xff\x0a"  # a JPEG XL without boxes
N_SIGNATURE = 12  # of one with boxes
CODESTREAM = {b"jxlc": 0, b"jxlp": 4}  # box -> bytes before the codestream
MAX_BOXES = 1000
N_SIZE_HEADER = 16  # more than it can be
BITS = (9, 13, 18, 30)  # of a side
# Of width to height; the first: none.
RATIOS = ((0, 1), (1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def parse_avif(stream: Stream) -> Header:
    """Read the header of an AVIF without decoding its pixels."""
    from PIL import AvifImagePlugin

    content = stream.read_at(0, stream.n_bytes, "its content")
    with decoding("its header"):
        image = AvifImagePlugin.AvifImageFile(io.BytesIO(content))
    if image.n_frames > 1:
        raise ImageError("is an animated AVIF; save one frame as an ordinary AVIF or PNG")
    place = content.find(CODES) + len(CODES)
    codes = struct.unpack_from(">HH", content, place) if place >= len(CODES) else (2, 2)
    exif = strip_prefix(image.info.get("exif"))
    return Header(
        format="AVIF",
        width=image.width,
        height=image.height,
        mode="rgba" if image.mode == "RGBA" else "rgb",
        bit_depth=_find_depth(content),
        space=None if "icc_profile" in image.info else find_coded(*codes),
        orientation=find_orientation(exif),  # Pillow puts the file's own rotation there
        icc_profile=image.info.get("icc_profile"),
        exif=exif,
    )


def decode_avif(content: bytes, header: Header) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), uint8 or, of 10 and 12 bits, uint16."""
    with decoding("its pixels"):
        pixels: np.ndarray = load_codecs().avif_decode(content, numthreads=1)
    if pixels.dtype == np.uint8:
        return pixels
    most = 2**header.bit_depth - 1
    return ((pixels.astype(np.uint32) * 65535 + most // 2) // most).astype(np.uint16)


def _find_depth(content: bytes) -> int:
    place = content.find(CONFIGURATION)
    flags = content[place + 6] if 0 <= place < len(content) - 6 else 0
    return (12 if flags & TWELVE else 10) if flags & HIGH else 8


def parse_heif(stream: Stream) -> Header:
    """Read the header of a HEIF's primary picture; its size is that of the upright pixels."""
    image = _open(stream.read_at(0, stream.n_bytes, "its content"))
    codes = image.info.get("nclx_profile") or {}
    profile = image.info.get("icc_profile")
    primaries, transfer = (codes.get(f"{key}", 2) for key in ("color_primaries", "transfer_characteristics"))
    return Header(
        format="HEIF",
        width=image.size[0],
        height=image.size[1],
        mode=MODES.get(image.mode.partition(";")[0], "rgb"),
        bit_depth=image.info.get("bit_depth", 8),
        space=None if profile else find_coded(int(primaries), int(transfer)),
        icc_profile=profile or None,
        exif=strip_prefix(image.info.get("exif")),
        warnings=(f"it holds {len(image)} pictures; the primary one was read",) if len(image) > 1 else (),
    )


def decode_heif(content: bytes, header: Header) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), upright, uint8 or, of 10 and 12 bits, uint16."""
    with decoding("its pixels"):
        pixels = np.array(_open(content))  # a copy: the image's own memory goes with it
        return np.ascontiguousarray(pixels[:, : header.width])  # rows may be filled up


def _open(content: bytes) -> Any:
    """Open the primary picture; its pixels are decoded once they are asked for."""
    try:
        import pi_heif
    except ImportError as error:
        raise ImageError(
            "is a HEIF image (HEIC); pip install 'raim[heif]' to read it, or save it as PNG, JPEG, TIFF or WebP"
        ) from error
    _check_items(content)
    with decoding("its header"):
        image = pi_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=False)
    if len(image) == 0:
        raise damaged("it holds no picture")
    return image


def _check_items(content: bytes) -> None:
    """Refuse items whose type or name is no text: pi-heif ends the process at one."""
    meta = content.find(b"meta") - N_BYTES
    header = content[max(0, meta) : meta + int.from_bytes(content[max(0, meta) : meta + N_BYTES])]
    for found in ITEM.finditer(header):
        start = found.start() - N_BYTES
        text = header[found.end() : start + int.from_bytes(header[start : start + N_BYTES])]
        with decoding("the type of an item"):
            text.decode()


def parse_jxl(stream: Stream) -> Header:
    """Read the size of a JPEG XL file and, where it can be decoded, what it says of its colours."""
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
        with decoding("its content"):
            image = JpegXLImagePlugin.JXLImageFile(io.BytesIO(content))
        info, mode = image.info, image.mode
    return Header(
        format="JXL",
        width=width,
        height=height,
        mode="grey" if mode.startswith(("L", "I", "F")) else "rgb",
        bit_depth=8,
        icc_profile=info.get("icc_profile"),
        exif=strip_prefix(info.get("exif")),
    )


def decode_jxl(content: bytes, _header: Header) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), upright, uint8 or uint16."""
    with decoding("its pixels"):
        pixels: np.ndarray = load_codecs().jpegxl_decode(content, numthreads=1)
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim > 3:
        raise ImageError(
            f"is a JPEG XL image of {pixels.dtype} and shape {pixels.shape}; save one frame with 8 or 16 bits"
        )
    return pixels


def _read_size(stream: Stream) -> tuple[int, int]:
    start = _find_codestream(stream) + len(BARE)
    bits = int.from_bytes(stream.read_at(start, N_SIZE_HEADER, "its size"), "little")

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
