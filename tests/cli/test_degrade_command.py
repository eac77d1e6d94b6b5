import csv

import numpy as np
import pytest
from click.testing import CliRunner

from raim.cli.degrade import command
from raim.data.camera import PRESETS
from raim.data.degradation import read_cameras
from raim.images import write_image


@pytest.fixture
def clean(tmp_path):
    (tmp_path / "clean").mkdir()
    for index in range(2):
        pixels = np.random.default_rng(index).integers(0, 256, (70, 90, 3), np.uint8)
        write_image(tmp_path / "clean" / f"{index}.png", pixels)
    return tmp_path / "clean"


def degrade(*arguments):
    return CliRunner().invoke(command, [*map(str, arguments), "--workers", "1"])


def test_it_makes_pairs_manifest_and_sheet(clean, tmp_path):
    result = degrade(clean, tmp_path / "out", "--preset", "super-resolution", "--preset", "text", "--seed", 5)
    assert result.exit_code == 0, result.output
    assert "4 pairs in" in result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "input", "reference", "manifest.csv", "sheet.html",
    }  # fmt: skip
    with (tmp_path / "out/manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["scenario"], row["issue"]) for row in rows} == {("super_resolution", ""), ("", "text")}
    assert {row["seed"] for row in rows if row["role"] == "input"} == {"5"}


def test_all_stands_for_every_preset_and_variants_multiply(clean, tmp_path):
    result = degrade(clean / "0.png", tmp_path / "out", "--preset", "all", "--variants", 2)
    assert result.exit_code == 0, result.output
    assert len(read_cameras(tmp_path / "out/manifest.csv")) == 2 * len(PRESETS)


def test_parameters_are_set(clean, tmp_path):
    result = degrade(
        clean, tmp_path / "out", "--preset", "denoise", "--set", "noise.iso=1234", "--set", "banding.bits=4",
        "--quality", 0,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    for camera in read_cameras(tmp_path / "out/manifest.csv").values():
        assert (camera.noise.iso, camera.banding.bits, camera.compression.quality) == (1234, 4, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "denoize"], "did you mean 'denoise'"),
        (["--preset", "denoise", "--set", "nois.iso=3"], "did you mean 'noise'"),
        (["--preset", "denoise", "--set", "noise.iso"], "stage.parameter=value"),
        (["--preset", "denoise", "--set", "sampling.reduction=8"], "must be at least 128 pixels"),
    ],
)
def test_mistakes_are_reported_before_anything_is_written(clean, tmp_path, options, message):
    result = degrade(clean, tmp_path / "out", *options)
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_a_preset_must_be_named(clean, tmp_path):
    result = degrade(clean, tmp_path / "out")
    assert result.exit_code == 2
    assert "--preset" in result.output


def test_what_could_not_be_made_is_an_error_after_the_rest_is_written(clean, tmp_path):
    whole = (clean / "1.png").read_bytes()
    middle = len(whole) // 2
    (clean / "1.png").write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    result = degrade(clean, tmp_path / "out", "--preset", "denoise")
    assert "1 pair could not be made" in str(result.exception)
    assert "1.png" in str(result.exception)
    assert (tmp_path / "out/input/0_denoise.png").is_file()
    assert "1_denoise" in (tmp_path / "out/sheet.html").read_text(encoding="utf-8")


def test_list_shows_every_preset_and_its_ranges():
    result = CliRunner().invoke(command, ["--list"])
    assert result.exit_code == 0
    for preset in PRESETS.values():
        assert f"{preset.name} ({preset.kind}): {preset.summary}" in result.output
        assert all(name in result.output for name in preset.ranges())
