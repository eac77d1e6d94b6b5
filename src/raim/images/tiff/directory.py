"""Directories of TIFF structures: tags and their values, of TIFF files, BigTIFF files and EXIF blocks.

Source: TIFF Revision 6.0 (Adobe, 1992), section 2; BigTIFF as in libtiff's `tiff.h`.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from raim.errors import ImageError
from raim.images.stream import Stream, damaged

Order = Literal["<", ">"]  # little and big endian, as struct and numpy write them
ORDERS: dict[bytes, Order] = {b"II": "<", b"MM": ">"}
# Type -> (struct letter, bytes); floating and rational values are never needed here and read as bytes.
TYPES = {1: "B", 2: "B", 3: "H", 4: "I", 6: "B", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
MAX_VALUES = 1_000_000  # an image of 120 megapixels in strips of one row has far fewer
N_BYTES = {"B": 1, "H": 2, "h": 2, "I": 4, "i": 4, "Q": 8, "q": 8}


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How numbers and directories are written: byte order, and ordinary (32-bit offsets) or BigTIFF."""

    order: Order
    is_big: bool
    first: int

    @property
    def word(self) -> str:
        """The struct letter of an offset."""
        return "Q" if self.is_big else "I"

    @property
    def n_entry(self) -> int:
        """Bytes of one entry."""
        return 20 if self.is_big else 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One tag: where its value is, and how to read it."""

    kind: int
    count: int
    offset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """Tags of one page, and where the next page's directory starts (0: there is none)."""

    layout: Layout
    entries: Mapping[int, Entry]
    next_offset: int


def read_layout(stream: Stream) -> Layout:
    """Read the first bytes of a TIFF structure.

    Raises:
        ImageError: It is no TIFF structure, or ends early.
    """
    start = stream.read_at(0, 8, "its TIFF header")
    order = ORDERS.get(start[:2])
    version = struct.unpack(f"{order}H", start[2:4])[0] if order else 0
    if order is None or version not in (42, 43):
        raise ImageError(f"has no TIFF header (it begins with {start[:4]!r}); save it again")
    if version == 42:
        return Layout(order=order, is_big=False, first=struct.unpack(f"{order}I", start[4:])[0])
    if struct.unpack(f"{order}HH", start[4:]) != (8, 0):
        raise damaged("its BigTIFF header is not as defined")
    first = struct.unpack(f"{order}Q", stream.read_at(8, 8, "its BigTIFF header"))[0]
    return Layout(order=order, is_big=True, first=first)


def read_directory(stream: Stream, layout: Layout, offset: int) -> Directory:
    """Read one directory; values stay where they are.

    Raises:
        ImageTruncatedError: The file ends before it does.
    """
    letter = "Q" if layout.is_big else "H"
    n_count = struct.calcsize(letter)
    count = struct.unpack(layout.order + letter, stream.read_at(offset, n_count, "a directory"))[0]
    n_table = count * layout.n_entry
    data = stream.read_at(offset + n_count, n_table + struct.calcsize(layout.word), "a directory")
    record = layout.order + ("HHQ" if layout.is_big else "HHI")
    entries: dict[int, Entry] = {}
    for start in range(0, n_table, layout.n_entry):
        tag, kind, n_values = struct.unpack_from(record, data, start)
        value_at = offset + n_count + start + struct.calcsize(record)
        entries.setdefault(tag, Entry(kind=kind, count=n_values, offset=value_at))
    next_offset = struct.unpack_from(layout.order + layout.word, data, n_table)[0]
    return Directory(layout=layout, entries=entries, next_offset=next_offset)


def read_values(stream: Stream, directory: Directory, tag: int) -> tuple[int, ...]:
    """Read the whole numbers of a tag; none if the tag is absent.

    Raises:
        ImageTruncatedError: They are not in the file, or of a type that is no whole number.
    """
    entry = directory.entries.get(tag)
    if entry is None:
        return ()
    if entry.count > MAX_VALUES:
        raise damaged(f"its TIFF tag {tag} has {entry.count} values")
    data = read_value_bytes(stream, directory, tag)
    return struct.unpack(f"{directory.layout.order}{entry.count}{_letter(entry, tag)}", data)


def read_number(stream: Stream, directory: Directory, tag: int, default: int | None = None) -> int:
    """Read the single whole number of a tag.

    Raises:
        ImageTruncatedError: It is missing without a default, or cannot be read.
    """
    values = read_values(stream, directory, tag)
    if values:
        return values[0]
    if default is None:
        raise damaged(f"its TIFF tag {tag} is missing")
    return default


def read_value_bytes(stream: Stream, directory: Directory, tag: int) -> bytes:
    """Read the value of a tag as it is stored.

    Raises:
        ImageTruncatedError: It is not in the file, or of a type that is no whole number.
    """
    entry = directory.entries[tag]
    layout = directory.layout
    n_bytes = entry.count * N_BYTES[_letter(entry, tag)]
    offset = entry.offset
    n_word = struct.calcsize(layout.word)
    if n_bytes > n_word:  # longer values stand elsewhere
        pointer = stream.read_at(offset, n_word, f"TIFF tag {tag}")
        offset = struct.unpack(layout.order + layout.word, pointer)[0]
    return stream.read_at(offset, n_bytes, f"TIFF tag {tag}")


def _letter(entry: Entry, tag: int) -> str:
    if entry.kind not in TYPES:
        raise damaged(f"its TIFF tag {tag} has type {entry.kind}, expected whole numbers")
    return TYPES[entry.kind]
