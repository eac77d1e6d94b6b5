import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peaks import peak_of
from raim.errors import SubmissionError
from raim.scoring.submission.listing import list_submission
from raim.scoring.submission.zip_members import PackedContent, find_extra, unpack_content

NEEDS = "from raim.scoring.submission.zip_members import PackedContent, unpack_content"


def packed_as(content: bytes, packed: bytes, *, is_deflated=True) -> PackedContent:
    return PackedContent(start=0, n_bytes=len(packed), crc=zlib.crc32(content), is_deflated=is_deflated)


def deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def unpack(content: bytes, packed: bytes, *, is_deflated=True) -> bytes:
    place = packed_as(content, packed, is_deflated=is_deflated)
    return unpack_content(io.BytesIO(packed), place, len(content), "a.png")


def code_of(content: bytes, packed: bytes, *, is_deflated=True) -> str:
    with pytest.raises(SubmissionError) as caught:
        unpack(content, packed, is_deflated=is_deflated)
    (found,) = caught.value.problems
    assert "a.png" in found.message
    return found.code


@given(st.binary(max_size=2000), st.integers(1, 400))
def test_what_was_packed_comes_out(content, times):
    content *= times
    assert unpack(content, deflate(content)) == content
    assert unpack(content, content, is_deflated=False) == content


def test_a_bomb_that_lies_about_its_size_is_stopped_there():
    packed = deflate(bytes(100_000_000))
    for n_declared in (100_000, 1000):  # of the second not even the packed bytes are read
        assert code_of(bytes(n_declared), packed) == "size-mismatch"
        place = packed_as(bytes(n_declared), packed)
        reading = f"unpack_content(io.BytesIO(content), {place!r}, {n_declared}, 'a.png')"
        peak, said = peak_of(reading, packed, NEEDS)
        assert said.startswith("SubmissionError: ")
        assert peak < 1_000_000


def test_less_than_declared_is_a_size_mismatch():
    packed = deflate(b"x" * 50)
    assert code_of(b"x" * 51, packed) == "size-mismatch"
    assert code_of(b"xyzt", b"xyz", is_deflated=False) == "size-mismatch"


def test_changed_content_fails_its_checksum():
    assert code_of(b"xyt", b"xyz", is_deflated=False) == "checksum-mismatch"


@pytest.mark.parametrize(
    "packed", [b"\xff\xff\xff", deflate(b"x" * 50)[:-1], deflate(b"x" * 50) + b"more", b""]
)
def test_damaged_deflate_data_are_refused(packed):
    assert code_of(b"x" * 50, packed) == "damaged-member"


def test_a_file_that_ends_early_is_refused():
    place = packed_as(b"x" * 50, deflate(b"x" * 50))
    with pytest.raises(SubmissionError, match=r"is cut off.*damaged-member"):
        unpack_content(io.BytesIO(deflate(b"x" * 50)[:5]), place, 50, "a.png")


def find_codes(path) -> list[str]:
    return [each.code for each in list_submission(path).all_problems]


def test_an_ordinary_zip_has_no_contradictions_and_no_overlaps(forge):
    assert find_codes(forge.write_zip(forge.files("a", "b"))) == []


class Pipe(io.RawIOBase):
    """A file that cannot seek, so that zipfile writes sizes after the data (bit 3)."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.content += bytes(data)
        return len(data)


@pytest.mark.parametrize("is_wide", [False, True])
def test_sizes_that_follow_the_data_are_accepted(forge, is_wide):
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a.png", "w", force_zip64=is_wide) as member:
            member.write(b"x" * 1000)
        archive.writestr("b.png", b"y")
    path = forge.folder / "streamed.zip"
    path.write_bytes(pipe.content)
    assert find_codes(path) == []


def test_a_size_that_follows_the_data_may_not_be_another_in_the_header(forge):
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("a.png", b"y")
    path = forge.folder / "streamed.zip"
    path.write_bytes(pipe.content)
    assert find_codes(forge.patch(path, 0, local={22: struct.pack("<L", 7)})) == ["header-mismatch"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({30: b"b"}, "name"),
        ({8: struct.pack("<H", 0)}, "compression method"),
        ({6: struct.pack("<H", 1)}, "encryption flag"),
        ({22: struct.pack("<L", 7)}, "size"),
        ({14: struct.pack("<L", 7)}, "checksum"),
    ],
)
def test_a_local_header_that_contradicts_the_table_is_refused(forge, change, what):
    path = forge.patch(forge.write_zip({"a.png": b"x" * 100}), 0, local=change)
    (found,) = list_submission(path).all_problems
    assert found.code == "header-mismatch"
    assert f"another {what} than" in found.message


def test_a_missing_local_header_is_refused(forge):
    assert find_codes(forge.patch(forge.write_zip({"a.png": b"x"}), 0, local={0: b"XX"})) == [
        "damaged-member"
    ]


def test_data_that_reach_into_the_table_are_refused(forge):
    size = struct.pack("<2L", 60, 60)
    path = forge.write_zip({"a.png": b"x"}, method=zipfile.ZIP_STORED)
    assert find_codes(forge.patch(path, 0, central={20: size}, local={18: size})) == ["damaged-member"]


def test_members_that_share_a_header_overlap(forge):
    path = forge.write_zip({"a.png": b"x" * 100, "b.png": b"x" * 100, "c.png": b"x"})
    found, *_ = list_submission(forge.patch(path, 1, central={42: struct.pack("<L", 0)})).all_problems
    assert found.code == "overlapping-members"
    assert "a.png and b.png" in found.message


def test_a_quoted_bomb_overlaps(forge):
    """Two members over one kernel: the first one's data begin with a stored block that quotes the second header."""
    kernel = deflate(bytes(10_000))
    second = local_header(b"b", kernel, bytes(10_000)) + kernel
    quote = b"\x00" + struct.pack("<2H", len(second) - len(kernel), (len(second) - len(kernel)) ^ 0xFFFF)
    first_content = second[: len(second) - len(kernel)] + bytes(10_000)
    first_packed = quote + second
    first = local_header(b"a", first_packed, first_content)
    body = first + first_packed
    table = row(b"a", first_packed, first_content, 0) + row(
        b"b", kernel, bytes(10_000), len(first) + len(quote)
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(table), len(body), 0)
    path = forge.folder / "bomb.zip"
    path.write_bytes(body + table + end)
    with zipfile.ZipFile(path) as archive:  # the forgery is a zip for an ordinary reader
        assert archive.namelist() == ["a", "b"]
    assert find_codes(path) == ["overlapping-members"]


def local_header(name: bytes, packed: bytes, content: bytes) -> bytes:
    fields = (20, 0, 8, 0, 0, zlib.crc32(content), len(packed), len(content), len(name), 0)
    return struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + name


def row(name: bytes, packed: bytes, content: bytes, offset: int) -> bytes:
    fields = (
        20,
        20,
        0,
        8,
        0,
        0,
        zlib.crc32(content),
        len(packed),
        len(content),
        len(name),
        0,
        0,
        0,
        0,
        0,
        offset,
    )
    return struct.pack("<4s6H3L5H2L", b"PK\x01\x02", *fields) + name


def test_data_before_the_first_member_with_corrected_offsets_are_found(forge):
    path = forge.folder / "front.zip"
    path.write_bytes(b"#!/bin/sh\n")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a.png", b"x")
    assert find_codes(path) == ["extra-data"]


def test_the_first_extra_field_of_a_kind_is_found():
    extra = struct.pack("<2HH", 0x5455, 2, 7) + struct.pack("<2HQ", 1, 8, 2**40)
    assert find_extra(extra, 1) == struct.pack("<Q", 2**40)
    assert find_extra(extra, 2) is None
    assert find_extra(b"\x01\x00\xff\xff", 1) == b""
