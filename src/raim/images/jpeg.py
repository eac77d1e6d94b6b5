"""JPEG: its segments up to the first scan, decoding and encoding.

Pixels are bit for bit those of libjpeg-turbo's default (accurate integer DCT, smooth chroma upsampling). libjpeg fills
what is missing with grey and only counts a warning, which Pillow, OpenCV and imagecodecs pass over; TurboJPEG's
interface (simplejpeg) reports it, so a damaged or cut-off file is an error here.

Source: ITU-T T.81, annex B (markers, frame header B.2.2, markers within scans B.1.1); ICC.1:2022 annex B.4 (profile in
APP2).
"""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from raim.errors import ImageError
from raim.images.exif import PREFIX, find_orientation
from raim.images.header import Header, Stream, cut_off, damaged, decoding, make_stream
from raim.images.picture import PixelMode

MAX_SEGMENTS = 10_000  # a profile of 3 MB takes 50
FILL_BLOCK = 2**16  # bytes looked at together
SCAN = 0xDA
END = 0xD9
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length: TEM, RSTn, SOI
# Frame headers (SOFn) that libjpeg-turbo decodes: baseline, extended, progressive, and these with arithmetic coding.
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
OTHER_FRAMES = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})  # lossless, hierarchical
MODES: dict[int, PixelMode] = {1: "grey", 3: "rgb", 4: "cmyk"}
PROFILE_MARK = b"ICC_PROFILE\0"
# In coded data a byte FF is followed by 0, by a restart marker or by a fill byte; anything else is the next marker.
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Each scan is a pass over the whole picture: a small file with thousands of them would take hours.
# Progressive files have about 10, the optimisers' up to 20.
MAX_SCANS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class JpegHeader(Header):
    """The header of a JPEG; `scan` is the offset of its first scan's marker."""

    scan: int


def parse_jpeg(stream: Stream) -> JpegHeader:
    """Read the segments of a JPEG up to the first scan."""
    frame, exif, profile = b"", list[bytes](), list[bytes]()
    for marker, offset, n_bytes in walk_segments(stream, 2):
        if marker == SCAN:
            return _make_header(frame, exif, join_profile(profile), offset - 4)
        if marker in OTHER_FRAMES:
            kind = f"lossless or hierarchical JPEG (SOF{marker - 0xC0})"
            raise ImageError(f"is a {kind}; save it as an ordinary JPEG or PNG")
        if marker in FRAMES:
            if frame:
                raise damaged("it has two frame headers (SOF)")
            frame = stream.read_at(offset, n_bytes, "its frame header (SOF)")
        elif marker == 0xE1:
            data = stream.read_at(offset, n_bytes, "its EXIF")
            exif += [data.removeprefix(PREFIX)] if data.startswith(PREFIX) else []
        elif marker == 0xE2:
            data = stream.read_at(offset, n_bytes, "its colour profile")
            profile += [data] if data.startswith(PROFILE_MARK) else []
    raise damaged("it has no scan")


def walk_segments(stream: Stream, offset: int) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset of the content and its length of the segments, up to a scan or the end of the image."""
    for _ in range(MAX_SEGMENTS):
        prefix, marker = stream.read_at(offset, 2, "a segment")
        if prefix == 0xFF and marker == 0xFF:
            offset = _skip_fill(stream, offset)
            marker = stream.read_at(offset + 1, 1, "a segment")[0]
        if prefix != 0xFF or marker == 0:
            raise damaged(f"there is no segment at byte {offset}")
        offset += 2
        if marker in ALONE:
            continue
        if marker == END:
            yield marker, offset, 0
            return
        n_bytes = struct.unpack(">H", stream.read_at(offset, 2, "a segment"))[0] - 2
        if n_bytes < 0:
            raise damaged(f"the segment at byte {offset} has no length")
        yield marker, offset + 2, n_bytes
        offset += 2 + n_bytes
        if marker == SCAN:
            return
    raise damaged(f"it has more than {MAX_SEGMENTS:,} segments")


def _skip_fill(stream: Stream, offset: int) -> int:
    """Find the last of the bytes FF that begin there: those before it are fill bytes (B.1.1.2)."""
    while True:
        block = stream.read_at(offset, max(1, min(FILL_BLOCK, stream.n_bytes - offset)), "a segment")
        rest = block.lstrip(b"\xff")
        offset += len(block) - len(rest)
        if rest:
            return offset - 1


def join_profile(parts: Sequence[bytes]) -> bytes | None:
    """Join the profile that spans segments (APP2, beginning with PROFILE_MARK); None where there is none."""
    start, found, n_parts = len(PROFILE_MARK), dict[int, bytes](), 0
    for part in parts:
        if len(part) > start + 2:
            n_parts = part[start + 1]
            found.setdefault(part[start], part[start + 2 :])
    if found and sorted(found) != list(range(1, n_parts + 1)):
        raise damaged(f"its colour profile has parts {sorted(found)} of {n_parts}")
    return b"".join(found[number] for number in sorted(found)) if found else None


def _make_header(frame: bytes, exif: list[bytes], profile: bytes | None, scan: int) -> JpegHeader:
    if len(frame) < 6:
        raise damaged("it has no frame header (SOF) before its scan")
    bit_depth, height, width, n_components = struct.unpack(">BHHB", frame[:6])
    if bit_depth != 8:
        raise ImageError(
            f"has {bit_depth} bits per sample, JPEGs of 8 are read; save it as 16-bit PNG or TIFF"
        )
    if n_components not in MODES:
        raise damaged(f"it has {n_components} components, expected 1 or 3")
    block = exif[0] if exif else None
    return JpegHeader(
        format="JPEG",
        width=width,
        height=height,
        mode=MODES[n_components],
        bit_depth=bit_depth,
        orientation=find_orientation(block),
        icc_profile=profile,
        exif=block,
        warnings=("it has several EXIF blocks; the first counts",) if len(exif) > 1 else (),
        scan=scan,
    )


def decode_jpeg(content: bytes, header: JpegHeader) -> np.ndarray:
    """Decode to (h, w) or (h, w, 3) uint8."""
    import simplejpeg  # type: ignore[import-untyped]  # it has stubs but no py.typed

    end = find_end(content, header.scan)
    colours = "GRAY" if header.mode == "grey" else "RGB"
    with decoding("its pixels"):
        pixels: np.ndarray = simplejpeg.decode_jpeg(memoryview(content)[:end], colorspace=colours)
    return pixels[..., 0] if header.mode == "grey" else pixels


def find_end(content: bytes, scan: int) -> int:
    """Find the offset after the image's end marker; telephones put previews and gain maps behind it."""
    stream = make_stream(content)
    offset = scan
    for _ in range(MAX_SCANS + 1):
        for marker, start, n_bytes in walk_segments(stream, offset):
            if marker == END:
                return start
            if marker == SCAN:
                following = NEXT_MARKER.search(content, start + n_bytes)
                if following is None:
                    raise cut_off("its end marker", len(content) + 2, len(content))
                offset = following.start()
    raise damaged(f"it has more than {MAX_SCANS} scans")
