import concurrent.futures
import multiprocessing
import os
import pickle
import socket
import unicodedata

import pytest

from raim.errors import InputError, SubmissionError
from raim.scoring.submission import open_images
from raim.scoring.submission.listing import list_submission
from raim.scoring.submission.member import Limits


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


def test_a_folder_and_a_zip_of_the_same_files_are_the_same(forge):
    files = {"b.png": b"2", "a.jpg": b"1", "c.tif": b"3", "d.webp": b"4", "readme.txt": b"x"}
    folder = open_images(forge.write_folder("team", files))
    archive = open_images(forge.write_zip(files))
    assert list(folder) == list(archive) == ["a", "b", "c", "d"]
    assert [folder[stem].read_bytes() for stem in folder] == [archive[stem].read_bytes() for stem in archive]
    assert [folder[stem].sha256() for stem in folder] == [archive[stem].sha256() for stem in archive]
    assert folder.notes == archive.notes == ()


def test_stems_are_the_same_whatever_unicode_form_a_system_stores(forge):
    decomposed = unicodedata.normalize("NFD", "été.png")
    assert list(open_images(forge.write_zip({decomposed: b"1"}))) == ["été"]


def test_other_files_and_folders_are_ignored_with_a_note(forge):
    path = forge.write_folder("team", {"a.png": b"1", "notes.md": b"x", "old/a.png": b"0"})
    images = open_images(path)
    assert list(images) == ["a"]
    (found,) = images.notes
    assert found.code == "ignored-file"
    assert "notes.md, old/" in found.message


def test_one_common_folder_is_taken_off(forge):
    images = open_images(forge.write_zip({"x/a.png": b"1", "__MACOSX/x/._a.png": b"0"}))
    assert images["a"].read_bytes() == b"1"
    assert images["a"].name == "a.png"
    assert [each.code for each in images.notes] == ["junk", "common-folder"]


def test_everything_unsafe_is_listed_at_once(forge):
    path = forge.write_zip({"../a.png": b"1", "b.png": b"1", "B.png": b"1", "c.png": b"1", "c.jpg": b"1"})
    with pytest.raises(SubmissionError) as caught:
        open_images(path)
    codes = {each.code for each in caught.value.problems}
    assert codes == {"path-traversal", "colliding-names", "duplicate-stem"}


def test_a_folder_without_images_says_what_is_there(forge):
    with pytest.raises(
        SubmissionError, match=r"no image at the root \(there is input/, reference/, x\.csv\)"
    ):
        open_images(forge.write_folder("data", {"input/a.png": b"", "reference/a.png": b"", "x.csv": b""}))


def test_links_to_files_elsewhere_are_followed_only_where_allowed(forge):
    path = forge.write_folder("data", {"a.png": b"1"})
    outside = forge.folder / "b.png"
    outside.write_bytes(b"2")
    (path / "b.png").symlink_to(outside)
    with pytest.raises(SubmissionError, match="symlink"):
        open_images(path)
    assert open_images(path, allow_links=True)["b"].read_bytes() == b"2"


@pytest.mark.parametrize("is_zip", [False, True], ids=["folder", "zip"])
def test_an_odd_name_costs_its_own_stem_where_refusals_are_deferred(forge, is_zip):
    odd = ["x.png", "x.jpg", "Y.png", "y.png", "z\x1b[2J.png"]
    files = dict.fromkeys(("a.png", *odd), b"1")
    path = forge.write_zip(files) if is_zip else forge.write_folder("team", files)
    images = open_images(path, defer_unreadable=True)
    assert list(images) == ["Y", "a", "x", "y", r"z\x1b[2J"]
    assert images["a"].read_bytes() == b"1"
    reasons = {"x": "in several formats", "y": "letter case", "Y": "letter case", r"z\x1b[2J": "control"}
    for stem, reason in reasons.items():
        assert images[stem].name.isprintable()
        with pytest.raises(SubmissionError, match=reason):
            images[stem].read_bytes()


def test_what_is_unsafe_in_a_zip_refuses_all_of_it_and_in_a_folder_its_own_file(forge):
    files = {"a.png": b"1", "C:\\b.png": b"2"}
    with pytest.raises(SubmissionError, match="backslash"):
        open_images(forge.write_zip(files), defer_unreadable=True)
    images = open_images(forge.write_folder("team", files), defer_unreadable=True)
    assert images["a"].read_bytes() == b"1"
    with pytest.raises(SubmissionError, match=r"absolute path; .*; .*backslash"):
        images["C:\\b"].read_bytes()


def test_nothing_there_is_an_input_error(tmp_path):
    with pytest.raises(InputError):
        open_images(tmp_path / "none")


def test_a_mapping_survives_a_pickle(forge):
    images = open_images(forge.write_zip({"a.png": b"1"}))
    assert dict(pickle.loads(pickle.dumps(images))) == dict(images)  # noqa: S301  our own bytes


def test_members_are_read_in_a_fresh_worker_process(forge):
    images = open_images(forge.write_zip({"a.png": b"1", "b.png": b"2"}))
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(images["b"].read_bytes).result() == b"2"
