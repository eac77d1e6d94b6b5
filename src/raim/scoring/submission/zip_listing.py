"""The files of a zip: the table of members, read by Python's `zipfile`, and everything that forbids reading one.

What `zipfile` accepts and extractors read differently is looked for: data before or after, counts and places that
contradict each other, a row that is cut off. What is no zip is named.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 (a row of the table) and 4.3.14 to 4.3.16 (its end).
"""

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import Finding, problem, submission_error
from raim.scoring.submission.member import (
    ArchiveMember,
    Limits,
    Listing,
    find_size_problems,
    find_total_problems,
)
from raim.scoring.submission.member_names import StoredName, read_name, split_name
from raim.scoring.submission.zip_members import ENCRYPTED, PATCHED, UTF8_NAME, find_overlaps, locate

END = struct.Struct("<4s4H2LH")
LOCATOR_64 = struct.Struct("<4sLQL")
END_64 = struct.Struct("<4sQ2H2L4Q")
END_64_REST = END_64.size - 12  # the size that the record states leaves out its first 12 bytes (4.3.14.1)
# Values of the end record that may say "see zip64": two numbers of disks, two counts, size and offset of the table.
SEE_ZIP64 = (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
LONGEST_END = END_64.size + LOCATOR_64.size + END.size + 0xFFFF  # with a comment
# A table row is 46 bytes, its name and extra fields; 1 KiB each is ample and bounds what is read.
ROW_BYTES = 1024
START_BYTES = 265  # up to and with tar's magic number
DAMAGE = (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError)
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
AES = 99
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}


class BoundedFile(io.BufferedReader):
    """A file of which `zipfile` cannot read more at once than a table of members within the limits has."""

    def __init__(self, path: Path, limits: Limits) -> None:
        super().__init__(path.open("rb", buffering=0))
        self._limits = limits

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as every file does, or refuse what no table of members within the limits needs."""
        if (size or 0) > max(self._limits.max_members * ROW_BYTES, 2 * LONGEST_END):
            raise _too_many(self._limits, f"a table of {size} bytes")
        return super().read(size)


def read_zip_table(file: io.BufferedReader, limits: Limits) -> tuple[list[zipfile.ZipInfo], int]:
    """Return the rows of the table of members and where it starts."""
    try:
        if not zipfile.is_zipfile(file):
            raise _not_a_zip(file)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Empty unicode path")  # of Python 3.13; `read_name` refuses it
            with zipfile.ZipFile(file) as archive:
                rows, start = archive.infolist(), archive.start_dir
        if len(rows) > limits.max_members:
            raise _too_many(limits, f"{len(rows)} members")
        _check_end(file, len(rows), start)
    except UnicodeDecodeError as error:
        name = error.object.decode("cp437")
        text = f"the name {shown(name)} claims to be UTF-8 and is not; pack again with a program that writes UTF-8"
        raise _refusal("name-encoding", text, name) from error
    except SubmissionError:  # a ValueError, too
        raise
    except DAMAGE as error:
        if "multiple disks" in str(error):
            raise _split() from error
        raise _damaged(f"its table of members cannot be read ({shown(str(error))})") from error
    return rows, start


def _check_end(file: io.BufferedReader, n_rows: int, start: int) -> None:
    """Check that the end of a zip states the table that was read, and stands between that and the end of the file."""
    stop = start
    for _ in range(n_rows):
        file.seek(stop + 28)
        stop += 46 + sum(struct.unpack("<3H", file.read(6)))  # lengths of name, extra fields and comment
    file.seek(stop)
    tail = file.read(LONGEST_END + 1)
    true = [0, 0, n_rows, n_rows, stop - start, start]
    at = END_64.size + LOCATOR_64.size if tail.startswith(b"PK\x06\x06") else 0
    signature, *stated, n_comment = END.unpack_from(tail, at)
    surplus = len(tail) - at - END.size - n_comment
    if signature != b"PK\x05\x06" or surplus < 0:
        raise _damaged("its table of members or its end record is cut off")
    if surplus > 0:
        text = f"{surplus} bytes follow the end of the zip; make the zip again with an ordinary program"
        raise _refusal("extra-data", text)
    if at:
        _, size, _, _, *large = END_64.unpack_from(tail)
        _, disk, position, disks = LOCATOR_64.unpack_from(tail, END_64.size)
        agrees = all(a in (b, most) for a, b, most in zip(stated, large, SEE_ZIP64, strict=True))
        if not agrees or (size, disk, position) != (END_64_REST, 0, stop) or disks > 1:
            raise _damaged("its end record and its zip64 end record contradict each other")
        stated = large
    if any(stated[:2]) or stated[2] != stated[3]:
        raise _split()
    if stated[3] != n_rows:
        raise _damaged(f"it declares {stated[3]} members and lists {n_rows}")
    if stated[5] < start:
        text = f"{start - stated[5]} bytes stand before the zip's first member or its table of members"
        raise _refusal("extra-data", f"{text} (a self-extracting archive?); make an ordinary zip")
    if stated != true:
        raise _damaged("its table of members is not where its end record says")


def _refusal(code: str, text: str, name: str | None = None) -> SubmissionError:
    return submission_error("the zip", [problem(code, text, name)])


def _not_a_zip(file: io.BufferedReader) -> SubmissionError:
    n_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(START_BYTES)
    if start.startswith(b"PK\x07\x08"):
        return _split()
    if start.startswith(b"PK\x03\x04"):
        return _damaged(f"its end is missing after {n_bytes} bytes")
    known = [name for offset, magic, name in OTHER_FORMATS if start.startswith(magic, offset)]
    what = [*known, "neither a zip nor another known archive" if n_bytes else "an empty file"][0]
    text = f"it is {what}; expected a zip file or a folder: pack the files into a .zip"
    return _refusal("not-an-archive", text)


def _damaged(what: str) -> SubmissionError:
    way_out = "make it again, or upload it again if it is whole on your side"
    return _refusal("damaged-archive", f"the zip is damaged: {what}; {way_out}")


def _split() -> SubmissionError:
    return _refusal("split-archive", "it is one part of a split zip; make one zip file without splitting")


def _too_many(limits: Limits, what: str) -> SubmissionError:
    text = f"it holds {what}; at most {limits.max_members} members are read: pack only the files that belong to it"
    return _refusal("too-many-members", text)


def list_zip(path: Path, limits: Limits) -> Listing:
    """List a zip."""
    with BoundedFile(path, limits) as file:
        try:
            rows, table_offset = read_zip_table(file, limits)
        except SubmissionError as error:
            return Listing(problems=error.problems)
        names = [read_name(_raw_name(row), row.flag_bits, row.extra) for row in rows]
        visible = [shown(name.text) for name in names]
        located = [
            locate(file, row, name.raw, printable, table_offset)
            for row, name, printable in zip(rows, names, visible, strict=True)
        ]
    starts, stops = [row.header_offset for row in rows], [packed.stop for packed, _ in located]
    problems = find_overlaps(starts, stops, visible)
    problems += find_total_problems(sum(row.file_size for row in rows), limits)
    members, of_all = [], tuple(problems)
    for row, name, (packed, unlocated) in zip(rows, names, located, strict=True):
        found = (*_find_problems(row, name, limits), *unlocated)
        if name.text.endswith("/"):
            problems += found
            continue
        member = ArchiveMember(
            container=path,
            stored_name=name.text,
            parts=(name.text,) if name.problems else split_name(name.text),
            n_bytes=row.file_size,
            problems=(*of_all, *found),
            entry=packed,
            raw_name=name.raw if name.is_guessed else b"",
        )
        members.append(member)
    return Listing(members=tuple(members), problems=tuple(problems))


def _raw_name(row: zipfile.ZipInfo) -> bytes:
    """Return a name as it is stored, with NULs and all."""
    return row.orig_filename.encode("utf-8" if row.flag_bits & UTF8_NAME else "cp437")


def _find_problems(row: zipfile.ZipInfo, stored: StoredName, limits: Limits) -> Iterator[Finding]:
    """Find what forbids reading a member by its row: name, kind, encryption, compression, sizes."""
    name, printable, kind = stored.text, shown(stored.text), stat.S_IFMT(row.external_attr >> 16)
    yield from stored.problems
    if kind == stat.S_IFLNK:
        yield problem("symlink", f"{printable} is a symbolic link; put the file itself into the zip", name)
    elif kind not in (0, stat.S_IFREG) and not (kind == stat.S_IFDIR and name.endswith("/")):
        text = f"{printable} is a device, pipe or socket; only files belong into the zip"
        yield problem("special-file", text, name)
    if row.flag_bits & ENCRYPTED or row.compress_type == AES:
        yield problem("encrypted", f"{printable} is encrypted; make the zip without a password", name)
    elif row.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or row.flag_bits & PATCHED:
        method = METHODS.get(row.compress_type, f"method {row.compress_type}")
        how = "patches of other files" if row.flag_bits & PATCHED else method
        text = f"{printable} is compressed with {how}; make the zip with Deflate, the ordinary method, or without"
        yield problem("unsupported-compression", text, name)
    yield from find_size_problems(name, row.file_size, limits)
    if row.file_size > max(limits.ratio_from_bytes, limits.max_ratio * max(row.compress_size, 1)):
        text = (
            f"{printable} claims to unpack from {row.compress_size} to {row.file_size} bytes, more than "
            f"{limits.max_ratio} times; images do not compress like that: save it as PNG or JPEG"
        )
        yield problem("zip-bomb", text, name)
