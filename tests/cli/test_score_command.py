import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from raim.cli.score import command
from raim.images import write_image
from raim.weights import weights_folders

CLOSENESS = {"psnr": 1e-4, "ssim": 1e-5, "lpips": 5e-6, "dists": 5e-6, "niqe": 5e-3}


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    rng = np.random.default_rng(0)
    for name in ("reference", "a", "b"):
        (tmp_path / name).mkdir()
    for index in range(2):
        reference = rng.integers(0, 256, (110, 210, 3), np.uint8)
        write_image(tmp_path / "reference" / f"{index}.png", reference)
        for name, spread in (("a", 30), ("b", 3)):
            noise = rng.integers(-spread, spread + 1, reference.shape)
            write_image(tmp_path / name / f"{index}.png", np.clip(reference + noise, 0, 255).astype(np.uint8))
    (tmp_path / "manifest.csv").write_text("name,scenario\n0,denoise\n1,motion_blur\n")
    return tmp_path


def score(*arguments):
    return CliRunner().invoke(command, [*map(str, arguments), "--no-cache", "--workers", "1"])


def test_it_prints_the_entries_best_first_and_writes_json_and_csv(folders):
    result = score(
        folders / "a", folders / "b", folders / "reference", "--manifest", folders / "manifest.csv",
        "--json", folders / "o.json", "--csv", folders / "o.csv",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = [line.split()[0] for line in result.output.splitlines() if line.strip()]
    assert lines.index("b") < lines.index("a")
    assert "motion_blur" in lines
    document = json.loads((folders / "o.json").read_text())
    assert [entry["name"] for entry in document["entries"]] == ["b", "a"]
    assert set(document["entries"][0]["mean"]) == {"psnr", "ssim", "lpips", "dists", "niqe", "score"}
    assert {image["scenario"] for image in document["entries"][0]["images"]} == {"denoise", "motion_blur"}
    rows = list(csv.DictReader((folders / "o.csv").read_text().splitlines()))
    assert float(rows[0]["score"]) == pytest.approx(document["entries"][0]["images"][0]["score"])


def test_a_profile_with_fewer_measures_lists_its_own(folders):
    result = score(
        folders / "a", folders / "reference", "--profile", "raim-2026-hdr", "--json", folders / "o.json"
    )
    assert result.exit_code == 0
    assert "DISTS" not in result.output
    assert set(json.loads((folders / "o.json").read_text())["entries"][0]["mean"]) == {
        "psnr",
        "ssim",
        "lpips",
        "score",
    }


def test_what_has_no_score_is_named_with_its_reason(folders):
    (folders / "a" / "1.png").unlink()
    result = score(folders / "a", folders / "reference", "--profile", "raim-2026-hdr")
    assert "no score: a: 1: missing" in result.output
    assert "1/2" in result.output


def test_an_output_in_a_folder_that_is_not_there_is_refused_before_the_work(folders):
    result = score(folders / "a", folders / "reference", "--json", folders / "nowhere" / "o.json")
    assert "nowhere" in str(result.exception)


def test_one_folder_alone_is_refused(folders):
    assert "REFERENCE" in str(score(folders / "a").exception)


def test_an_unknown_profile_names_the_nearest(folders):
    result = score(folders / "a", folders / "reference", "--profile", "raim-2025")
    assert "did you mean 'raim-202" in str(result.exception)


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.timeout(600)
def test_every_real_pair_comes_out_from_the_command_line_on_two_processes(shared, tmp_path):
    with (shared / "kat" / "real_pairs.csv").open(newline="") as file:
        expected = {row["pair_id"]: row for row in csv.DictReader(file)}
    for role in ("input", "reference"):
        (tmp_path / role).mkdir()
        for file in (shared / "data" / "paired").glob(f"*/{role}/*"):
            (tmp_path / role / file.name).symlink_to(file)
    weights = str(weights_folders().cache)
    environment = os.environ | {"RAIM_CACHE_DIR": str(tmp_path), "RAIM_WEIGHTS_DIR": weights}
    subprocess.run(
        [
            sys.executable, "-m", "raim", "score", tmp_path / "input", tmp_path / "reference", "--workers", "2",
            "--manifest", shared / "data" / "MANIFEST.csv", "--json", tmp_path / "o.json",
        ],
        check=True,
        capture_output=True,
        env=environment,
    )  # fmt: skip
    images = json.loads((tmp_path / "o.json").read_text())["entries"][0]["images"]
    assert {image["name"] for image in images} == set(expected)
    for image in images:
        assert image["scenario"] == expected[image["name"]]["scenario"]
        for measure, closeness in CLOSENESS.items():
            value = float(expected[image["name"]][f"raim2024_{measure}"])
            assert image[measure] == pytest.approx(value, abs=closeness), (image["name"], measure)


def test_the_page_has_the_ranking_and_the_pictures_inside(folders):
    result = score(
        folders / "a", folders / "b", folders / "reference", "--profile", "raim-2026-hdr",
        "--input", folders / "a", "--html", folders / "p.html",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    page = (folders / "p.html").read_text(encoding="utf-8")
    assert page.index(">b<") < page.index(">a<")
    assert "data:image/" in page
    assert 'src="http' not in page
