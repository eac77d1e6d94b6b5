"""The page in a real browser: its script runs without a complaint, and shows the very pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser import run
from raim.report import PictureFolders, write_score_page
from raim.scoring import EntryScore
from score_tables import noise, scored, table_of

HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.fixture
def page(folders, tmp_path) -> Path:
    reference, restored, degraded = (noise(90, 120, seed) for seed in (1, 2, 3))
    paths = folders({"reference": {"x": reference}, "a": {"x": restored}, "input": {"x": degraded}})
    table = table_of(EntryScore(name=HOSTILE, images=(scored("x", 50, scenario=HOSTILE),)))
    pictures = PictureFolders(
        reference=paths["reference"], restored={HOSTILE: paths["a"]}, inputs=paths["input"]
    )
    write_score_page(table, tmp_path / "page.html", pictures=pictures, title="fine")
    return tmp_path / "page.html"


@pytest.mark.slow
def test_the_script_runs_without_a_complaint_and_hostile_names_do_not(chromium, page):
    done = run(chromium, page, "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert "<title>fine" in done.stdout
    assert done.stdout.count('src="data:image/webp;base64,') == 3
    assert "image-rendering: pixelated" in done.stdout  # set by the viewer


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1, 1.5])
def test_at_whole_zooms_every_image_pixel_is_whole_screen_pixels(chromium, page, ratio):
    shot = page.parent / "shot.png"
    run(
        chromium,
        page,
        f"--screenshot={shot}",
        "--window-size=1300,2000",
        f"--force-device-scale-factor={ratio}",
    )
    screen = np.asarray(Image.open(shot).convert("RGB"))
    for seed in (1, 2, 3):
        assert find_zoom(screen, noise(90, 120, seed)) >= 1


def find_zoom(screen: np.ndarray, pixels: np.ndarray) -> int:
    """Give the whole factor at which the pixels stand in the screen, exactly; 0 if nowhere."""
    for zoom in range(1, 12):
        shown = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
        height, width = shown.shape[:2]
        starts = np.argwhere((screen[:, :-1] == shown[0, 0]).all(axis=2))
        for y, x in starts:
            if np.array_equal(screen[y : y + height, x : x + width], shown):
                return zoom
    return 0
