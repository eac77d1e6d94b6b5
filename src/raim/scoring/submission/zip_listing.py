"""The files of a zip: every member, and everything that forbids reading one.

The table of members is read by Python's `zipfile` once the end of the zip is found sound; what that accepts and
extractors read differently (data around, shared bytes, names with NULs, headers that lie) is looked for here.
"""

import stat
import struct
import warnings
import zipfile
from io import BufferedIOBase
from pathlib import Path

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import Finding, problem, submission_error
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.member import Listing, Member, find_size_problems, find_total_problems
from raim.scoring.submission.member_names import StoredName, read_name, split_name
from raim.scoring.submission.zip_end import ZipEnd, damaged, read_end
from raim.scoring.submission.zip_members import ENCRYPTED, PATCHED, UTF8_NAME, find_overlaps, locate

AES = 99
METHODS = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "xz",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
}
DAMAGE = (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OverflowError)


def list_zip(file: BufferedIOBase, path: Path, limits: Limits) -> Listing:
    """List an open zip.

    Args:
        file: The zip, opened for reading in binary.
        path: Where it is; members are read from there later.
        limits: What is refused unread.
    """
    try:
        end = read_end(file, str(path), limits)
        rows = _read_table(file, str(path), end)
    except SubmissionError as error:
        return Listing(problems=error.problems)
    names = [read_name(_raw_name(row), row.flag_bits, row.extra) for row in rows]
    visible = [shown(name.text) for name in names]
    located = [
        locate(file, row, name.raw, printable, end.table_offset)
        for row, name, printable in zip(rows, names, visible, strict=True)
    ]
    starts, stops = [row.header_offset for row in rows], [packed.stop for packed, _ in located]
    problems = find_overlaps(starts, stops, visible)
    problems += find_total_problems(sum(row.file_size for row in rows), limits)
    is_sound = not problems
    members = []
    for row, name, (packed, unlocated) in zip(rows, names, located, strict=True):
        found = _find_problems(row, name, limits) + ([unlocated] if unlocated else [])
        problems += found
        if not name.text.endswith("/"):
            member = Member(
                container=path,
                stored_name=name.text,
                parts=(name.text,) if name.problems else split_name(name.text),
                n_bytes=row.file_size,
                is_readable=is_sound and not found,
                entry=packed,
                max_bytes=limits.max_member_bytes,
                raw_name=name.raw if name.is_guessed else b"",
            )
            members.append(member)
    return Listing(members=tuple(members), problems=tuple(problems))


def describe_method(method: int) -> str:
    """Name a compression method.

    Example:
        >>> describe_method(12)
        'bzip2 (method 12)'
    """
    return f"{METHODS.get(method, 'an unknown method')} (method {method})"


def _read_table(file: BufferedIOBase, label: str, end: ZipEnd) -> list[zipfile.ZipInfo]:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Empty unicode path")  # of Python 3.13; `read_name` refuses it
            with zipfile.ZipFile(file) as archive:
                rows = archive.infolist()
    except UnicodeDecodeError as error:
        name = error.object.decode("cp437")
        text = f"the name {shown(name)} claims to be UTF-8 and is not; pack again with a program that writes UTF-8"
        raise submission_error(label, [problem("name-encoding", text, name)]) from error
    except DAMAGE as error:
        raise damaged(label, f"its table of members cannot be read ({shown(str(error))})") from error
    if len(rows) != end.n_members:
        raise damaged(label, f"it declares {end.n_members} members and lists {len(rows)}")
    if rows:
        # zipfile takes what is there of a last row that is cut off; its lengths are stated 28 bytes from its start.
        found = sum(map(len, (_raw_name(rows[-1]), rows[-1].extra, rows[-1].comment)))
        file.seek(end.table_stop - found - 46 + 28)
        if sum(struct.unpack("<3H", file.read(6))) != found:
            raise damaged(label, "its table of members is cut off")
    return rows


def _raw_name(row: zipfile.ZipInfo) -> bytes:
    """Return a name as it is stored, with NULs and all."""
    return row.orig_filename.encode("utf-8" if row.flag_bits & UTF8_NAME else "cp437")


def _find_problems(row: zipfile.ZipInfo, name: StoredName, limits: Limits) -> list[Finding]:
    return [
        *name.problems,
        *_find_type_problems(stat.S_IFMT(row.external_attr >> 16), name.text),
        *_find_packing_problems(row, name.text),
        *find_size_problems(name.text, row.file_size, limits),
        *_find_bombs(row, name.text, limits),
    ]


def _find_type_problems(kind: int, name: str) -> list[Finding]:
    if kind == stat.S_IFLNK:
        text = f"{shown(name)} is a symbolic link; put the file itself into the zip"
        return [problem("symlink", text, name)]
    if kind not in (0, stat.S_IFREG) and not (kind == stat.S_IFDIR and name.endswith("/")):
        text = f"{shown(name)} is a device, pipe or socket; only files belong into the zip"
        return [problem("special-file", text, name)]
    return []


def _find_packing_problems(row: zipfile.ZipInfo, name: str) -> list[Finding]:
    if row.flag_bits & ENCRYPTED or row.compress_type == AES:
        text = f"{shown(name)} is encrypted; make the zip without a password"
        return [problem("encrypted", text, name)]
    if row.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or row.flag_bits & PATCHED:
        how = "patches of other files" if row.flag_bits & PATCHED else describe_method(row.compress_type)
        text = f"{shown(name)} is compressed with {how}; make the zip with Deflate, the ordinary method, or without"
        return [problem("unsupported-compression", text, name)]
    return []


def _find_bombs(row: zipfile.ZipInfo, name: str, limits: Limits) -> list[Finding]:
    packed = max(row.compress_size, 1)
    if row.file_size <= limits.ratio_from_bytes or row.file_size <= limits.max_ratio * packed:
        return []
    text = (
        f"{shown(name)} claims to unpack from {row.compress_size} to {row.file_size} bytes, more than "
        f"{limits.max_ratio} times; images do not compress like that: save it as PNG or JPEG"
    )
    return [problem("zip-bomb", text, name)]
