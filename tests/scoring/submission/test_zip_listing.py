import bz2
import contextlib
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile

import pytest

from raim.errors import SubmissionError
from raim.scoring.submission.listing import list_submission
from raim.scoring.submission.member import Limits


def codes(path, **limits) -> list[str]:
    return [each.code for each in list_submission(path, limits=Limits(**limits)).all_problems]


def test_members_of_a_sound_zip_are_read_back(forge):
    files = forge.files("a", "b")
    listing = list_submission(forge.write_zip(files))
    assert listing.all_problems == ()
    assert {member.name: member.read_bytes() for member in listing.members} == files


def test_folder_entries_are_not_members(forge):
    listing = list_submission(forge.write_zip([("x/", b""), ("x/a.png", b"1")]))
    assert [member.parts for member in listing.members] == [("x", "a.png")]
    assert listing.all_problems == ()


@pytest.mark.parametrize(
    ("bits", "code"), [(0x01, "encrypted"), (0x40, "encrypted"), (0x20, "unsupported-compression")]
)
def test_encrypted_and_patched_members_are_refused(forge, bits, code):
    flag = struct.pack("<H", bits)
    path = forge.write_zip({"a.png": b"x"})
    assert codes(forge.patch(path, 0, central={8: flag}, local={6: flag})) == [code]


def test_aes_members_are_refused_as_encrypted(forge):
    method = struct.pack("<H", 99)
    path = forge.write_zip({"a.png": b"x"})
    assert codes(forge.patch(path, 0, central={10: method}, local={8: method})) == ["encrypted"]


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")])
def test_other_compression_is_refused_and_named(forge, method, name):
    listing = list_submission(forge.write_zip({"a.png": b"x"}, method=method))
    (found,) = listing.all_problems
    assert found.code == "unsupported-compression"
    assert name in found.message


@pytest.mark.parametrize(
    ("mode", "code"), [(0o120777, "symlink"), (0o010644, "special-file"), (0o020644, "special-file")]
)
def test_links_and_special_files_are_refused(forge, mode, code):
    info = zipfile.ZipInfo("a.png")
    info.create_system = 3
    info.external_attr = mode << 16
    assert codes(forge.write_zip([(info, b"/etc/passwd")])) == [code]


def test_a_member_that_claims_to_unpack_too_much_is_a_bomb(forge):
    path = forge.write_zip({"a.png": bytes(2_000_000)})
    listing = list_submission(path)
    assert [each.code for each in listing.all_problems] == ["zip-bomb"]
    assert listing.members[0].problems


def test_a_small_flat_image_may_pack_well(forge):
    assert codes(forge.write_zip({"a.png": bytes(1_000_000)})) == []


def test_a_member_over_the_limit_is_refused(forge):
    path = forge.write_zip({"a.png": b"x" * 100})
    assert codes(path, max_member_bytes=99) == ["member-too-large"]


def test_members_over_the_limit_together_are_refused(forge):
    listing = list_submission(forge.write_zip(forge.files("a", "b")), limits=Limits(max_total_bytes=500))
    assert [each.code for each in listing.all_problems] == ["archive-too-large"]
    assert all(member.problems for member in listing.members)


def test_too_many_members_are_refused(forge):
    assert codes(forge.write_zip({str(n): b"" for n in range(5)}), max_members=4) == ["too-many-members"]


def test_overlapping_members_are_refused_and_none_is_read(forge):
    path = forge.write_zip({"a.png": b"x" * 100, "b.png": b"x" * 100})
    listing = list_submission(forge.patch(path, 1, central={42: struct.pack("<L", 0)}))
    assert "overlapping-members" in [each.code for each in listing.all_problems]
    assert all(member.problems for member in listing.members)


def test_a_contradicting_header_is_refused(forge):
    path = forge.patch(forge.write_zip({"a.png": b"x"}), 0, local={30: b"b"})
    assert codes(path) == ["header-mismatch"]


def test_an_undecodable_name_is_refused(forge):
    flag = struct.pack("<H", 0x0800)
    path = forge.write_zip({"a.png": b"x"})
    change = {"central": {8: flag, 46: b"\xff"}, "local": {6: flag, 30: b"\xff"}}
    (found,) = list_submission(forge.patch(path, 0, **change)).all_problems
    assert found.code == "name-encoding"
    assert "\u00a0.png" in found.message.encode().decode("unicode_escape")


def test_a_nul_in_a_name_does_not_cut_it(forge):
    path = forge.write_zip({"a.png#.exe": b"x"})
    listing = list_submission(forge.patch(path, 0, central={51: b"\0"}, local={35: b"\0"}))
    assert [each.code for each in listing.all_problems] == ["control-character"]
    assert listing.members[0].stored_name == "a.png\0.exe"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../x.png", "path-traversal"),
        ("/x.png", "absolute-path"),
        ("D:x.png", "absolute-path"),
        ("a\\b.png", "backslash"),
    ],
)
def test_unsafe_names_are_refused(forge, name, code):
    listing = list_submission(forge.write_zip({name: b"x"}))
    assert code in [each.code for each in listing.all_problems]
    assert listing.members[0].problems


def test_a_wrong_count_is_damage(forge):
    path = forge.write_zip({"a": b"1", "b": b"2"})
    content = bytearray(path.read_bytes())
    struct.pack_into("<2H", content, len(content) - 22 + 8, 1, 1)
    path.write_bytes(content)
    (found,) = list_submission(path).all_problems
    assert "declares 1 members and lists 2" in found.message


@pytest.mark.parametrize(
    ("central", "code"),
    [
        ({0: b"XX"}, "damaged-archive"),  # not a row
        ({28: struct.pack("<H", 5000)}, "damaged-archive"),  # a name that reaches over the row behind
        ({30: struct.pack("<H", 5000)}, "damaged-archive"),  # extra fields that do
        ({24: b"\xff" * 4}, "member-too-large"),  # a size that zip64 does not give
        ({6: b"\xff"}, "damaged-archive"),  # a version of the format that there is not
    ],
)
def test_a_damaged_row_of_the_table_is_found(forge, central, code):
    path = forge.patch(forge.write_zip({"a.png": b"1", "b.png": b"2"}), 0, central=central)
    assert code in codes(path)


def test_a_last_row_that_is_cut_off_is_found(forge):
    path = forge.write_zip({"a.png": b"1", "b.png": b"2"})
    assert codes(forge.patch(path, 1, central={32: struct.pack("<H", 9)})) == ["damaged-archive"]


def test_another_encoding_of_a_name_in_its_header_is_a_contradiction(forge):
    path = forge.write_zip({"é.png": b"1"})
    assert codes(forge.patch(path, 0, local={6: b"\0\0"})) == ["header-mismatch"]


def test_a_zip64_member_is_read(forge):
    path = forge.folder / "large.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("a.png", "w", force_zip64=True) as member:
        member.write(b"12345")
    listing = list_submission(path)
    assert listing.all_problems == ()
    assert listing.members[0].read_bytes() == b"12345"


@pytest.fixture
def find(forge):
    """Give a function that writes a zip and lists code and message of the only problem, if there is one."""

    def write_and_list(content: bytes, **limits) -> list[str]:
        path = forge.folder / "team.zip"
        path.write_bytes(content)
        problems = list_submission(path, limits=Limits(**limits)).problems
        return [word for each in problems for word in (each.code, each.message)]

    return write_and_list


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
def test_what_is_not_a_zip_is_named(find, content, named):
    code, text = find(content)
    assert code == "not-an-archive"
    assert named in text


def test_a_comment_at_the_end_is_allowed(forge):
    path = forge.write_zip({"a": b"1"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made by hand"
    assert codes(path) == []


def test_data_after_the_end_is_refused(find, sound):
    code, text = find(sound + b"tail")
    assert code == "extra-data"
    assert "4 bytes follow" in text


def test_data_before_the_first_member_or_around_the_table_are_refused(find, sound):
    assert find(b"#!/bin/sh\n" + sound)[0] == "extra-data"
    table, end = sound.index(b"PK\1\2"), sound.rindex(b"PK\5\6")
    code, text = find(sound[:table] + b"gap" + sound[table:])
    assert code == "extra-data"
    assert "3 bytes stand before the zip's first member or its table of members" in text
    assert find(sound[:end] + b"gap" + sound[end:])[0] == "damaged-archive"


@pytest.mark.parametrize("cut", [1, 10, 22, 200])
def test_a_truncated_zip_is_damaged(find, sound, cut):
    assert find(sound[:-cut])[0] == "damaged-archive"


def test_a_table_outside_the_file_is_damaged(find, sound):
    content = bytearray(sound)
    struct.pack_into("<L", content, len(content) - 22 + 16, len(content))
    assert find(bytes(content))[0] == "damaged-archive"


def test_a_part_of_a_split_zip_is_refused(find, sound):
    content = bytearray(sound)
    struct.pack_into("<2H", content, len(content) - 22 + 4, 1, 1)
    assert find(bytes(content))[0] == "split-archive"
    assert find(b"PK\x07\x08PK\x03\x04" + bytes(60))[0] == "split-archive"


def test_too_many_members_are_refused_before_the_table_is_read(find, sound):
    code, text = find(sound, max_members=2)
    assert code == "too-many-members"
    assert "3 members; at most 2" in text


def test_a_table_that_is_too_large_is_refused_whatever_count_is_declared(find, sound):
    content = bytearray(sound)
    # One member declared, but a table of 5 MB: the file is grown to hold it.
    at = len(content) - 22
    grown = bytes(content[:at]) + bytes(5_000_000) + bytes(content[at:])
    content = bytearray(grown)
    struct.pack_into("<2HL", content, len(content) - 22 + 8, 1, 1, 5_000_000)
    assert find(bytes(content), max_members=100)[0] == "too-many-members"


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
def test_a_sound_zip64_end_is_read(find, sound, changed):
    assert find(zip64(sound, **changed)) == []


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
def test_a_zip64_end_that_contradicts_the_end_record_is_damaged(find, sound, changed):
    assert find(zip64(sound, **changed))[0] == "damaged-archive"


def test_a_split_zip64_is_refused(find, sound):
    assert find(zip64(sound, disks=2))[0] == "split-archive"


@pytest.mark.parametrize("seed", range(100))
def test_whatever_is_changed_in_a_zip_listing_and_reading_stay_calm(forge, seed):
    """No damage raises anything but the expected error, and nothing unpacks to more than it declares."""
    rng = random.Random(seed)  # noqa: S311  a test's damage is no secret
    path = forge.write_zip(forge.files("a", "b"))
    data = bytearray(path.read_bytes())
    start = rng.choice([0, len(data) - 250])
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(start, len(data))] = rng.choice([0, 0xFF, rng.randrange(256)])
    if rng.random() < 0.2:
        del data[rng.randrange(len(data)) :]
    path.write_bytes(data)
    for member in list_submission(path).members:
        with contextlib.suppress(SubmissionError):
            assert len(member.read_bytes()) == member.n_bytes
