import itertools
import unicodedata
from pathlib import Path

import pytest

from raim.scoring.submission.layout import lay_out
from raim.scoring.submission.member import ArchiveMember


def members(*names: str) -> list[ArchiveMember]:
    return [
        ArchiveMember(container=Path("t.zip"), stored_name=name, parts=tuple(name.split("/")), n_bytes=0)
        for name in names
    ]


def codes(findings) -> list[str]:
    return [each.code for each in findings]


JUNK = [
    "__MACOSX/._0001.png",
    "__MACOSX/x/._0001.png",
    ".DS_Store",
    "x/.DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "._0001.png",
    "Icon\r",
    ".ipynb_checkpoints/0001-checkpoint.png",
    "@eaDir/0001.png/SYNOPHOTO_THUMB_M.jpg",
    "x/@eaDir/0001.png@SynoEAStream",
    ".@__thumb/default0001.png",
    "~$results.xlsx",
    ".~lock.results.ods#",
    ".directory",
    ".Trash-1000/files/0002.png",
    ".nfs000000000012",
    "__pycache__/make.cpython-311.pyc",
    "System Volume Information/WPSettings.dat",
]


@pytest.mark.parametrize("name", JUNK)
def test_what_systems_and_programs_leave_is_ignored_with_a_note(name):
    layout = lay_out(members("0001.png", name))
    assert [member.name for member in layout.root] == ["0001.png"]
    assert layout.nested == ()
    assert codes(layout.notes) == ["junk"]


def test_one_common_folder_is_taken_off_with_a_note_junk_beside_it_does_not_count():
    layout = lay_out(members("team/0001.png", "team/readme.txt", "__MACOSX/team/._0001.png", ".DS_Store"))
    assert [member.parts for member in layout.root] == [("0001.png",), ("readme.txt",)]
    assert codes(layout.notes) == ["junk", "common-folder"]


def test_only_one_level_is_taken_off():
    layout = lay_out(members("a/b/0001.png", "a/b/readme.txt"))
    assert layout.root == ()
    assert [member.parts for member in layout.nested] == [("b", "0001.png"), ("b", "readme.txt")]


def test_two_folders_are_not_common():
    layout = lay_out(members("a/0001.png", "b/0002.png"))
    assert layout.root == ()
    assert len(layout.nested) == 2


def test_a_name_that_stands_twice_is_a_duplicate():
    (found,) = lay_out(members("0001.png", "0001.png", "0001.png")).problems
    assert found.code == "duplicate-member"
    assert "3 times" in found.message


NFD = unicodedata.normalize("NFD", "é.png")


@pytest.mark.parametrize(
    "pair",
    [("a.png", "A.png"), ("a.png", "a.PNG"), ("é.png", NFD), ("\ufb01.png", "fi.png"), ("a.png", "A.jpg")],
)
def test_names_that_differ_only_in_case_or_unicode_form_collide(pair):
    assert codes(lay_out(members(*pair)).problems) == ["colliding-names"]


def test_two_formats_of_one_image_are_a_duplicate_stem():
    (found,) = lay_out(members("a.png", "a.jpg", "b.png")).problems
    assert found.code == "duplicate-stem"
    assert "a.png and a.jpg" in found.message


def test_the_readme_beside_an_image_of_that_name_is_no_duplicate():
    assert lay_out(members("readme.txt", "readme.png")).problems == ()


def test_thousands_of_colliding_names_make_one_short_problem():
    names = ["".join(letters) + ".png" for letters in itertools.product("aA", repeat=12)]
    (found,) = lay_out(members(*names)).problems
    assert "and 4093 more" in found.message
    assert len(found.message) < 300
