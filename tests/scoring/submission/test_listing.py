import os
import socket

import pytest

from raim.errors import InputError
from raim.scoring.submission import open_images
from raim.scoring.submission.limits import Limits
from raim.scoring.submission.listing import list_submission


def codes(path, *, allow_links=False, **limits) -> list[str]:
    listing = list_submission(path, limits=Limits(**limits), allow_links=allow_links)
    return [each.code for each in listing.all_problems]


def test_files_are_listed_with_their_folders_in_order(forge):
    path = forge.write_folder("team", {"b.png": b"2", "a.png": b"1", "x/c.png": b"3"})
    listing = list_submission(path)
    assert [member.parts for member in listing.members] == [("a.png",), ("b.png",), ("x", "c.png")]
    assert [member.read_bytes() for member in listing.members] == [b"1", b"2", b"3"]
    assert listing.all_problems == ()


def test_a_link_out_of_the_folder_is_refused_unless_links_are_allowed(forge):
    path = forge.write_folder("team", {"a.png": b"1"})
    outside = forge.folder / "secret.png"
    outside.write_bytes(b"secret")
    (path / "b.png").symlink_to(outside)
    assert codes(path) == ["symlink"]
    assert list_submission(path).members[1].problems
    assert codes(path, allow_links=True) == []
    assert list_submission(path, allow_links=True).members[1].read_bytes() == b"secret"


def test_a_link_within_the_folder_is_followed(forge):
    path = forge.write_folder("team", {"a.png": b"1"})
    (path / "b.png").symlink_to("a.png")
    listing = list_submission(path)
    assert listing.all_problems == ()
    assert listing.members[1].read_bytes() == b"1"


def test_a_link_to_a_folder_is_refused(forge):
    path = forge.write_folder("team", {"a.png": b"1"})
    (path / "loop").symlink_to(path)
    assert codes(path) == ["symlink"]


def test_a_broken_link_is_refused(forge):
    path = forge.write_folder("team", {"a.png": b"1"})
    (path / "b.png").symlink_to("none.png")
    assert codes(path) == ["unreadable-file"]


def test_a_linked_folder_itself_may_be_given(forge):
    path = forge.write_folder("team", {"a.png": b"1"})
    (forge.folder / "alias").symlink_to(path)
    assert codes(forge.folder / "alias") == []


def test_what_programs_leave_is_neither_read_nor_a_problem_however_odd_or_large_it_is(forge):
    path = forge.write_folder("team", {"a.png": b"1", "x/@eaDir/a.png/T.jpg": b"2", "Icon\r": b""})
    (path / ".nfs0001").symlink_to("none")
    (path / "lost+found").mkdir(mode=0o000)
    (path / ".Trash-1000").symlink_to(forge.folder, target_is_directory=True)
    forge.write_folder("team/.git", {str(n): b"" for n in range(20)})
    listing = list_submission(path, limits=Limits(max_members=8))
    assert listing.all_problems == ()
    assert [member.stored_name for member in listing.members] == [
        ".nfs0001", "Icon\r", "a.png", ".Trash-1000/", ".git/", "lost+found/", "x/@eaDir/"
    ]  # fmt: skip
    assert list(open_images(path)) == ["a"]


def test_a_pipe_is_refused_and_never_opened(forge):
    path = forge.write_folder("team", {"a.png": b"1"})
    os.mkfifo(path / "b.png")
    assert codes(path) == ["special-file"]


def test_a_socket_is_refused(forge, monkeypatch):
    path = forge.write_folder("team", {"a.png": b"1"})
    monkeypatch.chdir(path)  # the path of a socket may have 107 bytes only
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("b.png")
        assert codes(path) == ["special-file"]


def test_limits_hold_for_folders_too(forge):
    path = forge.write_folder("team", {"a.png": b"11", "b.png": b"2"})
    assert codes(path, max_members=1) == ["too-many-members"]
    assert codes(path, max_member_bytes=1) == ["member-too-large"]
    assert codes(path, max_total_bytes=2) == ["archive-too-large"]


def test_a_name_that_is_not_text_is_refused(forge):
    path = forge.write_folder("team", {"a.png": b"1"})
    try:
        (path / "\udcff.png").write_bytes(b"1")
    except OSError:
        pytest.skip("this file system stores only UTF-8 names")
    assert codes(path) == ["control-character"]


def test_a_backslash_in_a_file_name_is_refused(forge):
    assert codes(forge.write_folder("team", {"x\\a.png": b"1"})) == ["backslash"]


def test_nothing_at_the_path_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="there is no file or folder"):
        list_submission(tmp_path / "none.zip")


def test_files_and_folders_without_permission_are_refused(forge, monkeypatch):
    path = forge.write_folder("team", {"a.png": b"1", "x/b.png": b"2"})
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # the superuser may read everything
    scan = os.scandir

    def refuse(folder):
        if str(folder).endswith("x"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    listing = list_submission(path)
    assert [each.code for each in listing.all_problems] == ["unreadable-file", "unreadable-file"]
    assert listing.members[0].problems


def test_a_zip_without_permission_is_an_input_error(forge, monkeypatch):
    path = forge.write_zip({"a.png": b"1"})

    def refuse(self, _mode, **_):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        list_submission(path)
