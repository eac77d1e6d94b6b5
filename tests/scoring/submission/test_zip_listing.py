import contextlib
import random
import struct
import zipfile

import pytest

from raim.errors import SubmissionError
from raim.scoring.submission.archive import list_submission
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.zip_listing import describe_method


def codes(path, **limits) -> list[str]:
    return [each.code for each in list_submission(path, limits=Limits(**limits)).problems]


def test_members_of_a_sound_zip_are_read_back(forge):
    files = forge.files("a", "b")
    listing = list_submission(forge.write_zip(files))
    assert listing.problems == ()
    assert {member.name: member.read_bytes() for member in listing.members} == files


def test_folder_entries_are_not_members(forge):
    listing = list_submission(forge.write_zip([("x/", b""), ("x/a.png", b"1")]))
    assert [member.parts for member in listing.members] == [("x", "a.png")]
    assert listing.problems == ()


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
    (found,) = listing.problems
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
    assert [each.code for each in listing.problems] == ["zip-bomb"]
    assert not listing.members[0].is_readable


def test_a_small_flat_image_may_pack_well(forge):
    assert codes(forge.write_zip({"a.png": bytes(1_000_000)})) == []


def test_a_member_over_the_limit_is_refused(forge):
    path = forge.write_zip({"a.png": b"x" * 100})
    assert codes(path, max_member_bytes=99) == ["member-too-large"]


def test_members_over_the_limit_together_are_refused(forge):
    listing = list_submission(forge.write_zip(forge.files("a", "b")), limits=Limits(max_total_bytes=500))
    assert [each.code for each in listing.problems] == ["archive-too-large"]
    assert not any(member.is_readable for member in listing.members)


def test_too_many_members_are_refused(forge):
    assert codes(forge.write_zip({str(n): b"" for n in range(5)}), max_members=4) == ["too-many-members"]


def test_overlapping_members_are_refused_and_none_is_read(forge):
    path = forge.write_zip({"a.png": b"x" * 100, "b.png": b"x" * 100})
    listing = list_submission(forge.patch(path, 1, central={42: struct.pack("<L", 0)}))
    assert "overlapping-members" in [each.code for each in listing.problems]
    assert not any(member.is_readable for member in listing.members)


def test_a_contradicting_header_is_refused(forge):
    path = forge.patch(forge.write_zip({"a.png": b"x"}), 0, local={30: b"b"})
    assert codes(path) == ["header-mismatch"]


def test_an_undecodable_name_is_refused(forge):
    flag = struct.pack("<H", 0x0800)
    path = forge.write_zip({"a.png": b"x"})
    change = {"central": {8: flag, 46: b"\xff"}, "local": {6: flag, 30: b"\xff"}}
    (found,) = list_submission(forge.patch(path, 0, **change)).problems
    assert found.code == "name-encoding"
    assert "\u00a0.png" in found.message.encode().decode("unicode_escape")


def test_a_nul_in_a_name_does_not_cut_it(forge):
    path = forge.write_zip({"a.png#.exe": b"x"})
    listing = list_submission(forge.patch(path, 0, central={51: b"\0"}, local={35: b"\0"}))
    assert [each.code for each in listing.problems] == ["control-character"]
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
    assert code in [each.code for each in listing.problems]
    assert not listing.members[0].is_readable


def test_a_wrong_count_is_damage(forge):
    path = forge.write_zip({"a": b"1", "b": b"2"})
    content = bytearray(path.read_bytes())
    struct.pack_into("<2H", content, len(content) - 22 + 8, 1, 1)
    path.write_bytes(content)
    (found,) = list_submission(path).problems
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
    assert listing.problems == ()
    assert listing.members[0].read_bytes() == b"12345"


def test_methods_are_named():
    assert describe_method(9) == "Deflate64 (method 9)"
    assert describe_method(77) == "an unknown method (method 77)"


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
