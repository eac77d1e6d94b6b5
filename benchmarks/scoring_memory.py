"""Peak memory and time of `raim score` over the number of entries: it must not grow with it.

    python benchmarks/scoring_memory.py --megapixels 12 --entries 39

Makes pictures of 4:3 with about the spectrum of a photograph in a temporary folder, scores them in one process
without a cache, and prints one line for each number of entries.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from raim.images import write_image

DISTINCT = 4  # further entries are links to these: their pictures are decoded and measured all the same
MAX_GB = 3.0


def main() -> int:
    """Measure, print a table, and return 1 where a peak is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--entries", type=int, nargs="+", default=[39])
    parser.add_argument("--profile", default="raim-2024", help="raim-2026-hdr has no DISTS, the slow one")
    parser.add_argument(
        "--bits", type=int, choices=(8, 16), default=8, help="of the restored; references have 8"
    )
    options = parser.parse_args()
    print("| megapixels | bits | profile | entries | peak MB | s |\n|---|---|---|---|---|---|")
    peaks = []
    for n_entries in options.entries:
        with tempfile.TemporaryDirectory() as folder:
            make_pictures(Path(folder), options.megapixels, n_entries, options.bits)
            peak_mb, seconds = score(Path(folder), n_entries, options.profile)
        peaks.append(peak_mb)
        print(
            f"| {options.megapixels:g} | {options.bits} | {options.profile} | {n_entries} | {peak_mb:.0f} "
            f"| {seconds:.0f} |",
            flush=True,
        )
    return int(max(peaks) > MAX_GB * 1000)


def make_pictures(folder: Path, megapixels: float, n_entries: int, bits: int) -> None:
    """Make reference/0.png and the restored picture of each entry."""
    rng = np.random.default_rng(0)
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    reference = make_picture(rng, height, height * 4 // 3)
    (folder / "reference").mkdir()
    write_image(folder / "reference" / "0.png", reference)
    for index in range(n_entries):
        path = folder / f"entry{index:02}" / "0.png"
        path.parent.mkdir()
        if index >= DISTINCT:
            os.link(folder / f"entry{index % DISTINCT:02}" / "0.png", path)
            continue
        noise = rng.integers(-index - 1, index + 2, reference.shape, np.int16)
        restored = np.clip(reference + noise, 0, 255).astype(np.uint8)
        write_image(path, restored if bits == 8 else restored * np.uint16(257))


def make_picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Make noise at several scales, which falls off as photographs do."""
    picture = np.full((height, width, 3), 128.0, np.float32)
    for step in (256, 64, 16, 4, 1):
        small = rng.normal(0, 4 + step**0.6, (-(-height // step), -(-width // step), 3)).astype(np.float32)
        picture += small.repeat(step, 0)[:height].repeat(step, 1)[:, :width]
    return np.clip(picture, 0, 255).astype(np.uint8)


def score(folder: Path, n_entries: int, profile: str) -> tuple[float, float]:
    """Run `raim score` in one process; give its peak memory in MB of 10^6 bytes, and the seconds."""
    entries = [str(folder / f"entry{index:02}") for index in range(n_entries)]
    begun = time.monotonic()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "raim", "score", *entries, str(folder / "reference"),
            "--workers", "1", "--no-cache", "--profile", profile,
        ],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"raim score ended with status {status}")
    return usage_mb(usage), time.monotonic() - begun


def usage_mb(usage: resource.struct_rusage) -> float:
    """Give the peak memory of a process; Linux counts it in units of 1024 bytes."""
    return usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
