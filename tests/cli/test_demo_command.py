import contextlib
import csv
import io
import json
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
import requests

from patience import PATIENCE_S, wait_until

pytest.importorskip("cv2", reason="the extra `demo` is not installed")

from raim.images import write_image
from raim.weights import weights_folders

SIDE = (110, 200)  # two blocks of NIQE


def photo(seed: int) -> np.ndarray:
    """Something like a photograph: smooth shapes with fine noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIDE[0], : SIDE[1]] / 25
    waves = np.stack([np.sin(x + seed) * np.cos(y * k) for k in (1, 2, 3)], axis=-1)
    return np.clip(128 + 80 * waves + rng.normal(0, 6, waves.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def run(tmp_path, monkeypatch, run_raim):
    """Run `raim demo` in an own folder with an own cache; give its exit code and outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")  # names of entries in one line
    monkeypatch.setenv("RAIM_WEIGHTS_DIR", str(weights_folders().cache))
    monkeypatch.setenv("RAIM_CACHE_DIR", str(tmp_path / "cache"))

    def start(*arguments: str):
        return run_raim("demo", *arguments)

    return start


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(5)
    for scenario, seed in (("noise", 1), ("other", 2)):
        for kind in ("input", "reference"):
            (tmp_path / "mine" / scenario / kind).mkdir(parents=True)
        reference = photo(seed)
        noisy = np.clip(reference + rng.normal(0, 9, reference.shape), 0, 255).astype(np.uint8)
        write_image(tmp_path / "mine" / scenario / "input" / "0001.png", noisy)
        write_image(tmp_path / "mine" / scenario / "reference" / "0001.png", reference)
    return "mine"


@pytest.mark.slow
def test_own_pairs_become_a_challenge_with_a_leaderboard_and_a_page(run, data, tmp_path):
    code, out, err = run("--data", data, "--no-serve", "--workers", "1")
    assert code == 0, err
    table = json.loads((tmp_path / "demo" / "scores.json").read_text())
    assert {entry["name"] for entry in table["entries"]} == {"as they are", "non-local means", "sharpened"}
    scores = {entry["name"]: entry["mean"]["score"] for entry in table["entries"]}
    assert scores["non-local means"] > scores["sharpened"]  # the inputs are noisy
    assert [image["scenario"] for image in table["entries"][0]["images"]] == ["noise", "other"]
    for expected in ("as-they-are.zip: checked, 2 images", "non-local means", "SCORE", "index.html"):
        assert expected in out
    page = (tmp_path / "demo" / "index.html").read_text()
    assert "noise_0001" in page
    with zipfile.ZipFile(tmp_path / "demo" / "submissions" / "sharpened.zip") as archive:
        assert sorted(archive.namelist()) == ["noise_0001.png", "other_0001.png", "readme.txt"]
        assert b"runtime per image [s] : " in archive.read("readme.txt")


def test_a_folder_that_holds_something_is_refused(run, data, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.txt").touch()
    code, _, err = run("--data", data, "--no-serve", "--overwrite")
    assert code == 2
    assert "was not made by `raim demo` (it holds thesis.txt)" in err
    assert (tmp_path / "demo" / "thesis.txt").exists()


def test_a_folder_without_pairs_is_an_expected_error(run, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = run("--data", "empty", "--no-serve")
    assert code == 2
    assert "there is no pair in empty" in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_the_challenge_is_served_with_its_entries_on_the_leaderboard(run, data, tmp_path):
    del run  # for its folders and variables
    command = [sys.executable, "-m", "raim", "demo", "--data", data, "--workers", "1", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = next(line for line in process.stdout if line.startswith("serving http://127.0.0.1:"))
            address = line.split()[1]
            printed = [next(process.stdout) for _ in range(4)]
            ranks = wait_for_ranks(f"{address}c/demo/leaderboard/feedback/scores.csv", n=3)
            invitation = requests.get(printed[2].split()[-1], timeout=PATIENCE_S)
            wait_for(tmp_path / "demo" / "report" / "report.html")
        finally:
            process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(PATIENCE_S) == 0, rest
    assert ranks == ["1", "2", "3"]
    assert "the organiser's desk: http://127.0.0.1:" in printed[1]
    assert "Judge the final photographs yourself" in invitation.text
    assert "the finished study (simulated votes)" in printed[3]
    assert "the report: " in rest
    page = (tmp_path / "demo" / "report" / "report.html").read_text()
    assert "The votes are simulated" in page
    assert rest.endswith("stopped\n")


def wait_for(path):
    wait_until(path.exists)


def wait_for_ranks(address: str, *, n: int) -> list[str]:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            rows = list(csv.DictReader(io.StringIO(requests.get(address, timeout=PATIENCE_S).text)))
            if len(rows) == n:
                return [row["rank"] for row in rows]
        time.sleep(0.5)
    return []
