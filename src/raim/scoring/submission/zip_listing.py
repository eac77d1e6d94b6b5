"""The files of a zip: every member, and everything that forbids reading one."""

import stat
from io import BufferedIOBase
from pathlib import Path

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import Finding, problem
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.member import Listing, Member, find_size_problems, find_total_problems
from raim.scoring.submission.member_names import decode_name, find_name_problems, split_name
from raim.scoring.submission.zip_directory import ZipEntry, read_directory
from raim.scoring.submission.zip_members import (
    AES,
    DEFLATED,
    ENCRYPTED,
    STORED,
    LocatedEntry,
    describe_method,
    find_overlaps,
    locate_entries,
)


def list_zip(file: BufferedIOBase, path: Path, limits: Limits) -> Listing:
    """List an open zip.

    Args:
        file: The zip, opened for reading in binary.
        path: Where it is; members are read from there later.
        limits: What is refused unread.
    """
    try:
        directory = read_directory(file, str(path), limits)
    except SubmissionError as error:
        return Listing(problems=error.problems)
    decoded = [decode_name(entry.raw_name, entry.flags) for entry in directory.entries]
    visible = [shown(name) for name, _ in decoded]
    located = locate_entries(file, directory, visible)
    problems = find_overlaps(located, visible, directory.offset)
    problems += find_total_problems(sum(entry.n_bytes for entry in directory.entries), limits)
    is_readable = not problems
    members = []
    for each, (name, undecodable) in zip(located, decoded, strict=True):
        found = [*([undecodable] if undecodable else []), *_find_entry_problems(each, name, limits)]
        problems += found
        if not name.endswith("/"):
            members.append(_zip_member(path, each, name, limits, is_readable=is_readable and not found))
    return Listing(members=tuple(members), problems=tuple(problems))


def _zip_member(path: Path, located: LocatedEntry, name: str, limits: Limits, *, is_readable: bool) -> Member:
    return Member(
        container=path,
        stored_name=name,
        parts=(name,) if find_name_problems(name) else split_name(name),
        n_bytes=located.entry.n_bytes,
        is_readable=is_readable,
        entry=located.entry,
        data_offset=located.data_offset or 0,
        max_bytes=limits.max_member_bytes,
    )


def _find_entry_problems(located: LocatedEntry, name: str, limits: Limits) -> list[Finding]:
    entry = located.entry
    return [
        *find_name_problems(name),
        *_find_type_problems(entry, name),
        *_find_packing_problems(entry, name),
        *find_size_problems(name, entry.n_bytes, limits),
        *_find_bombs(entry, name, limits),
        *([located.problem] if located.problem else []),
    ]


def _find_type_problems(entry: ZipEntry, name: str) -> list[Finding]:
    kind = stat.S_IFMT(entry.unix_mode)
    if kind == stat.S_IFLNK:
        text = f"{shown(name)} is a symbolic link; put the file itself into the zip"
        return [problem("symlink", text, name)]
    if kind not in (0, stat.S_IFREG) and not (kind == stat.S_IFDIR and name.endswith("/")):
        text = f"{shown(name)} is a device, pipe or socket; only files belong into the zip"
        return [problem("special-file", text, name)]
    return []


def _find_packing_problems(entry: ZipEntry, name: str) -> list[Finding]:
    if entry.flags & ENCRYPTED or entry.method == AES:
        text = f"{shown(name)} is encrypted; make the zip without a password"
        return [problem("encrypted", text, name)]
    if entry.method not in (STORED, DEFLATED):
        how = describe_method(entry.method)
        text = f"{shown(name)} is compressed with {how}; make the zip with Deflate, the ordinary method, or without"
        return [problem("unsupported-compression", text, name)]
    return []


def _find_bombs(entry: ZipEntry, name: str, limits: Limits) -> list[Finding]:
    packed = max(entry.packed_bytes, 1)
    if entry.n_bytes <= limits.ratio_from_bytes or entry.n_bytes <= limits.max_ratio * packed:
        return []
    text = (
        f"{shown(name)} claims to unpack from {entry.packed_bytes} to {entry.n_bytes} bytes, more than "
        f"{limits.max_ratio} times; images do not compress like that: save it as PNG or JPEG"
    )
    return [problem("zip-bomb", text, name)]
