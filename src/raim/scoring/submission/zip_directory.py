"""The table of members of a zip from somebody one does not trust.

Python's `zipfile` accepts what extractors read differently (data before and after, names cut at NUL, two members
over the same bytes), so the structure is read here, strictly. Only this table and each member's own header are
read; the memory it takes is limited before it is read.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 (table), 4.4 (fields), 4.5.3 (zip64).
"""

import struct
from dataclasses import dataclass
from io import BufferedIOBase

from raim.scoring.submission.limits import Limits
from raim.scoring.submission.zip_end import IN_ZIP64, ZipEnd, damaged, read_end

CENTRAL = struct.Struct("<4s6H3L5H2L")
CENTRAL_SIGNATURE = b"PK\x01\x02"
ZIP64_EXTRA = 0x0001


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEntry:
    """One row of the table of members.

    Attributes:
        raw_name: Name as it is stored, with NULs and all.
        flags: General purpose bits (0 encrypted, 3 sizes follow the data, 11 name in UTF-8).
        method: Compression: 0 stored, 8 Deflate.
        crc: CRC-32 of the content.
        packed_bytes: Size in the file.
        n_bytes: Declared size of the content.
        header_offset: Where the member's own header starts.
        unix_mode: File type and permission bits; 0 where the writing system has none.
    """

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_bytes: int
    n_bytes: int
    header_offset: int
    unix_mode: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipDirectory:
    """The table of members, and where it starts in the file."""

    entries: tuple[ZipEntry, ...]
    offset: int


def read_directory(file: BufferedIOBase, label: str, limits: Limits) -> ZipDirectory:
    """Read the table of members of an open zip.

    Args:
        file: Opened for reading in binary; must be seekable.
        label: Stands in messages.
        limits: `max_members` decides before the table is read.

    Raises:
        SubmissionError: It is no zip, or its structure is damaged, split, too large or contradicts itself.
    """
    end = read_end(file, label, limits)
    file.seek(end.table_offset)
    entries = _read_table(file.read(end.table_bytes), end, label)
    return ZipDirectory(entries=entries, offset=end.table_offset)


def _read_table(table: bytes, end: ZipEnd, label: str) -> tuple[ZipEntry, ...]:
    entries: list[ZipEntry] = []
    at = 0
    while at < len(table):
        entry, at = _read_entry(table, at, len(entries), label)
        entries.append(entry)
    if len(entries) != end.counts[1] or at != end.table_bytes:
        raise damaged(label, f"it declares {end.counts[1]} members and lists {len(entries)}")
    return tuple(entries)


def _read_entry(table: bytes, at: int, index: int, label: str) -> tuple[ZipEntry, int]:
    if len(table) - at < CENTRAL.size or table[at : at + 4] != CENTRAL_SIGNATURE:
        raise damaged(label, f"row {index + 1} of its table of members is not one")
    fields = CENTRAL.unpack_from(table, at)
    flags, method, crc = fields[3], fields[4], fields[7]
    name_at = at + CENTRAL.size
    extra_at = name_at + fields[10]
    comment_at = extra_at + fields[11]
    stop = comment_at + fields[12]
    if stop > len(table):
        raise damaged(label, f"row {index + 1} of its table of members is cut off")
    sizes = widen(table[extra_at:comment_at], (fields[9], fields[8], fields[16]))
    if sizes is None:
        raise damaged(label, f"row {index + 1} of its table of members lacks its zip64 sizes")
    entry = ZipEntry(
        raw_name=table[name_at:extra_at],
        flags=flags,
        method=method,
        crc=crc,
        n_bytes=sizes[0],
        packed_bytes=sizes[1],
        header_offset=sizes[2],
        unix_mode=fields[15] >> 16,
    )
    return entry, stop


def widen(extra: bytes, values: tuple[int, ...]) -> tuple[int, ...] | None:
    """Replace every value that says "see zip64" by the one in the zip64 extra field, in its fixed order.

    Args:
        extra: The extra fields of one header.
        values: 32-bit content size, packed size and (in the table) header offset.

    Returns:
        The values, or None if the extra field or one of its values is missing.
    """
    if IN_ZIP64 not in values:
        return values
    wide = _find_extra(extra, ZIP64_EXTRA)
    needed = values.count(IN_ZIP64)
    if wide is None or len(wide) < 8 * needed:
        return None
    stored = iter(struct.unpack_from(f"<{needed}Q", wide))
    return tuple(next(stored) if value == IN_ZIP64 else value for value in values)


def _find_extra(extra: bytes, kind: int) -> bytes | None:
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == kind:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return None
