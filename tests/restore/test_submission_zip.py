"""From inputs to a zip that `raim check` accepts."""

import dataclasses
import zipfile

import numpy as np
import pytest
from PIL import Image

from raim.data import parse_manifest
from raim.errors import InputError, SubmissionError
from raim.images import write_image
from raim.restore import find_restorer
from raim.restore.batch import Options, restore_batch
from raim.restore.submission import pack_submission, plan_submission, remove_parts
from raim.scoring.submission import check_submission, parse_readme

STATEMENT = {"is_on_cpu": True, "has_extra_data": False, "description": "a test: of names"}
OPTIONS = Options(is_submission=True)


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / "inputs"
    folder.mkdir()
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    for name in ("0002.jpg", "0001.jpg"):
        pixels = rng.integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name, exif=exif, quality=90)
    write_image(folder / "grey, deep.png", rng.integers(0, 65536, (40, 60), np.uint16))
    return folder


def restore(planned, name="identity"):
    return restore_batch(planned.plan, find_restorer(name), OPTIONS, work=name)


def test_the_check_accepts_it(inputs, tmp_path):
    planned = plan_submission(inputs, tmp_path / "s.zip")
    readme = pack_submission(planned, restore(planned), **STATEMENT)
    report = check_submission(tmp_path / "s.zip", inputs)
    assert report.is_fine, report.as_text()
    assert report.readme == readme
    assert (readme.is_on_cpu, readme.has_extra_data) == (True, False)
    assert readme.description == "a test: of names"
    assert readme.runtime_s > 0


def test_it_holds_bare_png_files_named_as_the_inputs(inputs, tmp_path):
    planned = plan_submission(inputs, tmp_path / "s.zip")
    pack_submission(planned, restore(planned), **STATEMENT)
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.namelist() == ["0001.png", "0002.png", "grey, deep.png", "readme.txt"]
        assert parse_readme(archive.read("readme.txt").decode()).description == "a test: of names"
        with archive.open("0001.png") as file, Image.open(file) as image:
            assert (image.format, dict(image.getexif())) == ("PNG", {})
            assert "icc_profile" not in image.info


def test_the_same_images_make_the_same_bytes(inputs, tmp_path):
    planned = plan_submission(inputs, tmp_path / "s.zip")
    outcomes = restore(planned)
    pack_submission(planned, outcomes, **STATEMENT)
    before = (tmp_path / "s.zip").read_bytes()
    reverse = dataclasses.replace(planned.plan, jobs=planned.plan.jobs[::-1])
    pack_submission(dataclasses.replace(planned, plan=reverse), outcomes, **STATEMENT)
    assert (tmp_path / "s.zip").read_bytes() == before


def test_nothing_is_left_of_a_zip_that_could_not_be_written(inputs, tmp_path):
    planned = plan_submission(inputs, tmp_path / "s.zip")
    outcomes = restore(planned)
    outcomes[1].job.target.unlink()
    with pytest.raises(InputError, match="cannot be written"):
        pack_submission(planned, outcomes, **STATEMENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs", "s.zip.parts"]
    assert not list(planned.parts.glob("*.zip*"))


def test_the_runtime_is_the_mean_of_what_was_measured(inputs, tmp_path):
    planned = plan_submission(inputs, tmp_path / "s.zip")
    outcomes = restore(planned, "nlm")
    mean = np.mean([outcome.made.seconds for outcome in outcomes])
    readme = pack_submission(planned, outcomes, **STATEMENT)
    assert readme.runtime_s == pytest.approx(max(mean, 0.001), abs=0.0006)


def test_a_zip_that_the_check_refuses_is_not_left(inputs, tmp_path):
    planned = plan_submission(inputs, tmp_path / "s.zip")
    outcomes = restore(planned, "bicubic-x2")
    with pytest.raises(SubmissionError, match="120x80"):
        pack_submission(planned, outcomes, **STATEMENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs", "s.zip.parts"]
    assert not (tmp_path / "s.zip.parts" / "s.zip").exists()


def test_a_manifest_may_state_another_size(inputs, tmp_path):
    rows = "".join(f"{name},120,80\n" for name in ("0001", "0002", '"grey, deep"'))
    manifest = parse_manifest("name,width,height\n" + rows)
    planned = plan_submission(inputs, tmp_path / "s.zip")
    pack_submission(planned, restore(planned, "bicubic-x2"), **STATEMENT, manifest=manifest)
    assert (tmp_path / "s.zip").is_file()


def test_images_that_are_not_restored_are_counted(inputs, tmp_path):
    (inputs / "0001.jpg").write_bytes(b"no picture")
    planned = plan_submission(inputs, tmp_path / "s.zip")
    with pytest.raises(InputError, match="2 of 3 images are restored"):
        pack_submission(planned, restore(planned), **STATEMENT)


def test_only_what_was_made_is_removed(inputs, tmp_path):
    planned = plan_submission(inputs, tmp_path / "s.zip")
    restore(planned)
    (planned.parts / "mine.txt").write_text("keep")
    remove_parts(planned)
    assert [path.name for path in planned.parts.iterdir()] == ["mine.txt"]
    (planned.parts / "mine.txt").unlink()
    remove_parts(planned)
    assert not planned.parts.exists()


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("inputs", "s.7z", "does not end in .zip"),
        ("inputs", "gone/s.zip", "there is no folder"),
        ("inputs", "there.zip", "is there already"),
        ("inputs", "folder.zip", "cannot be replaced"),
        ("there.zip", "there.zip", "cannot be replaced"),
        ("inputs/0001.jpg", "s.zip", "is one file"),
    ],
    ids=["suffix", "no-folder", "there", "folder", "itself", "one-file"],
)
def test_places_that_cannot_be_are_refused(inputs, tmp_path, source, target, message):
    (tmp_path / "there.zip").write_bytes(b"an earlier one")
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(InputError, match=message):
        plan_submission(tmp_path / source, tmp_path / target)
    assert (tmp_path / "there.zip").read_bytes() == b"an earlier one"
