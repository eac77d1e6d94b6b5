import os

import pytest

from raim.errors import InputError, SubmissionError
from raim.restore.batch import plan_jobs
from raim.scoring.submission import ArchiveMember


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("missing.png", "out.png", "there is nothing at"),
        ("in", "in", "is the folder of the inputs"),
        ("in", "in/a.png", "is a file; .* name a folder"),
        ("in/a.png", "in/a.png", "is the input itself"),
        ("in/a.png", "in", "is the input itself"),
        ("in/a.png", "link.png", "is the input itself"),
        ("in/a.png", "nowhere/out.png", "there is no folder"),
        ("in/a.png", "out", "has no suffix"),
    ],
    ids=["missing", "same-folder", "file-for-folder", "itself", "its-folder", "link", "no-folder", "no-suffix"],
)  # fmt: skip
def test_places_that_cannot_be_are_refused(folder, tmp_path, source, target, message):
    (tmp_path / "link.png").symlink_to(folder / "a.png")
    with pytest.raises(InputError, match=message):
        plan_jobs(tmp_path / source, tmp_path / target)


def test_inputs_within_one_common_folder_are_not_replaced_either(folder, tmp_path):
    (tmp_path / "outer").mkdir()
    folder.rename(tmp_path / "outer" / "inner")
    with pytest.raises(InputError, match="is the input itself"):
        plan_jobs(tmp_path / "outer", tmp_path / "outer" / "inner")


def test_a_format_that_contradicts_the_named_file_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match=r"does not end in \.tif"):
        plan_jobs(folder / "a.png", tmp_path / "out.png", suffix=".tif")


def test_what_is_no_image_is_ignored_and_said(folder, tmp_path):
    (folder / "clip.mp4").write_bytes(b"moving")
    plan = plan_jobs(folder, tmp_path / "out")
    assert len(plan.jobs) == 3
    assert any("clip.mp4" in note for note in plan.notes)


def test_sizes_are_known_before_the_work_and_nothing_for_what_cannot_be_read(folder, tmp_path):
    (folder / "a.png").write_bytes(b"no picture")
    assert [job.n_pixels for job in plan_jobs(folder, tmp_path / "out").jobs] == [0, 192, 192]


def test_a_zip_is_known_by_its_content_too(tmp_path):
    (tmp_path / "photographs.bin").write_bytes(b"PK\3\4 but damaged")
    with pytest.raises(SubmissionError):
        plan_jobs(tmp_path / "photographs.bin", tmp_path / "out")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_in_a_folder_is_refused_when_its_turn_comes_and_never_opened(folder, tmp_path):
    os.mkfifo(folder / "0.png")
    refused, *others = plan_jobs(folder, tmp_path / "out").jobs
    assert isinstance(refused.source, ArchiveMember), "a path would be opened, and wait for ever"
    with pytest.raises(SubmissionError, match=r"0\.png is a device, pipe or socket"):
        refused.read_bytes()
    assert all(job.read_bytes() for job in others)
