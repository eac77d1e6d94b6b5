import csv

import numpy as np
import pytest

from raim.data.manifest import read_manifest
from raim.images import read_image, write_image

cv2 = pytest.importorskip("cv2", reason="the extra `pairs` is not installed")

SIDE = 240


def make_scene(seed, height=SIDE + 40, width=SIDE + 80):
    """Draw a textured scene: shapes of all sizes, in colour."""
    rng = np.random.default_rng(seed)
    scene = np.full((height, width, 3), 120, np.uint8)
    for _ in range(260):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        colour = tuple(int(value) for value in rng.integers(30, 220, 3))
        if rng.random() < 0.5:
            cv2.circle(scene, centre, int(rng.integers(2, 22)), colour, -1, cv2.LINE_AA)
        else:
            corner = (centre[0] + int(rng.integers(3, 40)), centre[1] + int(rng.integers(3, 40)))
            cv2.rectangle(scene, centre, corner, colour, -1)
    return cv2.GaussianBlur(scene, (0, 0), 0.7)


def cut(scene, dx=0.0, dy=0.0):
    matrix = np.float32([[1, 0, -20 - dx], [0, 1, -15 - dy]])
    return cv2.warpAffine(scene, matrix, (SIDE + 40, SIDE), flags=cv2.INTER_CUBIC)


def add_noise(picture, seed, deviation=6.0):
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.rint(np.clip(picture + noise, 0, 255)).astype(np.uint8)


def write_blur(folder, seed=0, shift=(1.4, -2.3)):
    scene = make_scene(seed)
    folder.mkdir(parents=True)
    write_image(folder / "input.png", cv2.GaussianBlur(cut(scene), (0, 0), 1.2))
    write_image(folder / "reference.png", cut(scene, *shift))


@pytest.fixture
def align(run_raim):
    return lambda *arguments: run_raim("align", *arguments, "--workers", "1")


@pytest.fixture
def captures(tmp_path):
    write_blur(tmp_path / "captures" / "books")
    return tmp_path / "captures"


def read_rows(out):
    with (out / "manifest.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_blurred_and_a_sharp_shot_become_a_pair_on_the_grid_of_the_input(align, captures, tmp_path):
    out = tmp_path / "pairs"
    code, said, refused = align(captures, out, "--mode", "blur")
    assert code == 0, refused
    assert f"1 pair in {out}" in said
    manifest = read_manifest(out / "manifest.csv")
    assert [(row.name, row.scenario) for row in manifest.rows] == [("books", "blur")]
    row = read_rows(out)[0]
    assert float(row["residual_px"]) < 0.3
    x, y = int(row["x"]), int(row["y"])
    kept = read_image(out / "input" / f"{row['name']}.png").pixels
    original = read_image(captures / "books" / "input.png").pixels
    assert (kept == original[y : y + kept.shape[0], x : x + kept.shape[1]]).all()
    reference = read_image(out / "reference" / f"{row['name']}.png").pixels
    truth = cut(make_scene(0))[y : y + kept.shape[0], x : x + kept.shape[1]]
    shifted = cut(make_scene(0), 1.4, -2.3)[y : y + kept.shape[0], x : x + kept.shape[1]]

    def error(picture):
        return np.abs(picture.astype(float) - truth).mean()

    assert error(reference) < 0.4 * error(shifted)
    assert "<script>" in (out / "sheet.html").read_text("utf-8")


@pytest.mark.slow
def test_a_burst_becomes_one_shot_and_the_mean_of_the_others(align, tmp_path):
    folder = tmp_path / "captures" / "desk"
    folder.mkdir(parents=True)
    for shot in range(5):
        write_image(folder / f"shot-{shot}.png", add_noise(cut(make_scene(1), 0.3 * shot, -0.2 * shot), shot))
    out = tmp_path / "pairs"
    code, _, refused = align(tmp_path / "captures", out, "--mode", "burst", "--crop", "128")
    assert code == 0, refused
    rows = [row for row in read_rows(out) if row["role"] == "input"]
    assert len(rows) >= 2
    assert {row["shots"] for row in rows} == {"4"}
    first = rows[0]
    pictures = [read_image(out / kind / f"{first['name']}.png").pixels for kind in ("input", "reference")]
    assert all(picture.shape == (128, 128, 3) for picture in pictures)
    x, y = int(first["x"]), int(first["y"])
    truth = cut(make_scene(1))[y : y + 128, x : x + 128].astype(float)
    noisy, clean = (np.abs(picture - truth).mean() for picture in pictures)
    assert clean < 0.6 * noisy


def test_two_different_scenes_are_refused_with_what_was_found(align, tmp_path):
    folder = tmp_path / "captures" / "odd"
    folder.mkdir(parents=True)
    write_image(folder / "input.png", cut(make_scene(2)))
    write_image(folder / "reference.png", cut(make_scene(3)))
    code, _, refused = align(tmp_path / "captures", tmp_path / "pairs", "--mode", "blur")
    assert code == 2
    assert "1 scene could not be aligned" in refused
    assert "no common scene was found" in refused
    assert "agree on one homography" in refused
    assert "Traceback" not in refused


def test_all_that_is_wrong_with_the_captures_is_listed_and_the_others_are_made(align, captures, tmp_path):
    (captures / "empty").mkdir()
    lonely = captures / "lonely"
    lonely.mkdir()
    write_image(lonely / "input.png", cut(make_scene(4)))
    torn = captures / "torn"
    torn.mkdir()
    whole = (captures / "books" / "input.png").read_bytes()
    (torn / "input.png").write_bytes(whole[:200])
    (torn / "reference.png").write_text("this is no picture")
    code, _, refused = align(captures, tmp_path / "pairs", "--mode", "blur")
    assert code == 2
    for name in ("empty", "lonely", "torn"):
        assert name in refused
    assert [path.stem for path in (tmp_path / "pairs" / "input").iterdir()] == ["books"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--mode", "blurr"), "did you mean 'blur'"),
        ((), "mode"),
        (("--mode", "blur", "--crop", "8"), "at least 32"),
        (("--mode", "blur", "--max-residual", "0"), "expected a number above 0"),
        (("--mode", "zoom", "--scale", "0.5"), "expected 1 to 8"),
    ],
)
def test_an_option_that_cannot_be_is_refused(align, captures, tmp_path, arguments, expected):
    code, _, refused = align(captures, tmp_path / "pairs", *arguments)
    assert code == 2
    assert expected in refused


def test_a_folder_with_something_else_is_left_alone(align, captures, tmp_path):
    out = tmp_path / "pairs"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    assert align(captures, out, "--mode", "blur")[0] == 2
    assert align(captures, out, "--mode", "blur", "--overwrite")[0] == 2
    assert (out / "thesis.txt").read_text() == "mine"


@pytest.mark.slow
def test_the_same_captures_give_the_same_bytes_and_overwrite_replaces_them(align, captures, tmp_path):
    out = tmp_path / "pairs"
    align(captures, out, "--mode", "blur")
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.png")}
    assert align(captures, out, "--mode", "blur")[0] == 2  # it is not empty
    assert align(captures, out, "--mode", "blur", "--overwrite")[0] == 0
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*.png")} == before
