"""Decoding of PNG pixels, faster and stricter than the PNG library alone.

The pixel data are unpacked by libdeflate into exactly as many bytes as the header asks for, which finds data that are
too short, too long or damaged before anything else looks at them; libpng then gets them as stored, uncompressed blocks
and undoes the row filters. (libpng unpacks with zlib, which is slower, and only prints a warning where there are more
rows than the header says.) Only the chunks that make pixels reach libpng, so no text or profile is unpacked there.

Source: PNG (Third Edition), section 8 for the seven passes of Adam7; RFC 1950 and 1951 for stored blocks.
"""

import struct
import zlib

import numpy as np
from jaxtyping import UInt8

from raim.errors import ImageTooLargeError
from raim.images.codec import load_codecs
from raim.images.header import Span
from raim.images.picture import Mode
from raim.images.png.chunks import SIGNATURE, make_chunk
from raim.images.png.header import PngHeader
from raim.images.stream import damaged

Bytes = UInt8[np.ndarray, " _"]

MAX_CHUNK = 2**31 - 1  # a chunk's length is a positive 32-bit number
BLOCK = 65535  # the most that a stored block of Deflate holds
# Deflate packs at most 1032:1 (258 bytes in 2 bits), so a lying header is found before memory is taken for it.
MAX_RATIO = 1032

# Adam7: first column, first row, step between columns, step between rows.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
COLOUR_TYPES: dict[Mode, int] = {"grey": 0, "rgb": 2, "grey-alpha": 4, "rgba": 6}


def decode_png(content: bytes, header: PngHeader) -> np.ndarray:
    """Decode to (h, w) or (h, w, channels), uint8 or uint16; a transparent colour becomes an alpha channel.

    Raises:
        ImageTruncatedError: A checksum is wrong, or the data are not what the header says.
        ImageTooLargeError: Unpacked it is over 2 GiB.
    """
    _check_chunks(content, header.chunks)
    plain = _wrap_rows(_unpack(content, header), header)
    try:
        pixels: np.ndarray = load_codecs().png_decode(plain)
    except (RuntimeError, ValueError) as error:
        raise damaged(f"its pixels cannot be decoded ({error})") from error
    return pixels if header.transparent is None else _add_alpha(pixels, header)


def count_row_bytes(header: PngHeader) -> int:
    """Count the bytes of all filtered rows: what the pixel data must unpack to."""
    bits = header.bit_depth * header.n_stored_channels
    if not header.is_interlaced:
        return header.height * (1 + (header.width * bits + 7) // 8)
    total = 0
    for column, row, column_step, row_step in PASSES:
        width = max(0, -(-(header.width - column) // column_step))
        height = max(0, -(-(header.height - row) // row_step))
        total += height * (1 + (width * bits + 7) // 8) if width else 0
    return total


def _check_chunks(content: bytes, chunks: tuple[Span, ...]) -> None:
    view = memoryview(content)
    for span in chunks:
        stated = int.from_bytes(view[span.end : span.end + 4])
        if zlib.crc32(view[span.offset - 4 : span.end]) != stated:
            name = bytes(view[span.offset - 4 : span.offset]).decode("ascii", "replace")
            raise damaged(f"the checksum of chunk {name} is wrong")


def _unpack(content: bytes, header: PngHeader) -> Bytes:
    view = memoryview(content)
    packed = b"".join(view[span.offset : span.end] for span in header.idat)
    expected = count_row_bytes(header)
    if expected > MAX_RATIO * len(packed):
        raise damaged(f"{len(packed)} bytes of pixel data cannot hold {header.width}x{header.height} pixels")
    rows = np.empty(expected, np.uint8)
    try:
        n_unpacked = len(load_codecs().deflate_decode(packed, out=rows))
    except (RuntimeError, ValueError) as error:
        raise damaged(
            f"its pixel data do not unpack to {header.width}x{header.height} pixels ({error})"
        ) from error
    if n_unpacked != expected:
        raise damaged(
            f"its pixel data unpack to {n_unpacked} bytes, {header.width}x{header.height} pixels need {expected}"
        )
    return rows


def _wrap_rows(rows: Bytes, header: PngHeader) -> Bytes:
    """Make a PNG of the same picture with one IDAT chunk of stored blocks."""
    n_blocks, n_rest = divmod(len(rows), BLOCK)
    n_stored = 2 + n_blocks * (5 + BLOCK) + 5 + n_rest + 4
    if n_stored > MAX_CHUNK:
        raise ImageTooLargeError(
            f"unpacks to {len(rows):,} bytes, PNGs of up to 2 GiB are read; save it as TIFF"
        )
    start = SIGNATURE + _make_header_chunk(header) + struct.pack(">I4s", n_stored, b"IDAT")
    end = make_chunk(b"IEND", b"")
    png = np.empty(len(start) + n_stored + 4 + len(end), np.uint8)
    png[: len(start)] = _as_array(start)
    stored = png[len(start) : len(start) + n_stored]
    _store(rows, stored, n_blocks, n_rest)
    checksum = zlib.crc32(stored.data, zlib.crc32(b"IDAT"))
    png[len(start) + n_stored :] = _as_array(struct.pack(">I", checksum) + end)
    return png


def _store(rows: Bytes, stored: Bytes, n_blocks: int, n_rest: int) -> None:
    n_full = n_blocks * (5 + BLOCK)
    stored[:2] = (0x78, 0x01)  # zlib's header: Deflate, 32 KB window
    blocks = stored[2 : 2 + n_full].reshape(n_blocks, 5 + BLOCK)
    blocks[:, :5] = (0, 0xFF, 0xFF, 0, 0)  # not the last, stored; length and its complement
    blocks[:, 5:] = rows[: n_blocks * BLOCK].reshape(n_blocks, BLOCK)
    last = stored[2 + n_full :]
    last[:5] = _as_array(struct.pack("<BHH", 1, n_rest, 0xFFFF ^ n_rest))
    last[5 : 5 + n_rest] = rows[n_blocks * BLOCK :]
    last[5 + n_rest :] = _as_array(struct.pack(">I", zlib.adler32(rows.data)))


def _make_header_chunk(header: PngHeader) -> bytes:
    without_alpha: dict[int, Mode] = {1: "grey", 2: "grey-alpha", 3: "rgb", 4: "rgba"}
    kind = COLOUR_TYPES[without_alpha[header.n_stored_channels]]
    size = (header.width, header.height, header.bit_depth, kind, 0, 0, int(header.is_interlaced))
    return make_chunk(b"IHDR", struct.pack(">IIBBBBB", *size))


def _as_array(data: bytes) -> Bytes:
    return np.frombuffer(data, np.uint8)


def _add_alpha(pixels: np.ndarray, header: PngHeader) -> np.ndarray:
    """Make the transparent colour an alpha channel: 0 where a pixel has it, else opaque."""
    colour = np.asarray(header.transparent, np.uint16)
    if header.bit_depth < 8:  # libpng has spread the samples over 8 bits
        colour = (colour & (2**header.bit_depth - 1)) * (255 // (2**header.bit_depth - 1))
    planes = pixels.reshape(*pixels.shape[:2], -1)
    alpha = np.where((planes == colour).all(axis=-1), 0, np.iinfo(pixels.dtype).max)
    return np.concatenate([planes, alpha[..., None].astype(pixels.dtype)], axis=-1)
