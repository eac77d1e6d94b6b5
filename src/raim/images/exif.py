"""The EXIF block of an image: its orientation, read and set upright.

Source: CIPA DC-008 (Exif 2.32), section 4.6: a TIFF structure, orientation is tag 0x0112 of its first directory.
"""

import io
import struct

from raim.errors import ImageError
from raim.images.stream import Stream
from raim.images.tiff.directory import Entry, Layout, read_directory, read_layout, read_number

ORIENTATION = 0x0112
PREFIX = b"Exif\0\0"
UPRIGHT = 1
ORIENTATIONS = range(1, 9)


def strip_prefix(block: bytes) -> bytes:
    r"""Take the "Exif" mark off that JPEG files (and some writers of other formats) put before the block.

    Example:
        >>> strip_prefix(b"Exif\0\0MM")
        b'MM'
    """
    return block.removeprefix(PREFIX)


def find_orientation(block: bytes | None) -> int:
    """Give the orientation that an EXIF block states; 1 if it states none or cannot be read.

    A damaged EXIF block does not make the pixels unusable, so viewers ignore it, and so does raim.

    Example:
        >>> find_orientation(bytes.fromhex("49492a0008000000 0100 1201 0300 01000000 06000000 00000000"))
        6
    """
    if block is None:
        return UPRIGHT
    stream = _open(block)
    try:
        layout = read_layout(stream)
        directory = read_directory(stream, layout, layout.first)
        value = read_number(stream, directory, ORIENTATION, UPRIGHT)
    except ImageError:
        return UPRIGHT
    entry = directory.entries.get(ORIENTATION)
    return value if entry and entry.count == 1 and value in ORIENTATIONS else UPRIGHT


def is_readable(block: bytes) -> bool:
    r"""Say whether an EXIF block is a TIFF structure whose first directory can be read.

    Example:
        >>> is_readable(b"II*\0\x08\0\0\0" + bytes(6)), is_readable(b"II*\0\xff")
        (True, False)
    """
    stream = _open(block)
    try:
        layout = read_layout(stream)
        read_directory(stream, layout, layout.first)
    except ImageError:
        return False
    return not layout.is_big


def set_upright(block: bytes | None) -> bytes | None:
    """Give the same block with its orientation, if it states one, set to 1."""
    if block is None or find_orientation(block) == UPRIGHT:
        return block
    stream = _open(block)
    layout = read_layout(stream)
    entry = read_directory(stream, layout, layout.first).entries[ORIENTATION]
    return block[: entry.offset] + _encode_upright(layout, entry) + block[entry.offset + 4 :]


def _encode_upright(layout: Layout, entry: Entry) -> bytes:
    letter = {3: "H", 4: "I"}.get(entry.kind, "B")
    return struct.pack(layout.order + letter, UPRIGHT).ljust(4, b"\0")


def _open(block: bytes) -> Stream:
    return Stream(file=io.BytesIO(block), n_bytes=len(block))
