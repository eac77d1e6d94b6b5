"""WebP: its chunks, the size that its image data themselves state, and decoding with libwebp.

Source: RFC 9649, sections 2.3 to 2.7 (containers) and 3.4 (lossless header); RFC 6386, section 9.1 (VP8 frame header).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from raim.errors import ImageError
from raim.images.exif import find_orientation, strip_prefix
from raim.images.header import Header, Span, Stream, damaged, decoding, load_codecs

MAX_CHUNKS = 10_000
MAX_METADATA = 64 << 20
N_RIFF = 12
FRAMES = (b"VP8 ", b"VP8L")


@dataclass(frozen=True, kw_only=True, slots=True)
class WebpHeader(Header):
    """The header of a WebP; `end` is the offset after its last chunk."""

    end: int


def parse_webp(stream: Stream) -> WebpHeader:
    """Read the chunks of a WebP without decoding its pixels."""
    end = 8 + struct.unpack("<I", stream.read_at(4, 4, "its RIFF header"))[0]
    if end > stream.n_bytes:
        stream.read_at(0, end, "its RIFF content")
    chunks: dict[bytes, Span] = {}
    for name, span in _walk(stream, end):
        if name in (b"ANIM", b"ANMF"):
            raise ImageError("is an animated WebP; save one frame as an ordinary WebP or PNG")
        chunks.setdefault(name, span)
    width, height, has_alpha = _read_frame(stream, chunks)
    _check_canvas(stream, chunks, (width, height))
    profile = _read_metadata(stream, chunks, b"ICCP")
    exif = strip_prefix(_read_metadata(stream, chunks, b"EXIF"))
    return WebpHeader(
        format="WEBP",
        width=width,
        height=height,
        mode="rgba" if has_alpha or b"ALPH" in chunks else "rgb",
        bit_depth=8,
        orientation=find_orientation(exif),
        icc_profile=profile,
        exif=exif,
        end=end,
    )


def _walk(stream: Stream, end: int) -> Iterator[tuple[bytes, Span]]:
    offset = N_RIFF
    for _ in range(MAX_CHUNKS):
        if offset + 8 > end:
            return
        name, n_bytes = struct.unpack("<4sI", stream.read_at(offset, 8, "a chunk"))
        span = Span(offset=offset + 8, n_bytes=n_bytes)
        if span.end > end:
            raise damaged(f"chunk {name!r} reaches to byte {span.end}, its RIFF content to {end}")
        yield name, span
        offset = span.end + n_bytes % 2  # chunks begin at even offsets
    raise damaged(f"it has more than {MAX_CHUNKS:,} chunks")


def _read_frame(stream: Stream, chunks: dict[bytes, Span]) -> tuple[int, int, bool]:
    """Read width, height and whether there is alpha from the image data's own header."""
    present = [name for name in FRAMES if name in chunks]
    if len(present) != 1:
        raise damaged(f"it has {len(present)} images, expected 1")
    span = chunks[present[0]]
    if span.n_bytes < 10:
        raise damaged(f"its image data are {span.n_bytes} bytes long")
    data = stream.read_at(span.offset, 10, "its image data")
    if present[0] == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        if data[0] != 0x2F or bits >> 29:
            raise damaged("its lossless header is not as defined")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    if data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        raise damaged("its image data do not begin with a key frame")
    width, height = struct.unpack("<HH", data[6:])
    return width & 0x3FFF, height & 0x3FFF, False


def _check_canvas(stream: Stream, chunks: dict[bytes, Span], size: tuple[int, int]) -> None:
    if b"VP8X" not in chunks:
        return
    if chunks[b"VP8X"].n_bytes < 10:
        raise damaged("its header (VP8X) is too short")
    data = stream.read_at(chunks[b"VP8X"].offset, 10, "its header (VP8X)")
    canvas = (int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1)
    if data[0] & 0b10:
        raise ImageError("is an animated WebP; save one frame as an ordinary WebP or PNG")
    if canvas != size:
        raise damaged(f"its canvas is {canvas[0]}x{canvas[1]}, its image {size[0]}x{size[1]}")


def _read_metadata(stream: Stream, chunks: dict[bytes, Span], name: bytes) -> bytes | None:
    span = chunks.get(name)
    if span is None:
        return None
    if span.n_bytes > MAX_METADATA:
        raise ImageError(f"has a chunk {name.decode()} of {span.n_bytes:,} bytes; save it without metadata")
    return stream.read_at(span.offset, span.n_bytes, f"chunk {name.decode()}")


def decode_webp(content: bytes, header: WebpHeader) -> np.ndarray:
    """Decode to (h, w, 3) or, where there is alpha, (h, w, 4) uint8."""
    data = memoryview(content)[: header.end]
    with decoding("its pixels"):
        pixels: np.ndarray = load_codecs().webp_decode(data, hasalpha=header.mode == "rgba")
        return pixels
