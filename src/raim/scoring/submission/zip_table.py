"""The table of members of a zip, read by Python's `zipfile`, and the end of the zip, which must state just that table.

What `zipfile` accepts and extractors read differently is looked for: data before or after, counts and places that
contradict each other, a row that is cut off. What is no zip is named.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 (a row of the table) and 4.3.14 to 4.3.16 (its end).
"""

import io
import struct
import warnings
import zipfile
from pathlib import Path

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import problem, submission_error
from raim.scoring.submission.limits import Limits

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
    """Return the rows of the table of members and where it starts.

    Raises:
        SubmissionError: It is no zip, or is damaged, split, over the limits or has data around it.
    """
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
