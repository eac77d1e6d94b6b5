"""Encoding of TIFF, 8 and 16 bits, Deflate with differences (predictor 2), with profile and EXIF.

An EXIF block is itself a TIFF structure whose offsets count from its start. So the file begins with that block, and its
first directory is replaced by one at the end that has its tags and the image's: every offset stays true.

Source: TIFF Revision 6.0 (Adobe, 1992), sections 2 to 8, 14; ICC.1:2022, annex B.5.
"""

import io
import struct

import numpy as np

from raim.errors import InputError
from raim.images.codec import load_codecs
from raim.images.picture import PixelArray
from raim.images.stream import Stream
from raim.images.tiff.directory import Layout, Order, read_directory, read_layout
from raim.images.tiff.header import (
    BITS,
    COMPRESSION,
    HEIGHT,
    ORIENTATION,
    PHOTOMETRIC,
    PLANAR,
    PREDICTOR,
    PROFILE,
    SAMPLES,
    STRIP_BYTES,
    STRIP_ROWS,
    STRIPS,
    WIDTH,
)

N_STRIP = 1 << 20  # bytes before packing; small enough that a reader needs no second image in memory
LEVEL = 6  # of libdeflate
DEFLATE, RGB, BLACK_IS_ZERO, TOGETHER, DIFFERENCED, UPRIGHT = 8, 2, 1, 1, 2, 1
SHORT, LONG, UNDEFINED = 3, 4, 7  # types of values
MAX_FILE = 2**32 - 1
EMPTY = b"II*\0\x08\0\0\0"
# Of EXIF's first directory these describe its picture and camera; the image's own tags are written anew.
KEPT = frozenset({270, 271, 272, 282, 283, 296, 305, 306, 315, 33432, 34665, 34853})

Value = tuple[int, int, bytes]  # type, count, content


def encode_tiff(pixels: PixelArray, icc_profile: bytes | None, exif: bytes | None) -> bytes:
    """Encode pixels without loss.

    Raises:
        InputError: The EXIF block is no ordinary TIFF structure, or the file would be over 4 GiB.
    """
    start = EMPTY if exif is None else exif
    layout, kept = _read_exif(start) if exif is not None else (Layout(order="<", is_big=False, first=8), {})
    body = bytearray(start + b"\0" * (len(start) % 2))
    offsets, lengths = _append_strips(body, pixels, layout.order)
    tags = _make_tags(pixels, layout.order, offsets, lengths, icc_profile)
    entries = dict(kept)
    for tag, value in tags.items():
        entries[tag] = _encode_entry(body, tag, value, layout.order)
    if len(body) + 6 + 12 * len(entries) > MAX_FILE:
        raise InputError(f"a TIFF holds 4 GiB, {pixels.shape} pixels need more; write a PNG")
    first = len(body)
    body += struct.pack(f"{layout.order}H", len(entries))
    body += b"".join(entries[tag] for tag in sorted(entries)) + b"\0\0\0\0"
    body[4:8] = struct.pack(f"{layout.order}I", first)
    return bytes(body)


def _read_exif(exif: bytes) -> tuple[Layout, dict[int, bytes]]:
    """Read byte order and the kept entries, as they are stored, of an EXIF block's first directory."""
    stream = Stream(file=io.BytesIO(exif), n_bytes=len(exif))
    try:
        layout = read_layout(stream)
        directory = read_directory(stream, layout, layout.first)
    except ValueError as error:
        raise InputError(f"the EXIF block {error}") from error
    if layout.is_big:
        raise InputError("the EXIF block is a BigTIFF structure, which EXIF does not allow; write without it")
    entries = {
        tag: exif[entry.offset - 8 : entry.offset + 4]
        for tag, entry in directory.entries.items()
        if tag in KEPT
    }
    return layout, entries


def _append_strips(body: bytearray, pixels: PixelArray, order: Order) -> tuple[list[int], list[int]]:
    stored = pixels.dtype.newbyteorder(order)
    offsets, lengths = [], []
    for top in range(0, pixels.shape[0], _count_rows(pixels)):
        rows = load_codecs().delta_encode(pixels[top : top + _count_rows(pixels)], axis=1)
        packed = load_codecs().deflate_encode(rows.astype(stored).tobytes(), level=LEVEL)
        offsets.append(len(body))
        lengths.append(len(packed))
        body += packed + b"\0" * (len(packed) % 2)
    return offsets, lengths


def _count_rows(pixels: PixelArray) -> int:
    return max(1, min(pixels.shape[0], N_STRIP // pixels[0].nbytes))


def _make_tags(
    pixels: PixelArray, order: Order, offsets: list[int], lengths: list[int], icc_profile: bytes | None
) -> dict[int, Value]:
    def short(*numbers: int) -> Value:
        return SHORT, len(numbers), struct.pack(f"{order}{len(numbers)}H", *numbers)

    def long(*numbers: int) -> Value:
        return LONG, len(numbers), struct.pack(f"{order}{len(numbers)}I", *numbers)

    n_samples = 1 if pixels.ndim == 2 else 3
    tags = {
        WIDTH: long(pixels.shape[1]),
        HEIGHT: long(pixels.shape[0]),
        BITS: short(*[np.dtype(pixels.dtype).itemsize * 8] * n_samples),
        COMPRESSION: short(DEFLATE),
        PHOTOMETRIC: short(RGB if n_samples == 3 else BLACK_IS_ZERO),
        STRIPS: long(*offsets),
        ORIENTATION: short(UPRIGHT),
        SAMPLES: short(n_samples),
        STRIP_ROWS: long(_count_rows(pixels)),
        STRIP_BYTES: long(*lengths),
        PLANAR: short(TOGETHER),
        PREDICTOR: short(DIFFERENCED),
    }
    if icc_profile is not None:
        tags[PROFILE] = (UNDEFINED, len(icc_profile), icc_profile)
    return tags


def _encode_entry(body: bytearray, tag: int, value: Value, order: Order) -> bytes:
    """Encode one entry; a value that does not fit into it is appended to the file."""
    kind, count, content = value
    if len(content) > 4:
        offset = len(body)
        body += content + b"\0" * (len(content) % 2)
        content = struct.pack(f"{order}I", offset)
    return struct.pack(f"{order}HHI", tag, kind, count) + content.ljust(4, b"\0")
