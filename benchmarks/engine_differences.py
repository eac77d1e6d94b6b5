"""Compare the engines of LPIPS and DISTS on crops of real pairs, and print the largest differences.

Run: python benchmarks/engine_differences.py ../shared [--engines winograd fast] [--side 224] [--most 8]

Crops lie side by side in each pair; the first engine is ncnn. The weights must be there: raim weights fetch.
Exits 1 where an engine is farther away than docs/measures.md says.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from known_answers import read
from raim.metrics import dists, lpips

LIMITS = {"winograd": 1e-6, "fast": 5e-6, "torch": 5e-6}
MEASURES = {
    "LPIPS, AlexNet": lambda pair, engine: lpips(*pair, engine=engine),
    "LPIPS, VGG16": lambda pair, engine: lpips(*pair, net="vgg16", engine=engine),
    "DISTS": lambda pair, engine: dists(*pair, engine=engine),
}


def cut_crops(shared: Path, side: int, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give crops of every pair of data/paired and kat/published_log, at most so many of each."""
    for folder in sorted(path.parent for path in shared.glob("*/**/reference")):
        for reference in sorted((folder / "reference").iterdir()):
            for role in ("input", "restored"):
                for restored in (folder / role).glob(f"{reference.stem}.*"):
                    pair = read(restored), read(reference)
                    if pair[0].shape == pair[1].shape:
                        yield from _cut(pair, side, most)


def _cut(
    pair: tuple[np.ndarray, np.ndarray], side: int, most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    height, width = pair[0].shape[:2]
    places = [(y, x) for y in range(0, height - side + 1, side) for x in range(0, width - side + 1, side)]
    for y, x in places[:: -(-len(places) // most) or 1]:
        first, second = (np.ascontiguousarray(image[y : y + side, x : x + side]) for image in pair)
        yield first, second


def main() -> int:
    """Measure all crops by all engines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path, help="the folder that holds kat/ and data/")
    parser.add_argument("--engines", nargs="+", default=["winograd", "fast"], choices=LIMITS)
    parser.add_argument("--side", type=int, default=224, help="of a crop, in pixels")
    parser.add_argument("--most", type=int, default=8, help="crops of a pair")
    options = parser.parse_args()
    crops = list(cut_crops(options.shared, options.side, options.most))
    print(f"{len(crops)} crops of {options.side}x{options.side}")
    expected = {name: [measure(pair, "ncnn") for pair in crops] for name, measure in MEASURES.items()}
    missed = False
    print("| engine | measure | largest difference from ncnn | mean | s |\n|---|---|---:|---:|---:|")
    for engine in options.engines:
        for name, measure in MEASURES.items():
            begun = time.process_time()
            found = np.array([measure(pair, engine) for pair in crops])
            seconds = time.process_time() - begun
            away = np.abs(found - expected[name])
            missed |= bool(away.max() > LIMITS[engine])
            print(f"| {engine} | {name} | {away.max():.1e} | {away.mean():.1e} | {seconds:.0f} |", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
