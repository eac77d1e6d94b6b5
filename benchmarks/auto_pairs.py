"""Make the pairs that `auto` is tuned and tested on: photographs of packages, degraded by raim's camera model.

    python benchmarks/auto_pairs.py PACKAGES OUT

PACKAGES holds the unpacked files of each package of auto_photographs.csv in a folder of the package's name (of a Debian
package: `dpkg-deb -x FILE PACKAGES/NAME`; of scikit-image: `pip install --target PACKAGES/scikit-image`). Every file's
hash is compared with the list, which was written before anything was tuned. Of each photograph, reduced until it is
sharp, the part with the most detail is degraded by every preset; of the pair the middle counts, of the size that nets
see at once. OUT gets choose/PRESET/input|reference/NAME.png for choosing the numbers, test/ in the same form.
"""

import argparse
import csv
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from raim.data.camera import PRESETS, Camera
from raim.data.camera.stage import Value
from raim.data.degradation import degrade_folder
from raim.images import read_image, write_image
from raim.processes import count_cores
from raim.restore.descriptor import Photograph
from raim.restore.pixels import to_photograph
from raim.restore.reduction import reduce

LIST = Path(__file__).with_name("auto_photographs.csv")
SEED = 8
SHORT_SIDE_PX = 800  # of a photograph that is sharp to its pixels
MOST_REDUCTION = 4
SCENE_PX = 768  # what the camera takes: the margin around the middle holds its blur and its lens's corners
PAIR_PX = 256
BLOCK_PX = 8  # of JPEG: cuts keep its grid
STEP_PX = 64
PARTS = "input", "reference"
WEAK_SMOOTHING = 0.06  # up to here the camera leaves noise of colour
VISIBLE_NOISE = 5e-4  # variance over signal: a deviation of about 3 of 255 in the middle of the range
SMALLEST_PX = 192  # less than two blocks of NIQE a side is not judged


def read_list() -> list[dict[str, str]]:
    """Give the rows of auto_photographs.csv."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_photograph(path: Path, sha256: str) -> Photograph:
    """Read a photograph, and check that it is the one."""
    if not path.is_file():
        raise SystemExit(f"{path} is missing; unpack its package there")
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        raise SystemExit(f"{path} is another file than the one that was listed")
    return to_photograph(read_image(path, purpose="restore").pixels)


def cut_scene(photograph: Photograph) -> np.ndarray:
    """Reduce a photograph until it is sharp to its pixels, and cut the part with the most detail in its middle.

    At the size that comes from a camera it is softer, and has noise that pairs must not have in their reference.
    """
    factor = int(np.clip(min(photograph.shape[:2]) // SHORT_SIDE_PX, 1, MOST_REDUCTION))
    pixels = np.rint(255 * reduce(photograph, factor)).astype(np.uint8)
    side = min(SCENE_PX, *(length // BLOCK_PX * BLOCK_PX for length in pixels.shape[:2]))
    corners = [
        (top, left)
        for top in range(0, pixels.shape[0] - side + 1, STEP_PX)
        for left in range(0, pixels.shape[1] - side + 1, STEP_PX)
    ]
    scenes = [pixels[top : top + side, left : left + side] for top, left in corners]
    return max(scenes, key=lambda scene: measure_detail(cut_middle(scene)))


def cut_middle(pixels: np.ndarray) -> np.ndarray:
    """Cut the middle, on the grid of JPEG."""
    tops = [max(0, (side - PAIR_PX) // 2 // BLOCK_PX * BLOCK_PX) for side in pixels.shape[:2]]
    return np.ascontiguousarray(pixels[tops[0] : tops[0] + PAIR_PX, tops[1] : tops[1] + PAIR_PX])


def measure_detail(pixels: np.ndarray) -> float:
    """Give the mean step from pixel to pixel."""
    luma = pixels.astype(np.float32).mean(axis=2)
    return float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean())


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Pairs of one kind.

    Attributes:
        name: Of its folder and of its files' ends.
        preset: Of the camera model.
        overrides: What is set in place of what the preset draws.
    """

    name: str
    preset: str
    overrides: Mapping[str, Value] = field(default_factory=dict)


CLEAN: Mapping[str, Value] = {"noise.iso": 100.0, "denoise.radius_px": 0}
SMALL: Mapping[str, Value] = {**CLEAN, "compression.quality": 20}
GROUPS = (
    *(Group(name=name, preset=name) for name in PRESETS),
    # What no preset is: a photograph as cameras store it, which is to be left alone, and one that was stored too small.
    Group(name="ordinary", preset="denoise", overrides=CLEAN),
    Group(name="jpeg", preset="denoise", overrides=SMALL),
)


def make_pairs(packages: Path, out: Path) -> int:
    """Make all pairs; gives how many."""
    rows = read_list()
    uses = {row["name"]: row["use"] for row in rows}
    with tempfile.TemporaryDirectory(prefix="raim-auto-") as folder:
        scenes = Path(folder) / "scenes"
        scenes.mkdir()
        for row in rows:
            scene = cut_scene(read_photograph(packages / row["package"] / row["path"], row["sha256"]))
            write_image(scenes / f"{row['name']}.png", scene)
        return sum(make_group(group, Path(folder), out, uses) for group in GROUPS)


def make_group(group: Group, folder: Path, out: Path, uses: Mapping[str, str]) -> int:
    """Make the pairs of a group, and say in labels.csv of each use what is wrong with each input."""
    made = degrade_folder(
        folder / "scenes",
        folder / group.name,
        presets=[group.preset],
        seed=SEED,
        overrides=group.overrides,
        workers=count_cores(),
    )
    n_made = 0
    for pair in made.pairs:
        files = [made.folder / part / f"{pair.plan.name}.png" for part in PARTS]
        cut = [cut_middle(read_image(file).pixels) for file in files]
        if min(cut[0].shape[:2]) < SMALLEST_PX:
            continue
        stem = pair.plan.photograph.stem
        place = out / uses[stem]
        for part, pixels in zip(PARTS, cut, strict=True):
            target = place / group.name / part / f"{stem}_{group.name}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, pixels)
        with (place / "labels.csv").open("a", encoding="utf-8") as file:
            file.write(f"{stem}_{group.name},{';'.join(name_defects(pair.plan.camera))}\n")
        n_made += 1
    return n_made


def name_defects(camera: Camera) -> list[str]:
    """Say what is wrong with a camera's photographs, in the words of `raim.restore.inspection`.

    Drawn defects that nobody would see are left out.
    """
    is_small = camera.sampling.reduction > 1 and camera.zoom.deliver != "sensor"
    found = {
        "motion blur": camera.motion.length_px >= 4,
        "defocus": max(camera.defocus.radius_px, camera.defocus.near_radius_px) >= 1.5 and not is_small,
        "noise": camera.noise.iso / 100 / camera.noise.full_well >= VISIBLE_NOISE
        and not (camera.denoise.radius_px and camera.denoise.chroma_strength > WEAK_SMOOTHING),
        "low resolution": is_small,
        "JPEG": 0 < camera.compression.quality <= 60,
        "moire": camera.screen.contrast > 0 or (camera.sampling.reduction > 1 and not is_small),
    }
    return [name for name, is_there in found.items() if is_there]


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", type=Path, metavar="PACKAGES")
    parser.add_argument("out", type=Path, metavar="OUT")
    arguments = parser.parse_args()
    print(f"{make_pairs(arguments.packages, arguments.out)} pairs")


if __name__ == "__main__":
    main()
