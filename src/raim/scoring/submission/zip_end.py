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
LOCATOR_64 = struct.Struct("<4sLQL")
END_64 = struct.Struct("<4sQ2H2L4Q")
END_64_REST = END_64.size - 12  # the size that the record states leaves out its first 12 bytes (4.3.14.1)
LONGEST_COMMENT = 0xFFFF
# Values of the end record that may say "see zip64": two numbers of disks, two counts, size and offset of the table.
SEE_ZIP64 = (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
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
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEnd:
    """Where the table of members starts and stops, and how many members it must have."""

    table_offset: int
    table_stop: int
    n_members: int


def read_end(file: BufferedIOBase, label: str, limits: Limits) -> ZipEnd:
    """Find and check the end record of an open zip; `label` stands in messages.

    Raises:
        SubmissionError: It is no zip, or it is damaged, split, over the limits or has data around it.
    """
    n_bytes = file.seek(0, 2)
    file.seek(max(0, n_bytes - END_64.size - LOCATOR_64.size - END.size - LONGEST_COMMENT))
    tail = file.read()
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < END.size:
        file.seek(0)
        raise _not_a_zip(label, n_bytes, file.read(START_BYTES))
    _, *values, comment = END.unpack_from(tail, found)
    surplus = len(tail) - found - END.size - comment
    if surplus > 0:
        text = f"{surplus} bytes follow the end of the zip; make the zip again with an ordinary program"
        raise submission_error(label, [problem("extra-data", text)])
    if surplus < 0:
        raise damaged(label, "its end record is cut off")
    position = n_bytes - len(tail) + found
    if found >= LOCATOR_64.size and tail.startswith(b"PK\x06\x07", found - LOCATOR_64.size):
        position -= END_64.size + LOCATOR_64.size
        values = _read_zip64(tail[:found], position, values, label)
    return _check_values(values, position, label, limits)


def damaged(label: str, what: str) -> SubmissionError:
    """Return the error for a zip whose structure is damaged."""
    text = f"the zip is damaged: {what}; make it again, or upload it again if it is whole on your side"
    return submission_error(label, [problem("damaged-archive", text)])


def _not_a_zip(label: str, n_bytes: int, start: bytes) -> SubmissionError:
    if start.startswith(b"PK\x07\x08"):
        text = "it is a part of a split zip; make one zip file without splitting"
        return submission_error(label, [problem("split-archive", text)])
    if start.startswith(b"PK\x03\x04"):
        return damaged(label, f"its end is missing after {n_bytes} bytes")
    known = [name for offset, magic, name in OTHER_FORMATS if start.startswith(magic, offset)]
    what = [*known, "neither a zip nor another known archive" if n_bytes else "an empty file"][0]
    text = f"it is {what}; expected a zip file or a folder: pack the images and readme.txt into a .zip"
    return submission_error(label, [problem("not-an-archive", text)])


def _read_zip64(before: bytes, position: int, small: list[int], label: str) -> list[int]:
    """Return the values of the zip64 end record, which must stand at `position` and agree with the end record."""
    _, disk, record_at, disks = LOCATOR_64.unpack(before[-LOCATOR_64.size :])
    if disk != 0 or disks > 1:
        raise _split(label, disks)
    record = before[-END_64.size - LOCATOR_64.size : -LOCATOR_64.size]
    if len(record) < END_64.size or record_at != position:
        raise damaged(label, "its zip64 end record is not where it must be")
    signature, size, _, _, *large = END_64.unpack(record)
    if signature != b"PK\x06\x06" or size != END_64_REST:
        raise damaged(label, "its zip64 end record is not where it must be")
    if any(a not in (b, most) for a, b, most in zip(small, large, SEE_ZIP64, strict=True)):
        raise damaged(label, "its end record and its zip64 end record contradict each other")
    return large


def _check_values(values: list[int], position: int, label: str, limits: Limits) -> ZipEnd:
    disk, table_disk, here, count, table_bytes, table_offset = values
    if (disk, table_disk) != (0, 0) or here != count:
        raise _split(label, disk + 1)
    limit = limits.max_members
    if count > limit or table_bytes > limit * ROW_BYTES:
        text = f"it holds {count} members; at most {limit} are read: pack only the images and readme.txt"
        raise submission_error(label, [problem("too-many-members", text)])
    surplus = position - table_offset - table_bytes
    if surplus > 0:
        text = (
            f"{surplus} bytes stand before the zip's first member or after its table of members (a "
            "self-extracting archive?); make an ordinary zip"
        )
        raise submission_error(label, [problem("extra-data", text)])
    if surplus < 0:
        raise damaged(label, "its table of members lies outside the file")
    return ZipEnd(table_offset=table_offset, table_stop=position, n_members=count)


def _split(label: str, disks: int) -> SubmissionError:
    text = f"it is one of {disks} parts of a split zip; make one zip file without splitting"
    return submission_error(label, [problem("split-archive", text)])
