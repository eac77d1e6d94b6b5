"""The EXIF block of a photograph: what it says of the pixels, and how it is made true of other pixels.

A block is changed in place and never packed again: maker notes hold offsets that count from its start.

Source: CIPA DC-008 (Exif 2.32), sections 4.5 to 4.6; TIFF Revision 6.0 (Adobe, 1992), section 2, for directories;
CIPA DC-009 (DCF 2.0), section 5.2.3, for Adobe RGB without a profile.
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

PREFIX = b"Exif\0\0"
UPRIGHT = 1
ORIENTATIONS = range(1, 9)
ORDERS = {b"II*\0": "<", b"MM\0*": ">"}  # little and big endian
# Of whole numbers, by type.
LETTERS = {1: "B", 2: "B", 3: "H", 4: "I", 6: "B", 7: "B", 8: "h", 9: "i", 13: "I"}
LONG = 4  # a type

WIDTH, HEIGHT, ORIENTATION, EXIF = 0x0100, 0x0101, 0x0112, 0x8769  # of the first directory
THUMBNAIL, THUMBNAIL_BYTES = 0x0201, 0x0202  # of the second one
COLOUR_SPACE, PIXELS_ACROSS, PIXELS_DOWN, INTEROPERABILITY = 0xA001, 0xA002, 0xA003, 0xA005  # of EXIF's own
INDEX, RELATED_WIDTH, RELATED_HEIGHT = 0x0001, 0x1001, 0x1002  # of the directory of interoperability
GPS = 0x8825
# Of the first directory: what it says of photograph and camera, and not of how the pixels are stored.
KEPT = frozenset({270, 271, 272, 282, 283, 296, 305, 306, 315, 33432})
UNCALIBRATED, OPTION_FILE = 0xFFFF, b"R03\0"

_Answer = TypeVar("_Answer")


class _Entry(NamedTuple):
    """One tag: type and number of its values, and the offset of its last four bytes (the value, or where it is)."""

    kind: int
    n_values: int
    offset: int


class _Directory(NamedTuple):
    """Its tags, and the offset of the pointer to the next one."""

    entries: dict[int, _Entry]
    pointer: int


class _Block:
    """A block that can be changed; whatever is not in it raises struct.error."""

    def __init__(self, block: bytes) -> None:
        if block[:4] not in ORDERS:
            raise struct.error("no TIFF structure")
        self.order = ORDERS[block[:4]]
        self.data = bytearray(block)
        self.first = self.read_directory(self.unpack("I", 4))

    def unpack(self, letter: str, offset: int) -> int:
        value: int = struct.unpack_from(self.order + letter, self.data, offset)[0]
        return value

    def pack(self, letters: str, offset: int, *values: int) -> None:
        struct.pack_into(self.order + letters, self.data, offset, *values)

    def read_directory(self, offset: int) -> _Directory:
        end = offset + 2 + 12 * self.unpack("H", offset)
        self.unpack("I", end)
        entries: dict[int, _Entry] = {}
        for start in range(offset + 2, end, 12):
            tag, kind, count = struct.unpack_from(self.order + "HHI", self.data, start)
            entries.setdefault(tag, _Entry(kind, count, start + 8))
        return _Directory(entries, end)

    def follow(self, directory: _Directory, tag: int) -> _Directory:
        """Read the directory that a tag leads to; an empty one where there is no such tag."""
        if tag not in directory.entries:
            return _Directory({}, 0)
        return self.read_directory(self.unpack("I", directory.entries[tag].offset))

    def number(self, directory: _Directory, tag: int) -> int | None:
        entry = directory.entries.get(tag)
        if entry is None or entry.n_values != 1 or entry.kind not in LETTERS:
            return None
        return self.unpack(LETTERS[entry.kind], entry.offset)


def strip_prefix(block: bytes | None) -> bytes | None:
    """Return a block without the mark "Exif" that JPEG files, and some writers of others, put before it."""
    return (block or b"").removeprefix(PREFIX) or None


def find_orientation(block: bytes | None) -> int:
    """Orientation that an EXIF block states; 1 if it states none or cannot be read.

    A damaged EXIF block does not make the pixels unusable, so viewers ignore it, and so does raim.
    """
    value = _ask(block, lambda exif: exif.number(exif.first, ORIENTATION), None)
    return value if value is not None and value in ORIENTATIONS else UPRIGHT


def is_adobe_rgb(block: bytes | None) -> bool:
    """Whether the block says that the pixels are Adobe RGB, as cameras do that embed no profile."""

    def look(exif: _Block) -> bool:
        own = exif.follow(exif.first, EXIF)
        index = exif.follow(own, INTEROPERABILITY).entries.get(INDEX)
        is_option = index is not None and exif.data[index.offset : index.offset + 4] == OPTION_FILE
        return is_option and exif.number(own, COLOUR_SPACE) == UNCALIBRATED

    return _ask(block, look, other=False)


def is_readable(block: bytes) -> bool:
    """Whether an EXIF block is a TIFF structure whose first directory can be read."""
    return _ask(block, lambda _: True, other=False)


def set_upright(block: bytes | None) -> bytes | None:
    """Return the same block with its orientation, if it states one, set to 1."""
    if block is None or find_orientation(block) == UPRIGHT:
        return block
    exif = _Block(block)
    entry = exif.first.entries[ORIENTATION]
    exif.pack("I", entry.offset, 0)
    exif.pack(LETTERS[entry.kind], entry.offset, UPRIGHT)
    return bytes(exif.data)


def set_pixels(block: bytes, width: int, height: int) -> bytes:
    """Return the block of other pixels: with their size, wherever it states one, and without a thumbnail."""
    if not is_readable(block):
        return block
    exif = _Block(block)
    _remove_thumbnail(exif)
    directories = [(exif.first, {WIDTH: width, HEIGHT: height})]
    try:
        own = exif.follow(exif.first, EXIF)
        directories.append((own, {PIXELS_ACROSS: width, PIXELS_DOWN: height}))
        related = exif.follow(own, INTEROPERABILITY)
        directories.append((related, {RELATED_WIDTH: width, RELATED_HEIGHT: height}))
    except struct.error:
        pass  # what cannot be reached states nothing
    for directory, sizes in directories:
        for tag in sizes.keys() & directory.entries.keys():
            exif.pack("HII", directory.entries[tag].offset - 6, LONG, 1, sizes[tag])
    return bytes(exif.data)


def read_tiff_exif(file: Any) -> bytes | None:
    """Read what a TIFF says of its photograph (its EXIF directory, maker, time, ...) as an EXIF block of its own."""
    from PIL import Image

    read, kept = Image.Exif(), Image.Exif()
    try:
        file.seek(0)
        read.load_from_fp(file)
        for tag in KEPT & set(read):
            kept[tag] = read[tag]
        for tag in (EXIF, GPS):
            directory = dict(read.get_ifd(tag))
            if INTEROPERABILITY in directory:
                directory[INTEROPERABILITY] = read.get_ifd(INTEROPERABILITY)
            if directory:
                kept[tag] = directory
        return kept.tobytes().removeprefix(PREFIX)
    except Exception:  # noqa: BLE001 - Pillow raises all kinds
        return None


def join_directories(tiff: bytes) -> bytes:
    """Join the directory of an EXIF block with that of the image which was appended to it as a TIFF."""
    exif = _Block(tiff)
    image = exif.first
    while exif.unpack("I", image.pointer):
        image = exif.read_directory(exif.unpack("I", image.pointer))
    kept = {tag: entry for tag, entry in exif.first.entries.items() if tag in KEPT or tag in (EXIF, GPS)}
    entries = {
        tag: tiff[entry.offset - 8 : entry.offset + 4] for tag, entry in (image.entries | kept).items()
    }
    exif.pack("I", 4, len(tiff))
    exif.pack("I", exif.first.pointer, 0)
    table = b"".join(entries[tag] for tag in sorted(entries))
    return bytes(exif.data) + struct.pack(f"{exif.order}H", len(entries)) + table + bytes(4)


def _remove_thumbnail(exif: _Block) -> None:
    second, n_exif = exif.unpack("I", exif.first.pointer), len(exif.data)
    exif.pack("I", exif.first.pointer, 0)
    try:
        directory = exif.read_directory(second) if second else exif.first
    except struct.error:
        return
    start, length = exif.number(directory, THUMBNAIL), exif.number(directory, THUMBNAIL_BYTES)
    if (
        start is None
        or length is None
        or start + length > n_exif
        or exif.data[start : start + 2] != b"\xff\xd8"
    ):
        return
    if start + length == n_exif:
        del exif.data[start:]
    else:
        exif.data[start : start + length] = bytes(length)


def _ask(block: bytes | None, question: Callable[[_Block], _Answer], other: _Answer) -> _Answer:
    """Answer a question about a block; `other` where there is none, or it cannot be read."""
    try:
        return other if block is None else question(_Block(block))
    except struct.error:
        return other
