"""A zip of a folder on its way to the disk: what is written, and what refuses it before anything is."""

import os
import stat
import struct
import zipfile

import pytest

from raim.errors import SubmissionError
from raim.scoring.submission import Limits, unpack_folder

SUFFIXES = {".toml", ".png"}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "unpacked"


def read(target):
    return {
        path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()
    }


def codes(error):
    return sorted(each.code for each in error.value.problems)


def test_wanted_files_are_written_and_others_are_named(forge, target):
    files = {
        "top/challenge.toml": b"1",
        "top/data/a.png": b"2",
        "top/raim.db": b"3",
        "__MACOSX/top/x.toml": b"",
    }
    seen = []
    notes = unpack_folder(
        forge.write_zip(files), target, suffixes=SUFFIXES, on_file=lambda *done: seen.append(done)
    )
    assert read(target) == {"challenge.toml": b"1", "data/a.png": b"2"}
    assert "top/raim.db" in " ".join(notes)
    assert seen == [(0, 2), (1, 2)]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../a.toml", "path-traversal"),
        ("data/../../a.toml", "path-traversal"),
        ("/etc/a.toml", "absolute-path"),
        ("C:/a.toml", "absolute-path"),
        ("data\\a.toml", "backslash"),
        ("a\x07.toml", "control-character"),
    ],
)
def test_a_name_that_leads_elsewhere_refuses_all_of_it(forge, target, name, code):
    path = forge.write_zip([("challenge.toml", b"1"), (name, b"2")])
    with pytest.raises(SubmissionError) as error:
        unpack_folder(path, target, suffixes=SUFFIXES)
    assert code in codes(error)
    assert not target.exists()
    assert not list(target.parent.rglob("*.toml"))


def test_a_link_is_refused(tmp_path, target):
    path = tmp_path / "link.zip"
    link = zipfile.ZipInfo("data")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, os.fspath(tmp_path))
        archive.writestr("data/challenge.toml", "x")
    with pytest.raises(SubmissionError) as error:
        unpack_folder(path, target, suffixes=SUFFIXES)
    assert "symlink" in codes(error)
    assert not target.exists()


@pytest.mark.parametrize(
    "names", [("data.png", "data.png/a.png"), ("a.toml", "A.toml"), ("x/a.png", "X/A.PNG")]
)
def test_names_that_a_disk_takes_for_each_other_are_refused(forge, target, names):
    with pytest.raises(SubmissionError) as error:
        unpack_folder(forge.write_zip([(name, b"1") for name in names]), target, suffixes=SUFFIXES)
    assert set(codes(error)) == {"colliding-names"}
    assert not target.exists()


def test_more_than_there_is_room_for_is_refused_before_it_is_written(forge, target):
    path = forge.write_zip({"a.png": bytes(range(100))})
    with pytest.raises(SubmissionError, match="room for 99"):
        unpack_folder(path, target, suffixes=SUFFIXES, free_bytes=99)
    assert not target.exists()
    unpack_folder(path, target, suffixes=SUFFIXES, free_bytes=100)


def test_a_file_that_unpacks_to_more_than_it_declares_is_refused(forge, target):
    path = forge.write_zip({"a.png": b"x" * 5000})
    size = struct.pack("<L", 50)
    with pytest.raises(SubmissionError) as error:
        unpack_folder(forge.patch(path, 0, central={24: size}, local={22: size}), target, suffixes=SUFFIXES)
    assert codes(error) == ["size-mismatch"]


def test_bombs_and_too_many_files_are_refused_unread(forge, target):
    bomb = forge.write_zip({"a.png": bytes(2**21)})
    with pytest.raises(SubmissionError) as error:
        unpack_folder(bomb, target, suffixes=SUFFIXES)
    assert codes(error) == ["zip-bomb"]
    many = forge.write_zip({f"{n}.png": b"" for n in range(3)})
    with pytest.raises(SubmissionError) as error:
        unpack_folder(many, target, suffixes=SUFFIXES, limits=Limits(max_members=2))
    assert codes(error) == ["too-many-members"]
    assert not target.exists()
