import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile

import pytest

from raim.errors import SubmissionError
from raim.scoring.submission.limits import DEFAULT_LIMITS, Limits
from raim.scoring.submission.zip_end import read_end


def codes(content: bytes, limits=DEFAULT_LIMITS) -> list[str]:
    with pytest.raises(SubmissionError) as caught:
        read_end(io.BytesIO(content), "team.zip", limits)
    return [each.code for each in caught.value.problems] + [str(caught.value)]


@pytest.fixture
def sound(forge) -> bytes:
    return forge.write_zip(forge.files("a", "b")).read_bytes()


def tar_bytes() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.png"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "7z"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(50), "RAR"),
        (tar_bytes(), "tar archive"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (bz2.compress(b"x"), "bzip2"),
        (lzma.compress(b"x"), "xz"),
        (b"\x28\xb5\x2f\xfd" + bytes(50), "Zstandard"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG"),
        (b"", "an empty file"),
        (b"hello" * 20, "neither a zip nor another known archive"),
    ],
)
def test_what_is_not_a_zip_is_named(content, named):
    code, text = codes(content)
    assert code == "not-an-archive"
    assert named in text


def test_a_sound_zip_has_its_table_right_before_its_end(sound):
    end = read_end(io.BytesIO(sound), "team.zip", DEFAULT_LIMITS)
    with zipfile.ZipFile(io.BytesIO(sound)) as archive:
        assert (end.n_members, end.table_offset) == (3, archive.start_dir)


def test_a_comment_at_the_end_is_allowed(forge):
    path = forge.write_zip({"a": b"1"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made by hand"
    assert read_end(io.BytesIO(path.read_bytes()), "team.zip", DEFAULT_LIMITS).n_members == 1


def test_data_after_the_end_is_refused(sound):
    code, text = codes(sound + b"tail")
    assert code == "extra-data"
    assert "4 bytes follow" in text


def test_data_before_the_first_member_is_refused(sound):
    assert codes(b"#!/bin/sh\n" + sound)[0] == "extra-data"


@pytest.mark.parametrize("cut", [1, 10, 22, 200])
def test_a_truncated_zip_is_damaged(sound, cut):
    assert codes(sound[:-cut])[0] == "damaged-archive"


def test_a_table_outside_the_file_is_damaged(sound):
    content = bytearray(sound)
    struct.pack_into("<L", content, len(content) - 22 + 16, len(content))
    assert codes(bytes(content))[0] == "damaged-archive"


def test_a_part_of_a_split_zip_is_refused(sound):
    content = bytearray(sound)
    struct.pack_into("<2H", content, len(content) - 22 + 4, 1, 1)
    assert codes(bytes(content))[0] == "split-archive"
    assert codes(b"PK\x07\x08PK\x03\x04" + bytes(60))[0] == "split-archive"


def test_too_many_members_are_refused_before_the_table_is_read(sound):
    code, text = codes(sound, Limits(max_members=2))
    assert code == "too-many-members"
    assert "3 members; at most 2" in text


def test_a_table_that_is_too_large_is_refused_whatever_count_is_declared(sound):
    content = bytearray(sound)
    # One member declared, but a table of 5 MB: the file is grown to hold it.
    at = len(content) - 22
    grown = bytes(content[:at]) + bytes(5_000_000) + bytes(content[at:])
    content = bytearray(grown)
    struct.pack_into("<2HL", content, len(content) - 22 + 8, 1, 1, 5_000_000)
    assert codes(bytes(content), Limits(max_members=100))[0] == "too-many-members"


def zip64(sound: bytes, **changed) -> bytes:
    """Give a zip its zip64 end record and locator, with changed fields."""
    at = len(sound) - 22
    _, _, _, _, count, size, offset, _ = struct.unpack("<4s4H2LH", sound[at:])
    record = {"size": 44, "disk": 0, "count": count, "table": size, "offset": offset} | changed
    end64 = struct.pack(
        "<4sQ2H2L4Q",
        b"PK\x06\x06",
        record["size"],
        45,
        45,
        record["disk"],
        0,
        record["count"],
        record["count"],
        record["table"],
        record["offset"],
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, record.get("position", at), record.get("disks", 1))
    small = sound[at:]
    if "wide" in changed:
        small = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return sound[:at] + end64 + locator + small


@pytest.mark.parametrize("changed", [{}, {"wide": True}])
def test_a_sound_zip64_end_is_read(sound, changed):
    content = zip64(sound, **changed)
    end = read_end(io.BytesIO(content), "team.zip", DEFAULT_LIMITS)
    assert end.n_members == 3
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.infolist()) == 3


@pytest.mark.parametrize(
    "changed",
    [
        {"count": 2},
        {"table": 1},
        {"offset": 5},
        {"size": 45},
        {"disk": 1},
        {"position": 3},
        {"position": 2**60},
    ],
)
def test_a_zip64_end_that_contradicts_the_end_record_is_damaged(sound, changed):
    assert codes(zip64(sound, **changed))[0] == "damaged-archive"


def test_a_split_zip64_is_refused(sound):
    assert codes(zip64(sound, disks=2))[0] == "split-archive"
