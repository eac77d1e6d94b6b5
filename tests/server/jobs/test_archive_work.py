"""What a child process of a worker does with one photograph."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from measure_forms import replace_forms
from raim.errors import UnexpectedError
from raim.images import encode_image, read_image, reading, write_image
from raim.scoring.photograph import Scored
from raim.server.jobs import archive_work
from raim.server.jobs.archive_work import CheckTask, ScoreTask, check_archive, score_task
from raim.server.jobs.tiling import PackTask, pack_archives
from raim.server.jobs.versions import known_versions, scorer_version


@pytest.fixture
def task(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    (tmp_path / "reference").mkdir()
    write_image(tmp_path / "reference" / "1.png", pixels)
    for name, content in (("whole", (tmp_path / "reference" / "1.png").read_bytes()), ("torn", b"no image")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("1.png", content)
    return ScoreTask(
        name="1",
        scenario=None,
        reference=tmp_path / "reference",
        archives={1: tmp_path / "whole.zip", 2: tmp_path / "torn.zip"},
        profile="raim-2026-hdr",
        cache=None,
    )


def test_a_damaged_image_has_a_reason_and_no_score(task):
    records = score_task(task, print).records
    assert records[1]["score"] == pytest.approx(100.5)
    assert (records[2]["score"], records[2]["failed"]) == (None, True)


def test_no_image_of_a_team_is_decoded_by_the_process_that_reads_references(task, tmp_path, monkeypatch):
    theirs = encode_image(np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8), ".png")
    with zipfile.ZipFile(tmp_path / "theirs.zip", "w") as archive:
        archive.writestr("1.png", theirs)
    decode = reading.decode

    def decode_ours(content, header):
        assert content != theirs, "it was decoded here"
        return decode(content, header)

    monkeypatch.setattr(reading, "decode", decode_ours)
    with pytest.raises(AssertionError, match="decoded here"):
        read_image(theirs)
    path, ours = tmp_path / "theirs.zip", task.reference / "1.png"
    assert score_task(replace(task, archives={1: path}), print).records[1]["score"] is not None
    checked = check_archive(CheckTask(path=path, label="a.zip", inputs=task.reference, manifest=""), print)
    assert "cannot be decoded" not in checked.text
    assert checked.report["images"] == 1
    packing = PackTask(image="1", input=ours, archives={"e1": path}, target=tmp_path / "pack")
    assert pack_archives(packing, print) == ""


def test_a_fault_in_a_measure_is_raised_so_that_the_team_has_its_try_back(task, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("boom")

    replace_forms(monkeypatch, "ssim", array_form=fail)
    with pytest.raises(UnexpectedError, match="boom"):
        score_task(task, print)


@pytest.mark.parametrize(("profile", "engine"), [("raim-2024", "ncnn"), ("raim-2024-fast", "fast")])
def test_a_board_is_scored_by_one_engine_whatever_is_faster_on_a_worker(monkeypatch, task, profile, engine):
    monkeypatch.setenv("RAIM_ENGINE", "winograd")
    asked = []
    monkeypatch.setattr(
        archive_work,
        "score_photograph",
        lambda _, setting: asked.append(setting) or Scored(images=(), new_values={}),
    )
    score_task(replace(task, profile=profile, archives={}), print)
    assert [each.engine for each in asked] == [engine]
    assert scorer_version(profile) in known_versions()


def test_scores_of_the_fast_engine_have_a_version_of_their_own():
    assert len({scorer_version(name).rpartition("-")[2] for name in ("raim-2024", "raim-2024-fast")}) == 2
