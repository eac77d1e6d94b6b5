import pytest
from hypothesis import given
from hypothesis import strategies as st

from raim.scoring.submission.member_names import decode_name, find_name_problems, last_part, split_name


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


def test_a_name_that_claims_to_be_utf8_must_be():
    name, found = decode_name(b"\xff.png", 0x0800)
    assert found.code == "name-encoding"
    assert name.endswith(".png")


def test_the_last_part_is_found_on_any_system():
    assert last_part("..\\a/b\\0001.png") == "0001.png"


def test_a_name_that_no_file_system_stores_is_refused():
    assert codes("a" * 255) == []
    assert codes("x/" + "é" * 128) == ["name-too-long"]
