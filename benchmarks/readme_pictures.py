"""The two pictures of README.md, made anew from the photographs in scikit-image's wheel.

    python benchmarks/readme_pictures.py                    both into docs/pictures
    python benchmarks/readme_pictures.py --only restored    one of them: restored, wall

`restored` is a photograph degraded by `raim degrade` beside what `raim restore` makes of it with `auto`. `wall` is what
a judge of a blinded study sees: photographs degraded in the same way, restored by the three entries of `raim demo`, on
a server of this machine, in Chromium (which must be installed). It needs the extras `demo` and `pairs`, the weights of
the restorers (raim weights fetch restoring) and, for the wall, playwright.

Photographs (scikit-image, skimage/data): Eileen Collins by NASA, public domain; the cat Chelsea by Stefan van der Walt
and a cup of coffee by Rachel Michetti, both CC0.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from raim.data import read_manifest
from raim.data.scikit_image import find_photograph_folder
from raim.images import read_image

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
MOST_BYTES = 500_000  # of both together
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png")
SEED = 3
SETTINGS = ("motion.length_px=14", "noise.iso=50")
PRESETS = {"restored": "motion_blur", "wall": "denoise"}
GAP_PX = 12
CORNER_PX = 8
QUALITY = 88
WINDOW = (1280, 800)
PORT = 8767
SHOWN_MS = 240_000


def main() -> None:
    """Make the pictures and say how large they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--only", choices=PRESETS)
    parser.add_argument("--preset", default=PRESETS["restored"], help="of the restored photograph")
    parser.add_argument("--seed", type=int, default=SEED, help="of what the camera does to it")
    parser.add_argument("--set", nargs="*", default=SETTINGS, dest="settings", help="of raim degrade, for it")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "wall":
            photograph = Path(folder) / "restored"
            before, after = restore_one(photograph, options.preset, options.seed, options.settings)
            write_picture(options.out / "restored.webp", join(before, after))
        if options.only != "restored":
            write_picture(options.out / "wall.webp", show_wall(Path(folder) / "wall"))
    total = sum(path.stat().st_size for path in options.out.glob("*.webp"))
    print(f"together {total} bytes")
    if total > MOST_BYTES:
        sys.exit(f"more than {MOST_BYTES}")


def run_raim(*arguments: str | Path) -> None:
    """Run a command of raim; it says itself what fails."""
    print("raim", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "raim", *map(str, arguments)], check=True)


def find_photograph(name: str) -> Path:
    """Find a photograph in the installed wheel of scikit-image."""
    folder = find_photograph_folder()
    if folder is None or not (folder / name).is_file():
        sys.exit(f"scikit-image's wheel with {name} is not installed: pip install scikit-image")
    return folder / name


def restore_one(folder: Path, preset: str, seed: int, settings: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Degrade the first photograph and restore it; give both, (h, w, 3) uint8."""
    folder.mkdir()
    chosen = [word for setting in settings for word in ("--set", setting)]
    source = find_photograph(PHOTOGRAPHS[0])
    run_raim("degrade", source, folder / "pairs", "--preset", preset, "--seed", str(seed), *chosen)
    (before,) = (folder / "pairs" / "input").iterdir()
    run_raim("restore", before, folder / "after.png", "--restorer", "auto")
    return read_image(before).pixels, read_image(folder / "after.png").pixels


def join(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Put two photographs of one size beside each other, with a transparent gap: (h, 2w + gap, 4) uint8."""
    gap = np.zeros((before.shape[0], GAP_PX, 4), np.uint8)
    return np.concatenate([round_corners(before), gap, round_corners(after)], axis=1)


def round_corners(pixels: np.ndarray) -> np.ndarray:
    """Make the corners transparent, so that a picture has no edge on white or dark pages: (h, w, 4) uint8."""
    mask = Image.new("L", (pixels.shape[1], pixels.shape[0]))
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, pixels.shape[1] - 1, pixels.shape[0] - 1), CORNER_PX, fill=255
    )
    return np.dstack([pixels[..., :3], np.asarray(mask)])


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write a picture with transparency as lossy WebP."""
    Image.fromarray(pixels).save(path, "WEBP", quality=QUALITY, method=6)
    print(f"{path}: {pixels.shape[1]}x{pixels.shape[0]}, {path.stat().st_size} bytes", flush=True)


def show_wall(folder: Path) -> np.ndarray:
    """Hold a study of the photographs on a server and take a picture of its first trial: (h, w, 4) uint8."""
    from raim.demo import host_demo
    from raim.demo.challenge import copy_challenge
    from raim.demo.entering import write_entry
    from raim.demo.restorers import ENTRIES
    from raim.demo.workplace import open_workplace
    from raim.server.settings import read_settings
    from server_load import run_server

    (folder / "clean").mkdir(parents=True)
    for name in PHOTOGRAPHS:
        shutil.copy(find_photograph(name), folder / "clean")
    run_raim(
        "degrade", folder / "clean", folder / "pairs", "--preset", PRESETS["wall"], "--set", "noise.iso=3200"
    )
    workplace = open_workplace(folder / "challenge", data=folder / "pairs", overwrite=False)
    challenge = copy_challenge(workplace, folder / "pairs", on_progress=lambda _done, _total: None)
    manifest = read_manifest(workplace.manifest)
    for entry in ENTRIES:
        path = workplace.submissions / f"{entry.file_name}.zip"
        write_entry(entry, path, workplace.inputs, manifest, clock=time.perf_counter, on_image=lambda: None)
    settings = read_settings(
        {"RAIM_KEEP_FREE_BYTES": "0", "RAIM_PUBLIC_URL": f"http://127.0.0.1:{PORT}"}, folder=workplace.folder
    )
    hosted = host_demo(workplace, settings, profile="raim-2024", note=challenge.note, now=datetime.now(UTC))
    with run_server(settings, PORT):
        picture = folder / "wall.png"
        photograph_page(hosted.judge_link, picture)
    return round_corners(read_image(picture).pixels)


def photograph_page(address: str, picture: Path) -> None:
    """Go to the first trial as a judge does and take the picture."""
    from playwright.sync_api import sync_playwright

    from study_judges import begin

    here, _, link = address.rpartition("/judge/")
    begin(here, link)
    program = os.environ.get("RAIM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--force-color-profile=srgb"]
        )
        page = browser.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]}).new_page()
        page.set_default_timeout(SHOWN_MS)
        page.goto(address)
        page.locator("button.main").click()  # "Begin", or "Go on"
        page.wait_for_url("**/judging/**")
        page.goto(f"{here}/judging/vote?position=1")
        page.wait_for_selector('html[data-shown="voting 1"]', state="attached")
        page.wait_for_timeout(1000)
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
