import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from raim.cli.score import command
from raim.cli.score_table import list_failures, print_scores
from raim.errors import InputError, RaimError
from raim.images import write_image
from raim.scoring import PROFILES, EntryScore, ImageScore, ScoreTable
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
    assert result.exit_code == 0
    assert "no score: a: 1: missing" in result.output
    assert "1/2" in result.output


@pytest.mark.parametrize("option", ["--json", "--csv", "--html"])
@pytest.mark.parametrize(
    ("path", "reason"),
    [("nowhere/o", "there is no folder"), ("a", "it is a folder"), ("manifest.csv/o", "folder")],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    folders, monkeypatch, option, path, reason
):
    monkeypatch.setattr("raim.scoring.score_folders", pytest.fail)
    result = score(folders / "a", folders / "reference", option, folders / path)
    assert isinstance(result.exception, InputError)
    assert f"{path} cannot be written" in str(result.exception)
    assert reason in str(result.exception)


def test_what_failed_ends_with_an_error_after_all_else_is_done(folders):
    (folders / "a" / "1.png").write_bytes(b"")
    outputs = [folders / f"o.{form}" for form in ("json", "csv", "html")]
    result = score(
        folders / "a", folders / "b", folders / "reference", "--profile", "raim-2026-hdr",
        "--json", outputs[0], "--csv", outputs[1], "--html", outputs[2],
    )  # fmt: skip
    assert isinstance(result.exception, RaimError)
    assert str(result.exception).startswith(
        "1 of 4 images failed; the others are scored and written:\n  a: 1: 1.png: "
    )
    b, a = json.loads(outputs[0].read_text())["entries"]
    assert (b["rank"], b["n_scored"], a["rank"], a["n_scored"], a["n_expected"]) == (1, 2, None, 1, 2)
    assert [image["failed"] for image in a["images"]] == [False, True]
    rows = {
        row["entry"]: row
        for row in csv.DictReader(outputs[1].read_text().splitlines())
        if row["kind"] == "entry"
    }
    assert {name: (row["n_scored"], row["n_expected"]) for name, row in rows.items()} == {
        "a": ("1", "2"), "b": ("2", "2"),
    }  # fmt: skip
    assert "a</strong> is unranked: 1 of 2 images have a score" in outputs[2].read_text()


def test_control_characters_of_names_and_reasons_do_not_reach_the_terminal(capsys):
    values = dict.fromkeys(PROFILES["raim-2024"].columns)
    image = ImageScore(name="0\x1b[1m", scenario="s\x1b[2m", values=values, unscored="x\x1b[3m", failed=True)
    entry = EntryScore(name="R\x1b[31m\n", images=(image,), notes=("n\x1b[5m",))
    table = ScoreTable(profile=PROFILES["raim-2024"], entries=(entry,), raim_version="0")
    print_scores(table)
    lines = [*capsys.readouterr().out.splitlines(), *list_failures(table)]
    assert not [line for line in lines if not line.isprintable()]
    assert any(r"R\x1b[31m\n" in line for line in lines)


def test_a_reason_that_many_images_share_is_said_once():
    torn = tuple(
        ImageScore(name=str(number), values={"score": None}, unscored="torn.zip is no zip", failed=True)
        for number in range(7)
    )
    table = ScoreTable(
        profile=PROFILES["raim-2024"], entries=(EntryScore(name="torn", images=torn),), raim_version="1"
    )
    assert list_failures(table) == [
        "7 of 7 images failed; the others are scored and written:",
        "  torn: 0, 1, 2, 3, 4 and 2 more: torn.zip is no zip",
    ]


def test_an_incomplete_entry_is_after_the_others_unless_asked_for(folders):
    for path in (folders / "b").glob("1.*"):
        path.unlink()
    options = [folders / "a", folders / "b", folders / "reference", "--profile", "raim-2026-hdr"]
    result = score(*options)
    assert result.exit_code == 0
    assert "unranked: b: 1 of 2 images have a score; none: 1" in result.output
    ranks = [line.split()[:3] for line in result.output.splitlines() if line.startswith((" a ", " b "))]
    assert ranks == [["a", "1", "2/2"], ["b", "-", "1/2"]]
    asked = score(*options, "--allow-incomplete")
    assert "note: b is ranked by the mean that it has: 1 of 2 images have a score; none: 1" in asked.output
    ranks = [line.split()[:3] for line in asked.output.splitlines() if line.startswith((" a ", " b "))]
    assert ranks == [["b", "1", "1/2"], ["a", "2", "2/2"]]


def test_one_process_computes_where_the_device_is_not_the_processor(folders, monkeypatch):
    asked = []
    monkeypatch.setattr("raim.scoring.score_folders", lambda *_, **options: asked.append(options["workers"]))
    monkeypatch.setattr("raim.cli.score_table.print_scores", lambda _: None)
    monkeypatch.setattr("raim.cli.score_table.list_failures", lambda _: [])
    monkeypatch.setattr("raim.cli.score.count_cores", lambda: 7)
    for device in ("cpu", "cuda"):
        CliRunner().invoke(command, [str(folders / "a"), str(folders / "reference"), "--device", device])
    assert asked == [7, 1]


def test_a_cache_that_cannot_be_used_is_a_note(folders, monkeypatch):
    monkeypatch.setenv("RAIM_WEIGHTS_DIR", str(weights_folders().cache))
    monkeypatch.setenv("RAIM_CACHE_DIR", str(folders / "manifest.csv" / "cache"))
    arguments = [folders / "a", folders / "reference", "--workers", "1", "--profile", "raim-2026-hdr"]
    result = CliRunner().invoke(command, list(map(str, arguments)))
    assert result.exit_code == 0
    assert "note: measured values are not kept (" in result.output


def test_one_folder_alone_is_refused(folders):
    assert "REFERENCE" in str(score(folders / "a").exception)


def test_an_unknown_profile_names_the_nearest(folders):
    result = score(folders / "a", folders / "reference", "--profile", "raim-2025")
    assert "did you mean 'raim-202" in str(result.exception)


@pytest.mark.slow
@pytest.mark.shared
def test_real_pairs_of_every_scenario_come_out_from_the_command_line_on_two_processes(shared, tmp_path):
    """Every third; benchmarks/known_answers.py has all of them, with and without the border."""
    with (shared / "kat" / "real_pairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {row["pair_id"]: row for row in rows[::3]}
    assert {row["scenario"] for row in expected.values()} == {row["scenario"] for row in rows}
    for role in ("input", "reference"):
        (tmp_path / role).mkdir()
        for file in (shared / "data" / "paired").glob(f"*/{role}/*"):
            if file.stem in expected:
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
