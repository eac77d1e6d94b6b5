"""Where a zip ends: the record that says how many members there are and where their table lies.

The file must end where the zip ends, and the table must lie directly before the end record: data before, between
or after are how one file means different things to different readers. What is no zip is named.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.14 to 4.3.16.
"""

import struct
from dataclasses import dataclass
from io import BufferedIOBase

from raim.errors import SubmissionError
from raim.scoring.submission.findings import problem, submission_error
from raim.scoring.submission.limits import Limits

END = struct.Struct("<4s4H2LH")
END_SIGNATURE = b"PK\x05\x06"
LOCATOR_64 = struct.Struct("<4sLQL")
LOCATOR_64_SIGNATURE = b"PK\x06\x07"
END_64 = struct.Struct("<4sQ2H2L4Q")
END_64_SIGNATURE = b"PK\x06\x06"
LONGEST_COMMENT = 0xFFFF
IN_ZIP64 = 0xFFFFFFFF
MANY_IN_ZIP64 = 0xFFFF
# A table row is 46 bytes, its name and extra fields; 1 KiB each is ample and bounds what is read.
ROW_BYTES = 1024
START_BYTES = 265  # up to and with tar's magic number

OTHER_FORMATS = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"\x1f\x8b", "a gzip file (.gz or .tar.gz)"),
    (0, b"BZh", "a bzip2 file"),
    (0, b"\xfd7zXZ\x00", "an xz file"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (257, b"ustar", "a tar archive"),
    (0, b"\x89PNG", "a single PNG image"),
    (0, b"\xff\xd8\xff", "a single JPEG image"),
    (0, b"PK\x07\x08PK\x03\x04", "a part of a split zip"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEnd:
    """What the end record (or its zip64 form) says.

    Attributes:
        position: Where the record stands.
        disks: Number of this part and of the part with the table; both 0.
        counts: Members in this part and in all; equal.
        table_bytes: Size of the table of members.
        table_offset: Where it starts.
    """

    position: int
    disks: tuple[int, int]
    counts: tuple[int, int]
    table_bytes: int
    table_offset: int


def read_end(file: BufferedIOBase, label: str, limits: Limits) -> ZipEnd:
    """Find and check the end record of an open zip.

    Raises:
        SubmissionError: It is no zip, or it is damaged, split, over the limits or has data around it.
    """
    end = _read_zip64(file, _find_end(file, label), label)
    _check_end(end, label, limits)
    return end


def damaged(label: str, what: str) -> SubmissionError:
    """Make the error for a zip whose structure is damaged."""
    text = f"the zip is damaged: {what}; make it again, or upload it again if it is whole on your side"
    return submission_error(label, [problem("damaged-archive", text)])


def name_other_format(start: bytes) -> str | None:
    r"""Name the format of a file that is not a zip, from its first 265 bytes; None if unknown.

    Example:
        >>> name_other_format(b"Rar!\x1a\x07\x01\x00")
        'a RAR archive'
    """
    for offset, magic, name in OTHER_FORMATS:
        if start[offset : offset + len(magic)] == magic:
            return name
    return None


def _find_end(file: BufferedIOBase, label: str) -> ZipEnd:
    n_bytes = file.seek(0, 2)
    file.seek(0)
    start = file.read(START_BYTES)
    other = name_other_format(start)
    tail_offset = max(0, n_bytes - END.size - LONGEST_COMMENT)
    file.seek(tail_offset)
    tail = file.read()
    found = tail.rfind(END_SIGNATURE)
    if found < 0 or len(tail) - found < END.size:
        raise _not_a_zip(label, n_bytes, other, starts_like_zip=start.startswith(b"PK\x03\x04"))
    _, disk, table_disk, count_here, count, table_bytes, table_offset, comment = END.unpack_from(tail, found)
    position = tail_offset + found
    surplus = n_bytes - position - END.size - comment
    if surplus > 0:
        text = f"{surplus} bytes follow the end of the zip; make the zip again with an ordinary program"
        raise submission_error(label, [problem("extra-data", text)])
    if surplus < 0:
        raise damaged(label, "its end record is cut off")
    return ZipEnd(
        position=position,
        disks=(disk, table_disk),
        counts=(count_here, count),
        table_bytes=table_bytes,
        table_offset=table_offset,
    )


def _not_a_zip(label: str, n_bytes: int, other: str | None, *, starts_like_zip: bool) -> SubmissionError:
    if other == "a part of a split zip":
        text = f"it is {other}; make one zip file without splitting"
        return submission_error(label, [problem("split-archive", text)])
    if starts_like_zip:
        return damaged(label, f"its end is missing after {n_bytes} bytes")
    what = other or ("an empty file" if n_bytes == 0 else "neither a zip nor another known archive")
    text = f"it is {what}; expected a zip file or a folder: pack the images and readme.txt into a .zip"
    return submission_error(label, [problem("not-an-archive", text)])


def _read_zip64(file: BufferedIOBase, end: ZipEnd, label: str) -> ZipEnd:
    """Replace the end record by its zip64 form if there is one; both must agree where both speak."""
    locator_at = end.position - LOCATOR_64.size
    if locator_at < 0:
        return end
    file.seek(locator_at)
    signature, disk, record_at, disks = LOCATOR_64.unpack(file.read(LOCATOR_64.size))
    if signature != LOCATOR_64_SIGNATURE:
        return end
    if disk != 0 or disks > 1:
        raise submission_error(label, [problem("split-archive", _split(disks))])
    if record_at + END_64.size > locator_at:
        raise damaged(label, "its zip64 end record lies outside the file")
    file.seek(record_at)
    signature, size, _, _, *values = END_64.unpack(file.read(END_64.size))
    # The record's size leaves out its first 12 bytes (APPNOTE 4.3.14.1).
    if signature != END_64_SIGNATURE or record_at + 12 + size != locator_at:
        raise damaged(label, "its zip64 end record is not where it must be")
    disk, table_disk, count_here, count, table_bytes, table_offset = values
    large = ZipEnd(
        position=record_at,
        disks=(disk, table_disk),
        counts=(count_here, count),
        table_bytes=table_bytes,
        table_offset=table_offset,
    )
    if not _agree(end, large):
        raise damaged(label, "its end record and its zip64 end record contradict each other")
    return large


def _agree(small: ZipEnd, large: ZipEnd) -> bool:
    pairs = [
        *zip(small.disks, large.disks, strict=True),
        *zip(small.counts, large.counts, strict=True),
    ]
    sizes = [(small.table_bytes, large.table_bytes), (small.table_offset, large.table_offset)]
    return all(a in (MANY_IN_ZIP64, b) for a, b in pairs) and all(a in (IN_ZIP64, b) for a, b in sizes)


def _split(disks: int) -> str:
    return f"it is one of {disks} parts of a split zip; make one zip file without splitting"


def _check_end(end: ZipEnd, label: str, limits: Limits) -> None:
    if end.disks != (0, 0) or end.counts[0] != end.counts[1]:
        raise submission_error(label, [problem("split-archive", _split(end.disks[0] + 1))])
    limit = limits.max_members
    if end.counts[1] > limit or end.table_bytes > limit * ROW_BYTES:
        text = (
            f"it holds {end.counts[1]} members; at most {limit} are read: pack only the images and readme.txt"
        )
        raise submission_error(label, [problem("too-many-members", text)])
    surplus = end.position - end.table_offset - end.table_bytes
    if surplus > 0:
        text = (
            f"{surplus} bytes stand before the zip's first member or after its table of members (a "
            "self-extracting archive?); make an ordinary zip"
        )
        raise submission_error(label, [problem("extra-data", text)])
    if surplus < 0:
        raise damaged(label, "its table of members lies outside the file")
