"""The files of a zip: every member, and everything that forbids reading one."""

import stat
import zipfile
from pathlib import Path

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import Finding, problem
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.member import Listing, Member, find_size_problems, find_total_problems
from raim.scoring.submission.member_names import StoredName, read_name, split_name
from raim.scoring.submission.zip_members import ENCRYPTED, PATCHED, UTF8_NAME, find_overlaps, locate
from raim.scoring.submission.zip_table import BoundedFile, read_zip_table

AES = 99
METHODS = {
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "xz",
    98: "PPMd",
}


def list_zip(path: Path, limits: Limits) -> Listing:
    """List a zip.

    Args:
        path: Where it is; members are read from there later.
        limits: What is refused unread.

    Raises:
        OSError: It cannot be opened or read.
    """
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
        member = Member(
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
        how = (
            "patches of other files"
            if row.flag_bits & PATCHED
            else METHODS.get(row.compress_type, f"method {row.compress_type}")
        )
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
