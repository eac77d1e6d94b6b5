"""The process whose time and memory are measured while one restorer restores photographs, one for each turn.

Run by baselines.py: python restoring_subject.py JOBS.json, with {"restorer", "reduction", "threads", "files": [[input,
output], ...]}. A small crop of the first photograph is restored before, untimed: weights are read, kernels compiled.
Reading and writing the files is not timed.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

from raim.images import read_image, write_image
from raim.restore import Restorer, find_restorer, restore
from turns import answer, cpu_s, peak_mb

WARM_UP_PX = 64


def restore_file(source: Path, target: Path, restorer: Restorer, threads: int) -> dict[str, object]:
    """Restore one file and give what it took."""
    pixels = read_image(source).pixels
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak of what came before
    wall, cpu = time.perf_counter(), cpu_s()
    restored = restore(pixels, restorer, guard=False, threads=threads)
    taken = {"wall_s": time.perf_counter() - wall, "cpu_s": cpu_s() - cpu, "peak_mb": peak_mb()}
    write_image(target, restored.pixels)
    return {**taken, "notes": restored.notes}


def main() -> None:
    """Warm up, then restore one file for each line of the standard input."""
    jobs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    restorer = find_restorer(jobs["restorer"], reduction=jobs["reduction"])
    first = read_image(Path(jobs["files"][0][0])).pixels
    restore(first[:WARM_UP_PX, :WARM_UP_PX].copy(), restorer, threads=jobs["threads"])
    answer({"ready": True})
    for (source, target), _ in zip(jobs["files"], sys.stdin, strict=False):
        answer(restore_file(Path(source), Path(target), restorer, jobs["threads"]))


if __name__ == "__main__":
    main()
