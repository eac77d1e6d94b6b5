import concurrent.futures
import multiprocessing
import pickle
import unicodedata

import pytest

from raim.errors import InputError, SubmissionError
from raim.scoring.submission import open_images


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
