"""What the guard against invention says on real photographs: of references, of restorers, and of what is painted in.

Run: python benchmarks/guard.py --data DIR --out OUT --date 2026-12-31 [--write-docs docs/restorers.md]
OUT is that of colour_fix.py, whose restored photographs are taken. For each scenario the table has the mean share of a
photograph that does not follow from its input. A reference is a true restoration where the pair was taken at one place
(noise, motion); where lens or focus was changed between the two, it may show another scene.
The last column is the share of a chequered disc that is found where it was painted into the restored of sharp inputs:
where the input is blurred, the blur may hide a disc, so that nothing refutes it.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from baselines import describe_machine
from colour_fix import NONE, RESTORERS, folder_of
from documents import write_section
from raim.images import PixelArray, read_image
from raim.restore import Invention, find_invention
from variants import Pair, find_pairs

SECTION = "guard"
REFERENCE = "reference"
DISC_PX, CONTRAST = 64, 40
SCENARIOS = ("denoise", "motion_blur", "out_of_focus", "super_resolution")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What the guard says of one photograph."""

    scenario: str
    share: float
    painted: float


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the pairs")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder of colour_fix.py")
    parser.add_argument("--date", required=True, help="of the run, for the table")
    parser.add_argument("--restorers", nargs="+", default=RESTORERS, metavar="NAME[/R]")
    parser.add_argument("--write-docs", type=Path, metavar="F.md", help="document that gets the table")
    return parser.parse_args()


def main() -> None:
    """Compare and write."""
    options = parse_options()
    pairs = [pair for pair in find_pairs(options.data) if pair.scenario in SCENARIOS]
    rows = []
    for name in (REFERENCE, *options.restorers):
        found = list(look_at(name, pairs, options.out))
        rows.append(format_row(name, found))
        print(rows[-1], flush=True)
    report = format_report(rows, options.date)
    if options.write_docs is not None:
        write_section(options.write_docs, SECTION, report)


def look_at(name: str, pairs: Sequence[Pair], out: Path) -> Iterator[Found]:
    """Ask the guard about a restorer's photographs, as they are and painted on."""
    for pair in pairs:
        path = pair.reference if name == REFERENCE else folder_of(name, NONE, out) / f"{pair.name}.png"
        if not path.exists():
            continue
        image, restored = (read_image(each, purpose="restore").pixels for each in (pair.input, path))
        if image.shape != restored.shape:
            continue
        own, painted = (find(image, each) for each in (restored, paint(restored)))
        place = disc(restored.shape, own.added.shape, own.block_px)
        yield Found(scenario=pair.scenario, share=own.share, painted=float(painted.mask[place].mean()))


def find(image: PixelArray, restored: PixelArray) -> Invention:
    """Ask the guard, of a photograph that is large enough."""
    found = find_invention(image, restored)
    if found is None:
        raise SystemExit("a photograph is too small for the guard")
    return found


def corner(shape: Sequence[int]) -> tuple[int, int]:
    """Give the top and left of the disc, in the middle at whole blocks."""
    return (shape[0] - DISC_PX) // 32 * 16, (shape[1] - DISC_PX) // 32 * 16


def paint(pixels: PixelArray) -> PixelArray:
    """Paint a chequered disc of 64 pixels into the middle, of squares of 8 pixels, +40 and -40 of 255."""
    top, left = corner(pixels.shape)
    rows, columns = np.indices((DISC_PX, DISC_PX))
    middle = (DISC_PX - 1) / 2
    pattern = CONTRAST * np.where((rows // 8 + columns // 8) % 2, 1, -1)
    pattern *= np.hypot(rows - middle, columns - middle) < DISC_PX / 2
    painted = pixels.astype(np.int32)
    painted[top : top + DISC_PX, left : left + DISC_PX] += pattern if pixels.ndim == 2 else pattern[..., None]
    return np.clip(painted, 0, 255).astype(pixels.dtype)


def disc(shape: Sequence[int], blocks: Sequence[int], block_px: int) -> np.ndarray:
    """Give the blocks that lie within the disc."""
    top, left = corner(shape)
    rows, columns = (np.arange(count) * block_px + block_px / 2 for count in blocks)
    distance = np.hypot(rows[:, None] - top - DISC_PX / 2, columns - left - DISC_PX / 2)
    return distance < DISC_PX / 2 - block_px / 2


def format_row(name: str, found: Sequence[Found]) -> str:
    """Write a line of the table."""
    bare, _, reduction = name.partition("/")
    label = f"{bare}, reduced by {reduction}" if reduction else bare
    cells = []
    for scenario in SCENARIOS:
        shares = [100 * each.share for each in found if each.scenario == scenario]
        cells.append(f"{np.mean(shares):.1f} (at most {max(shares):.1f}; {len(shares)})" if shares else "")
    painted = 100 * np.mean([each.painted for each in found if each.scenario == "denoise"])
    return f"| {label} | {' | '.join(cells)} | {painted:.0f} |"


def format_report(rows: Sequence[str], date: str) -> str:
    """Write when and how, and the table."""
    titles = [scenario.replace("_", " ") for scenario in SCENARIOS]
    about = (
        f"{date}, {describe_machine()} (`python benchmarks/guard.py`): the share, in %, of a photograph that does not "
        "follow from its input, in the mean (at most; pairs), and how much of a chequered disc (64 pixels, squares of "
        "8, +40 and -40 of 255) is found that was painted into results of the scenario denoise, whose inputs are sharp."
    )
    head = f"| result | {' | '.join(titles)} | of a disc painted in |\n|---|{'---:|' * (len(titles) + 1)}"
    return "\n".join([about, "", head, *rows]) + "\n"


if __name__ == "__main__":
    main()
