"""One member of a zip: where its bytes lie, and reading them without believing what the headers say.

A member's own header must say the same as the table of members, and no two members may share bytes (the trick of
the zip bombs that unpack a petabyte from 10 MB). Reading counts every byte that comes out of Deflate against the
declared size, and checks the checksum at the end, so a lying header costs at most one chunk.

Source: PKWARE APPNOTE.TXT 6.3.10, section 4.3.7; David Fifield, "A better zip bomb" (2019), for overlaps.
"""

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import Finding, problem, submission_error
from raim.scoring.submission.zip_directory import ZipDirectory, ZipEntry, widen

LOCAL = struct.Struct("<4s5H3L2H")
LOCAL_SIGNATURE = b"PK\x03\x04"
ENCRYPTED = 0x0001
SIZES_FOLLOW = 0x0008
STORED = 0
DEFLATED = 8
AES = 99
CHUNK_BYTES = 2**18
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
    AES: "AES encryption",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LocatedEntry:
    """A member and where its packed bytes start; None if its own header is unusable, with the problem."""

    entry: ZipEntry
    data_offset: int | None
    problem: Finding | None = None


def locate_entries(
    file: BufferedIOBase, directory: ZipDirectory, names: Sequence[str]
) -> tuple[LocatedEntry, ...]:
    """Read each member's own header and compare it with the table; `names` are the printable names in its order."""
    return tuple(
        _locate(file, entry, directory.offset, name)
        for entry, name in zip(directory.entries, names, strict=True)
    )


def find_overlaps(located: Sequence[LocatedEntry], names: Sequence[str], table_offset: int) -> list[Finding]:
    """Find members that share bytes, and data before the first member: at most one problem of each kind."""
    spans = sorted(
        (
            each.entry.header_offset,
            (each.data_offset or each.entry.header_offset) + each.entry.packed_bytes,
            name,
        )
        for each, name in zip(located, names, strict=True)
    )
    problems = []
    first = spans[0][0] if spans else table_offset
    if first > 0:
        text = f"{first} bytes stand before the zip's first member; make an ordinary zip"
        problems.append(problem("extra-data", text))
    pairs = [(a, b) for a, b in itertools.pairwise(spans) if a[1] > b[0] or a[0] == b[0]]
    if pairs:
        one, other = pairs[0][0][2], pairs[0][1][2]
        text = f"{len(pairs) + 1} members share the same bytes of the zip ({one} and {other} are the first)"
        problems.append(
            problem("overlapping-members", f"{text}; make the zip again with an ordinary program")
        )
    return problems


def describe_method(method: int) -> str:
    """Name a compression method.

    Example:
        >>> describe_method(12)
        'bzip2 (method 12)'
    """
    return f"{METHODS.get(method, 'an unknown method')} (method {method})"


def stream_entry(file: BufferedIOBase, entry: ZipEntry, data_offset: int, name: str) -> Iterator[bytes]:
    """Unpack one member piece by piece.

    Yields:
        Pieces of at most 256 KiB; together never more than the declared size.

    Raises:
        SubmissionError: It unpacks to another size than declared, has another checksum or is damaged. Raised at
            the latest after the last piece, so what was yielded counts only when the iteration ends by itself.
    """
    file.seek(data_offset)
    pieces = _stored(file, entry, name) if entry.method == STORED else _inflated(file, entry, name)
    total, crc = 0, 0
    for piece in pieces:
        total += len(piece)
        if total > entry.n_bytes:
            raise _size_mismatch(entry, name, "more")
        crc = zlib.crc32(piece, crc)
        yield piece
    if total < entry.n_bytes:
        raise _size_mismatch(entry, name, f"only {total}")
    if crc != entry.crc:
        text = f"the content of {name} has the checksum {crc:08x}, the zip states {entry.crc:08x}; make the zip again"
        raise _error("checksum-mismatch", name, text)


def _locate(file: BufferedIOBase, entry: ZipEntry, table_offset: int, name: str) -> LocatedEntry:
    file.seek(entry.header_offset)
    header = file.read(LOCAL.size)
    if len(header) < LOCAL.size or not header.startswith(LOCAL_SIGNATURE):
        text = f"{name} has no header where the zip's table says; make the zip again"
        return LocatedEntry(entry=entry, data_offset=None, problem=problem("damaged-member", text, name))
    fields = LOCAL.unpack(header)
    raw_name = file.read(fields[9])
    extra = file.read(fields[10])
    data_offset = entry.header_offset + LOCAL.size + fields[9] + fields[10]
    differing = _contradictions(entry, fields, raw_name, extra)
    if differing:
        text = f"{name}: its own header has another {' and '.join(differing)} than the zip's table of members"
        found = problem("header-mismatch", f"{text}; make the zip again with an ordinary program", name)
        return LocatedEntry(entry=entry, data_offset=data_offset, problem=found)
    if data_offset + entry.packed_bytes > table_offset:
        text = f"{name} reaches into the zip's table of members; make the zip again"
        return LocatedEntry(
            entry=entry, data_offset=data_offset, problem=problem("damaged-member", text, name)
        )
    return LocatedEntry(entry=entry, data_offset=data_offset)


def _contradictions(entry: ZipEntry, fields: tuple[Any, ...], raw_name: bytes, extra: bytes) -> list[str]:
    differing = [] if raw_name == entry.raw_name else ["name"]
    if fields[3] != entry.method:
        differing.append("compression method")
    if (fields[2] ^ entry.flags) & ENCRYPTED:
        differing.append("encryption flag")
    sizes = widen(extra, (fields[8], fields[7]))
    stated = (entry.n_bytes, entry.packed_bytes)
    # With bit 3 the true values follow the data, and most programs leave zeros here (APPNOTE 4.4.4).
    follows = bool(fields[2] & SIZES_FOLLOW)
    if sizes != stated and not (follows and _are_left_open(sizes, stated)):
        differing.append("size")
    if fields[6] != entry.crc and not (follows and fields[6] == 0):
        differing.append("checksum")
    return differing


def _are_left_open(sizes: tuple[int, ...] | None, stated: tuple[int, int]) -> bool:
    return sizes is None or all(size in (0, true) for size, true in zip(sizes, stated, strict=True))


def _packed(file: BufferedIOBase, entry: ZipEntry, name: str) -> Iterator[bytes]:
    left = entry.packed_bytes
    while left:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise _error("damaged-member", name, f"{name} is cut off; make the zip again")
        left -= len(chunk)
        yield chunk


def _stored(file: BufferedIOBase, entry: ZipEntry, name: str) -> Iterator[bytes]:
    return _packed(file, entry, name)


def _inflated(file: BufferedIOBase, entry: ZipEntry, name: str) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for chunk in _packed(file, entry, name):
            waiting = chunk
            while waiting and not inflater.eof:
                yield inflater.decompress(waiting, CHUNK_BYTES)
                waiting = inflater.unconsumed_tail
        # The end of a match can wait inside zlib after the last packed byte was taken.
        while not inflater.eof and (piece := inflater.decompress(b"", CHUNK_BYTES)):
            yield piece
    except zlib.error as error:
        raise _error(
            "damaged-member", name, f"{name} cannot be unpacked ({error}); make the zip again"
        ) from error
    if not inflater.eof or inflater.unused_data:
        what = "goes on after its end" if inflater.eof else "ends early"
        raise _error("damaged-member", name, f"the packed data of {name} {what}; make the zip again")


def _size_mismatch(entry: ZipEntry, name: str, how_many: str) -> SubmissionError:
    text = f"{name} unpacks to {how_many} than the declared {entry.n_bytes} bytes; make the zip again"
    if how_many != "more":
        text = f"{name} unpacks to {how_many} of the declared {entry.n_bytes} bytes; make the zip again"
    return _error("size-mismatch", name, text)


def _error(code: str, name: str, text: str) -> SubmissionError:
    return submission_error(shown(name), [problem(code, text, name)])
