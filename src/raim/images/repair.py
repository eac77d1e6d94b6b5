"""JPEG and PNG files that are damaged around their pixels, rewritten so that they can be read as strictly as others.

What libjpeg and libpng pass over is left out: stray bytes between markers, trailers, a profile with missing parts,
ancillary chunks with a wrong checksum. A missing end is added. Whether all pixels are there is found by decoding the
result, which allows no warning; a progressive JPEG without its end must also have every bit of every coefficient.

Source: ITU-T T.81, annex B and G.1.1 (what the scans of a progressive JPEG hold); PNG (Third Edition), section 5.
"""

import re
import zlib
from collections.abc import Iterator

from raim.errors import ImageTruncatedError
from raim.images.jpeg import (
    ALONE,
    END,
    FRAMES,
    MAX_SCANS,
    MAX_SEGMENTS,
    NEXT_MARKER,
    PROFILE_MARK,
    SCAN,
    join_profile,
)
from raim.images.png import SIGNATURE, make_chunk

START_OF_JPEG, END_OF_JPEG = b"\xff\xd8", b"\xff\xd9"
MARKER = re.compile(rb"\xff+[^\x00\xff]")  # as libjpeg finds the next one
PROGRESSIVE = frozenset({0xC2, 0xCA})
PROFILE = 0xE2
N_PART = 2 + len(PROFILE_MARK) + 2  # length, mark, number of the part and of all
# Tables, comments, metadata.
BETWEEN_SCANS = frozenset({SCAN, 0xC4, 0xCC, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
STRAY = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
NO_END = "its end marker is missing; look whether its last rows are right if other data follow its pixels"

Segment = tuple[int, bytes]  # marker, and what follows it


def repair(content: bytes, error: ImageTruncatedError) -> tuple[bytes, tuple[str, ...]]:
    """Return a damaged file written again, and what was left out or added; the same error where pixels are missing."""
    if content.startswith(START_OF_JPEG):
        return _repair_jpeg(content, error)
    if content.startswith(SIGNATURE):
        return _repair_png(content)
    raise error


def trim_scan(content: bytes, error: ImageTruncatedError) -> bytes:
    """Take away the bytes between the pixels of a repaired JPEG and its end marker that libjpeg complains of."""
    stray = STRAY.search(str(error))
    if stray is None or not content.endswith(END_OF_JPEG):
        raise error
    return content[: -2 - int(stray[1])] + END_OF_JPEG


def _repair_jpeg(content: bytes, error: ImageTruncatedError) -> tuple[bytes, tuple[str, ...]]:
    segments, n_stray, has_end = _walk_jpeg(content)
    warnings = [f"it has {n_stray} stray bytes, which were passed over"] if n_stray else []
    if not has_end:
        if not _is_complete(segments):
            raise error
        warnings.append(NO_END)
    kept, was_dropped = _keep_profile(segments)
    if was_dropped:
        warnings.append(
            "its colour profile is damaged, empty or there twice; what cannot be used was left out"
        )
    body = b"".join(bytes([0xFF, marker]) + data for marker, data in kept)
    return START_OF_JPEG + body + END_OF_JPEG, tuple(warnings)


def _keep_profile(segments: list[Segment]) -> tuple[list[Segment], bool]:
    """Keep each part of a profile once, or none where parts are missing; say whether any was dropped."""
    kept: list[Segment] = []
    numbers = set()
    for segment in segments:
        number = segment[1][N_PART - 2 : N_PART - 1]
        if not _is_part(segment) or (len(segment[1]) > N_PART and number not in numbers):
            kept.append(segment)
            numbers |= {number} if _is_part(segment) else set()
    try:
        join_profile([data[2:] for marker, data in kept if _is_part((marker, data))])
    except ImageTruncatedError:
        kept = [segment for segment in kept if not _is_part(segment)]
    return kept, len(kept) < len(segments)


def _is_part(segment: Segment) -> bool:
    return segment[0] == PROFILE and segment[1][2:].startswith(PROFILE_MARK)


def _walk_jpeg(content: bytes) -> tuple[list[Segment], int, bool]:
    """Find the segments as libjpeg does, the stray bytes between them, and whether an end marker follows them."""
    segments: list[Segment] = []
    offset, n_stray, n_scans = len(START_OF_JPEG), 0, 0
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(content, offset)
        marker = END if found is None else found[0][-1]
        if found is None or marker == END or (n_scans and marker not in BETWEEN_SCANS):
            return segments, n_stray, found is not None and marker == END
        n_stray += found.start() - offset
        offset = found.end()
        if marker in ALONE:
            continue
        end = offset + int.from_bytes(content[offset : offset + 2])
        if not offset + 2 <= end <= len(content) or n_scans > MAX_SCANS:
            break
        if marker == SCAN:
            following = NEXT_MARKER.search(content, end)
            end, n_scans = (len(content) if following is None else following.start()), n_scans + 1
        segments.append((marker, content[offset:end]))
        offset = end
        if marker == SCAN and _is_complete(segments, may_go_on=False):
            following = MARKER.search(content, end)
            return segments, n_stray, following is not None and following[0][-1] == END
    return segments, n_stray, False


def _is_complete(segments: list[Segment], *, may_go_on: bool = True) -> bool:
    """Whether the scans hold every component and, of a progressive JPEG, every bit of every coefficient.

    A progressive JPEG may go on nevertheless: scans may be sent again.
    """
    frames = [(marker, data) for marker, data in segments if marker in FRAMES]
    if len(frames) != 1 or len(frames[0][1]) < 8:
        return False
    kind, frame = frames[0]
    if kind in PROGRESSIVE and not may_go_on:
        return False
    n_places = 64 if kind in PROGRESSIVE else 1
    needed = {(each, place) for each in frame[8 : 8 + 3 * frame[7] : 3] for place in range(n_places)}
    return bool(needed) and needed <= set(_find_finished(segments, n_places))


def _find_finished(segments: list[Segment], n_places: int) -> Iterator[tuple[int, int]]:
    """Find component and place of the coefficients whose last bit is in some scan."""
    for marker, data in segments:
        n_components = data[2] if marker == SCAN and len(data) > 2 else 0
        parameters = data[3 + 2 * n_components : 6 + 2 * n_components]
        if n_components and len(parameters) == 3 and parameters[2] & 15 == 0:
            places = range(parameters[0], parameters[1] + 1) if n_places > 1 else range(1)
            for component in data[3 : 3 + 2 * n_components : 2]:
                yield from ((component, place) for place in places)


def _repair_png(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    chunks, warnings, offset = [], [], len(SIGNATURE)
    while offset + 12 <= len(content):
        end = offset + 12 + int.from_bytes(content[offset : offset + 4])
        name, data = content[offset + 4 : offset + 8], content[offset + 8 : end - 4]
        if end > len(content) or name == b"IEND":
            break
        is_ancillary = bool(name[0] & 0x20) and name != b"tRNS"
        is_whole = zlib.crc32(name + data) == int.from_bytes(content[end - 4 : end])
        if is_ancillary and not is_whole:
            warnings.append(f"its chunk {name.decode('ascii', 'replace')} is damaged and was left out")
        else:
            chunks.append(content[offset:end])
        offset = end
    else:
        warnings.append("its end chunk (IEND) is missing")
    return SIGNATURE + b"".join(chunks) + make_chunk(b"IEND", b""), tuple(warnings)
