"""Directories of TIFF structures, ordinary and BigTIFF, of both byte orders."""

import io
import struct

import pytest

from raim.errors import ImageError, ImageTruncatedError
from raim.images.stream import Stream
from raim.images.tiff.directory import read_directory, read_layout, read_number, read_values


def open_bytes(data):
    return Stream(file=io.BytesIO(data), n_bytes=len(data))


def structure(order, entries, *, is_big=False, after=b""):
    """A TIFF structure of one directory: entries are (tag, type, count, value bytes)."""
    mark = b"II" if order == "<" else b"MM"
    start = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if is_big else struct.pack(order + "HI", 42, 8))
    table = struct.pack(order + ("Q" if is_big else "H"), len(entries))
    for tag, kind, count, value in entries:
        table += struct.pack(order + ("HHQ" if is_big else "HHI"), tag, kind, count)
        table += value.ljust(8 if is_big else 4, b"\0")
    return start + table + bytes(8 if is_big else 4) + after


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_values_within_and_outside_of_entries_are_read(order, is_big):
    n_start = (16 + 8 + 20 * 2 + 8) if is_big else (8 + 2 + 12 * 2 + 4)
    numbers = tuple(range(7, 17))
    pointer = struct.pack(order + ("Q" if is_big else "I"), n_start)
    entries = [(256, 3, 1, struct.pack(order + "H", 50)), (273, 4, 10, pointer)]
    data = structure(order, entries, is_big=is_big, after=struct.pack(order + "10I", *numbers))
    stream = open_bytes(data)
    layout = read_layout(stream)
    directory = read_directory(stream, layout, layout.first)
    assert layout.is_big is is_big
    assert read_number(stream, directory, 256) == 50
    assert read_values(stream, directory, 273) == numbers
    assert read_values(stream, directory, 999) == ()
    assert read_number(stream, directory, 999, 3) == 3
    assert directory.next_offset == 0
    with pytest.raises(ImageTruncatedError, match="tag 999 is missing"):
        read_number(stream, directory, 999)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ((273, 4, 2_000_000, b""), "has 2000000 values"),
        ((273, 4, 900_000, b"\x08"), "ends early"),
        ((273, 11, 1, b""), "type 11, expected whole numbers"),
    ],
)
def test_lying_values_are_errors_and_take_no_memory(entry, message):
    stream = open_bytes(structure("<", [entry]))
    layout = read_layout(stream)
    directory = read_directory(stream, layout, layout.first)
    with pytest.raises(ImageTruncatedError, match=message):
        read_values(stream, directory, 273)


@pytest.mark.parametrize("start", [b"II\0\0\0\0\0\0", b"MMMMMMMM", b"XX*\0\0\0\0\0"])
def test_what_is_no_tiff_structure_is_an_error(start):
    with pytest.raises(ImageError, match="no TIFF header"):
        read_layout(open_bytes(start))


def test_a_directory_beyond_the_end_is_an_error():
    stream = open_bytes(b"II*\0\xff\xff\xff\x7f")
    layout = read_layout(stream)
    with pytest.raises(ImageTruncatedError, match="a directory reaches to byte"):
        read_directory(stream, layout, layout.first)
