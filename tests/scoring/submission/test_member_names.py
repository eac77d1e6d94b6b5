import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.scoring.submission.member_names import (
    find_name_problems,
    last_part,
    read_in_encodings,
    read_name,
    split_name,
)


def codes(name: str) -> list[str]:
    return [each.code for each in find_name_problems(name)]


@pytest.mark.parametrize(
    "name", ["0001.png", "a b.png", "é.png", "ж.png", "影.jpg", "x/y/z.png", "..png", "a..b"]
)
def test_ordinary_names_are_fine(name):
    assert codes(name) == []


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "a/..", "..", "x/..\\y.png"])
def test_names_that_lead_upwards_are_traversal(name):
    assert "path-traversal" in codes(name)


@pytest.mark.parametrize("name", ["/etc/passwd", "C:/x.png", "c:x.png", "\\\\server\\x.png"])
def test_names_from_the_root_or_a_drive_are_absolute(name):
    assert "absolute-path" in codes(name)


def test_a_backslash_is_its_own_problem():
    assert codes("results\\0001.png") == ["backslash"]


@pytest.mark.parametrize(
    "name", ["a\0.png", "a\n.png", "\x1b[2J.png", "gnp.\u202eexe", "a\u2028b", "\udcff.png"]
)
def test_control_and_reordering_characters_are_refused_and_shown_escaped(name):
    (found,) = find_name_problems(name)
    assert found.code == "control-character"
    assert found.message.isprintable()


@pytest.mark.parametrize("name", ["", ".", "./", "//"])
def test_a_member_needs_a_name(name):
    assert "empty-name" in codes(name)


@given(st.text())
def test_a_fine_name_stays_below_its_folder(name):
    if not codes(name):
        parts = split_name(name)
        assert parts
        assert not {"", ".", ".."} & set(parts)
        assert not name.startswith("/")


def unicode_path(raw: bytes, name: bytes) -> bytes:
    """The extra field in which WinZip, WinRAR and Info-ZIP state a name in UTF-8."""
    content = b"\1" + struct.pack("<L", zlib.crc32(raw)) + name
    return struct.pack("<2H", 0x7075, len(content)) + content


def test_the_unicode_path_is_the_name_if_it_belongs_to_it():
    raw = "图像一.png".encode("gbk")
    name = read_name(raw, 0, struct.pack("<2HL", 0x5455, 4, 7) + unicode_path(raw, "图像一.png".encode()))
    assert (name.text, name.problems, name.is_guessed) == ("图像一.png", (), False)
    assert read_name(b"__.png", 0, unicode_path(b"__.png", "图像.png".encode())).text == "图像.png"
    stale = read_name(raw, 0, unicode_path(b"other", "图像一.png".encode()))
    assert (stale.text, stale.is_guessed) == (raw.decode("cp437"), True)
    assert read_name(b"a.png", 0x0800, unicode_path(b"a.png", b"b.png")).text == "a.png"


@pytest.mark.parametrize(
    ("raw", "name", "code"),
    [
        (b"a.png", b"../a.png", "path-traversal"),
        (b"../a.png", b"a.png", "path-traversal"),
        (b"/etc/x", b"x", "absolute-path"),
        (b"a.png\0.exe", b"a.png", "control-character"),
        (b"x/", b"a.png", "name-encoding"),
        (b"a.png", b"\xff.png", "name-encoding"),
        (b"a.png", b"", "empty-name"),
    ],
)
def test_neither_a_name_nor_its_unicode_path_may_be_unsafe(raw, name, code):
    assert code in [each.code for each in read_name(raw, 0, unicode_path(raw, name)).problems]


def test_the_backslash_in_a_chinese_character_is_none():
    raw = "乗.png".encode("gbk")
    assert b"\\" in raw
    assert read_name(raw, 0, unicode_path(raw, "乗.png".encode())).problems == ()


@pytest.mark.parametrize(
    ("name", "encoding", "label"),
    [
        ("图像一.png", "gbk", "GBK"),
        ("圖像.png", "big5", "Big5"),
        ("画像.png", "shift_jis", "Shift JIS"),
        ("사진.png", "euc_kr", "EUC-KR"),
        ("Prüfbild.png", "cp1252", "Windows-1252"),
        ("Prüfbild.png", "cp850", "code page 850"),
        ("снимок.png", "cp1251", "Windows-1251"),
        ("снимок.png", "cp866", "code page 866"),
    ],
)
def test_a_name_in_an_old_encoding_is_a_guess_and_can_be_read_in_it(name, encoding, label):
    raw = name.encode(encoding)
    assert read_name(raw, 0, b"").is_guessed
    assert read_in_encodings(raw)[label] == name


def test_the_icon_of_a_macos_folder_has_no_control_character_of_note():
    assert codes("x/Icon\r") == []
    assert codes("Icon\r.png") == ["control-character"]


def test_the_last_part_is_found_on_any_system():
    assert last_part("..\\a/b\\0001.png") == "0001.png"


def test_a_name_that_no_file_system_stores_is_refused():
    assert codes("a" * 255) == []
    assert codes("x/" + "é" * 128) == ["name-too-long"]
