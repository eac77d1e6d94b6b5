"""One member of a zip: where its bytes lie, and reading them without believing what the headers say.

A member's own header must say the same as the table of members, and no two members may share bytes (the trick of
the zip bombs that unpack a petabyte from 10 MB). Python's `zipfile` reads the table and looks at neither. Its
reading of members wants the table read again by each process and each member and stops at the declared size, so
zlib is used as it is.

Source: PKWARE APPNOTE.TXT 6.3.10, section 4.3.7; David Fifield, "A better zip bomb" (2019), for overlaps.
"""

import itertools
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any
from zipfile import ZIP_DEFLATED, ZipInfo

from raim.errors import SubmissionError, shown
from raim.scoring.submission.findings import Finding, problem, submission_error

LOCAL = struct.Struct("<4s5H3L2H")
ENCRYPTED = 0x0041  # bits 0 and 6
PATCHED = 0x0020
SIZES_FOLLOW = 0x0008
UTF8_NAME = 0x0800
SEE_ZIP64 = 0xFFFFFFFF
ZIP64_EXTRA = 0x0001
LEAST_PACKED_BYTES = 1024  # twice the content and this is more than Deflate ever needs


@dataclass(frozen=True, kw_only=True, slots=True)
class PackedContent:
    """Where the content of a member lies in its zip, and what must come out."""

    start: int  # where the packed bytes start
    n_bytes: int  # how many they are
    crc: int  # CRC-32 of the content
    is_deflated: bool  # whether they are packed with Deflate; else they are the content

    @property
    def stop(self) -> int:
        """Where the packed bytes end."""
        return self.start + self.n_bytes


def locate(
    file: BufferedIOBase, info: ZipInfo, raw_name: bytes, name: str, table_offset: int
) -> tuple[PackedContent, list[Finding]]:
    """Return where a member's content lies by its own header, and what forbids reading it."""
    file.seek(info.header_offset)
    header = file.read(LOCAL.size)
    start, found = info.header_offset, []
    if len(header) == LOCAL.size and header.startswith(b"PK\x03\x04"):
        fields = LOCAL.unpack(header)
        own_name, extra = file.read(fields[9]), file.read(fields[10])
        start += LOCAL.size + fields[9] + fields[10]
        if differing := _find_contradictions(info, raw_name, fields, own_name, extra):
            text = f"{name}: its own header has another {' and '.join(differing)} than the zip's table of members"
            found = [problem("header-mismatch", f"{text}; make the zip again with an ordinary program", name)]
        elif start + info.compress_size > table_offset:
            text = f"{name} reaches into the zip's table of members; make the zip again"
            found = [problem("damaged-member", text, name)]
    else:
        text = f"{name} has no header where the zip's table says; make the zip again"
        found = [problem("damaged-member", text, name)]
    is_deflated = info.compress_type == ZIP_DEFLATED
    return PackedContent(
        start=start, n_bytes=info.compress_size, crc=info.CRC, is_deflated=is_deflated
    ), found


def find_overlaps(starts: Sequence[int], stops: Sequence[int], names: Sequence[str]) -> list[Finding]:
    """Find members that share bytes, and data before the first member: at most one problem of each kind."""
    spans = sorted(zip(starts, stops, names, strict=True))
    problems = []
    if spans and spans[0][0] > 0:
        text = f"{spans[0][0]} bytes stand before the zip's first member; make an ordinary zip"
        problems.append(problem("extra-data", text))
    pairs = [(a, b) for a, b in itertools.pairwise(spans) if a[1] > b[0] or a[0] == b[0]]
    if pairs:
        one, other = pairs[0][0][2], pairs[0][1][2]
        text = f"{len(pairs) + 1} members share the same bytes of the zip ({one} and {other} are the first)"
        problems.append(
            problem("overlapping-members", f"{text}; make the zip again with an ordinary program")
        )
    return problems


def unpack_content(file: BufferedIOBase, packed: PackedContent, n_bytes: int, name: str) -> bytes:
    """Return the content of a member, which must have its declared size and checksum; no more is unpacked."""
    if packed.n_bytes > 2 * n_bytes + LEAST_PACKED_BYTES:
        raise _error("size-mismatch", name, f"{name} is packed into far more than its {n_bytes} bytes")
    file.seek(packed.start)
    content = file.read(packed.n_bytes)
    if len(content) < packed.n_bytes:
        raise _error("damaged-member", name, f"{name} is cut off")
    if packed.is_deflated:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflater.decompress(content, n_bytes + 1)
        except zlib.error as error:
            raise _error("damaged-member", name, f"{name} cannot be unpacked ({error})") from error
        if len(content) <= n_bytes and (not inflater.eof or inflater.unused_data):
            what = "goes on after its end" if inflater.eof else "ends early"
            raise _error("damaged-member", name, f"the packed data of {name} {what}")
    if len(content) != n_bytes:
        found = (
            f"more than the declared {n_bytes}"
            if len(content) > n_bytes
            else f"only {len(content)} of {n_bytes}"
        )
        raise _error("size-mismatch", name, f"{name} unpacks to {found} bytes")
    if (crc := zlib.crc32(content)) != packed.crc:
        text = f"the content of {name} has the checksum {crc:08x}, the zip states {packed.crc:08x}"
        raise _error("checksum-mismatch", name, text)
    return content


def find_extra(extra: bytes, kind: int) -> bytes | None:
    """Return the content of the first extra field of a kind (4.5); None if there is none."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == kind:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return None


def _find_contradictions(
    info: ZipInfo, raw_name: bytes, fields: tuple[Any, ...], own_name: bytes, extra: bytes
) -> list[str]:
    flags, method, crc, *sizes = fields[2], fields[3], fields[6], fields[8], fields[7]
    # With bit 3 the true values follow the data, and most programs leave zeros here (4.4.4).
    left_open = (0,) if flags & SIZES_FOLLOW else ()
    if SEE_ZIP64 in sizes:
        wide = find_extra(extra, ZIP64_EXTRA) or b""
        stored = (int.from_bytes(wide[at : at + 8], "little") for at in (0, 8))
        sizes = [next(stored) if size == SEE_ZIP64 else size for size in sizes]
    stated = (info.file_size, info.compress_size)
    found = {
        "name": own_name != raw_name,
        "encoding of the name": (flags ^ info.flag_bits) & UTF8_NAME and not raw_name.isascii(),
        "compression method": method != info.compress_type,
        "encryption flag": (flags ^ info.flag_bits) & ENCRYPTED,
        "size": any(size not in (true, *left_open) for size, true in zip(sizes, stated, strict=True)),
        "checksum": crc not in (info.CRC, *left_open),
    }
    return [what for what, differs in found.items() if differs]


def _error(code: str, name: str, text: str) -> SubmissionError:
    return submission_error(shown(name), [problem(code, f"{text}; make the zip again", name)])
