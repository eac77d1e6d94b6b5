"""HEIF (HEIC), for restoring, with libheif: the extra `heif` brings it, in a wheel that decodes only (pi-heif).

libheif turns and mirrors the pixels itself, as the file says; what its EXIF says of that has been done then.

Source: ISO/IEC 23008-12 (HEIF); ITU-T H.273 for the codes of its colour space.
"""

import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from raim.errors import ImageError
from raim.images.colour import find_coded
from raim.images.exif import strip_prefix
from raim.images.header import Header
from raim.images.picture import Mode
from raim.images.stream import Stream, damaged

MODES: dict[str, Mode] = {"L": "grey", "LA": "grey-alpha", "RGB": "rgb", "RGBA": "rgba", "I": "grey"}

N_BYTES = 4  # of a box's length, before its name
# A box of an item (infe) up to its type: version 2 has an identifier of 2 bytes, version 3 of 4.
ITEM = re.compile(rb"infe(?:\x02.{7}|\x03.{9})", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeifHeader(Header):
    """The header of a HEIF's primary picture; its size is that of the upright pixels."""


def parse_heif(stream: Stream) -> HeifHeader:
    """Read the header of a HEIF without decoding its pixels.

    Raises:
        ImageError: The extra `heif` is not installed, or it has HDR pixels.
        ImageTruncatedError: It cannot be read.
    """
    image = _open(stream.read_at(0, stream.n_bytes, "its content"))
    codes = image.info.get("nclx_profile") or {}
    profile, exif = image.info.get("icc_profile"), image.info.get("exif")
    primaries, transfer = (codes.get(f"{key}", 2) for key in ("color_primaries", "transfer_characteristics"))
    return HeifHeader(
        format="HEIF",
        width=image.size[0],
        height=image.size[1],
        mode=MODES.get(image.mode.partition(";")[0], "rgb"),
        bit_depth=image.info.get("bit_depth", 8),
        space=None if profile else find_coded(int(primaries), int(transfer)),
        icc_profile=profile or None,
        exif=strip_prefix(exif) if exif else None,
        warnings=(f"it holds {len(image)} pictures; the primary one was read",) if len(image) > 1 else (),
    )


def decode_heif(content: bytes, header: Header) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), upright, uint8 or, of 10 and 12 bits, uint16.

    Raises:
        ImageTruncatedError: The data are cut off or damaged.
    """
    try:
        image = _open(content)
        pixels = np.array(image)  # a copy: the image's own memory goes with it
        return np.ascontiguousarray(pixels[:, : header.width])  # rows may be filled up
    except (RuntimeError, ValueError, EOFError, SyntaxError, OSError) as error:
        raise damaged(f"its pixels cannot be decoded ({error})") from error


def _open(content: bytes) -> Any:
    """Open the primary picture; its pixels are decoded once they are asked for."""
    try:
        import pi_heif
    except ImportError as error:
        raise ImageError(
            "is a HEIF image (HEIC); pip install 'raim[heif]' to read it, or save it as PNG, JPEG, TIFF or WebP"
        ) from error
    _check_items(content)
    try:
        image = pi_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=False)
    except (RuntimeError, ValueError, EOFError, SyntaxError, OSError) as error:
        raise damaged(f"its header cannot be read ({error})") from error
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
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise damaged("it has an item of an impossible type") from error
