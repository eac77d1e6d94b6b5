"""Time what can run RRDBNet (Real-ESRGAN x4plus) on the processor, and say how exact each is.

Run: python benchmarks/engines.py --photograph F --date 2026-12-31 [--tiles 128 224] [--threads 1 2]
     [--write-docs docs/baselines.md]
Each engine runs in a fresh process on the middle of the photograph; docs/benchmarks.md explains the figures.
"""

import argparse
import dataclasses
import importlib.metadata
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from baselines import describe_machine
from documents import write_section
from engine_subject import ENGINES, TRUTH
from processes import Process, Turn
from raim.images import read_image
from raim.networks.rrdbnet import BORDER_PX
from raim.restore.pixels import to_photograph
from restorations import give_threads
from rows import write_seconds
from seams import Seam, measure_seams

HERE = Path(__file__).parent
SECTION = "engines"
LIBRARIES = ("raim", "ncnn", "torch", "spandrel")
HEAD = (
    "engine",
    "tile",
    "threads",
    "s/MP of net input",
    "CPU s/MP",
    "peak MB",
    "largest difference, of 255",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """One engine on one tile.

    Attributes:
        engine: Its name.
        tile_px: Side of the tile.
        threads: That it was given.
        wall_s_per_mp: Seconds on the clock for 10^6 pixels that the net sees, reflected borders included.
        cpu_s_per_mp: Seconds of processor time for them.
        peak_mb: Highest resident size of its process, in 10^6 bytes.
        difference: Largest absolute difference from float32 in torch, of values in [0, 1].
    """

    engine: str
    tile_px: int
    threads: int
    wall_s_per_mp: float
    cpu_s_per_mp: float
    peak_mb: float
    difference: float


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photograph", type=Path, required=True, metavar="F", help="its middle is taken")
    parser.add_argument("--date", required=True, help="of the run, for the tables")
    parser.add_argument(
        "--tiles", nargs="+", type=int, default=[128, 224], metavar="PX", help="sides; 128 224"
    )
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], metavar="N", help="1 2")
    parser.add_argument("--runs", type=int, default=2, help="turns of each, of which the fastest is kept; 2")
    parser.add_argument(
        "--only", nargs="+", choices=ENGINES, default=list(ENGINES), help="some of the engines"
    )
    parser.add_argument(
        "--overlaps", nargs="*", type=int, default=[8, 16, 32, 48], metavar="PX", help="of tiles"
    )
    parser.add_argument("--seam-px", type=int, default=256, help="side of what is cut into tiles; 256")
    parser.add_argument("--json", type=Path, metavar="F", help="write all figures")
    parser.add_argument("--write-docs", type=Path, metavar="F.md", help="document that gets the tables")
    return parser.parse_args()


def main() -> None:
    """Time the engines, measure the seams, write."""
    options = parse_options()
    options.load = f"{os.getloadavg()[0]:.1f}"  # before this run adds to it
    photograph = to_photograph(read_image(options.photograph).pixels)
    sides = [*options.tiles, *([options.seam_px] if options.overlaps else [])]
    middles = {
        side: cut_middle(photograph, side) for side in sides
    }  # a photograph that is too small stops here
    timings = list(time_engines(options, middles))
    seams = list(find_seams(options, middles)) if options.overlaps else []
    report = format_report(options, timings, seams)
    print(report)
    if options.json is not None:
        content = {
            "schema": "raim-engines/1",
            "date": options.date,
            "machine": describe_machine(),
            "load_before": options.load,
            "libraries": describe_libraries(),
            "engines": [dataclasses.asdict(timing) for timing in timings],
            "seams": [dataclasses.asdict(seam) for seam in seams],
        }
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if options.write_docs is not None:
        write_section(options.write_docs, SECTION, report)


def cut_middle(photograph: np.ndarray, side: int) -> np.ndarray:
    """Cut the middle out of a photograph (h, w, 3)."""
    height, width = photograph.shape[:2]
    if min(height, width) < side:
        raise SystemExit(
            f"the photograph has {width}x{height} pixels; {side}x{side} are wanted, take a larger one"
        )
    top, left = (height - side) // 2, (width - side) // 2
    return np.ascontiguousarray(photograph[top : top + side, left : left + side])


def find_seams(options: argparse.Namespace, middles: Mapping[int, np.ndarray]) -> Iterator[Seam]:
    """Cut a photograph into tiles, with each overlap."""
    side = options.seam_px
    return measure_seams(middles[side], options.overlaps, side // 2, max(options.threads))


def time_engines(options: argparse.Namespace, middles: Mapping[int, np.ndarray]) -> Iterator[Timing]:
    """Time each engine on each tile with each number of threads; print each as it is there."""
    names = [TRUTH, *(name for name in options.only if name != TRUTH)]
    with tempfile.TemporaryDirectory(prefix="raim-benchmark-") as folder:
        source, result = (Path(folder) / name for name in ("tile.npy", "result.npy"))
        for side, threads in itertools.product(options.tiles, options.threads):
            np.save(source, middles[side])
            truth = None
            for name in names:
                turn = time_engine(name, source, result, threads=threads, runs=options.runs)
                found = np.load(result)
                truth = found if truth is None else truth
                timing = make_timing(name, side, threads, turn, float(np.abs(found - truth).max()))
                print(" | ".join(_timing_cells(timing)), flush=True)
                yield timing


def time_engine(name: str, source: Path, result: Path, *, threads: int, runs: int) -> Turn:
    """Run an engine in a fresh process; give the fastest turn."""
    command = (sys.executable, str(HERE / "engine_subject.py"), name, str(source), str(result), str(threads))
    with Process(command, give_threads(threads)) as process:
        process.wait_until_ready()
        return min((process.take_turn() for _ in range(runs)), key=lambda turn: turn.wall_s)


def make_timing(name: str, side: int, threads: int, turn: Turn, difference: float) -> Timing:
    """Relate a turn to the pixels that the net saw."""
    megapixels = (side + 2 * BORDER_PX) ** 2 / 1e6
    return Timing(
        engine=name,
        tile_px=side,
        threads=threads,
        wall_s_per_mp=turn.wall_s / megapixels,
        cpu_s_per_mp=turn.cpu_s / megapixels,
        peak_mb=turn.peak_mb,
        difference=difference,
    )


def format_report(options: argparse.Namespace, timings: Sequence[Timing], seams: Sequence[Seam]) -> str:
    """Write the tables in Markdown."""
    versions = ", ".join(f"{name} {version}" for name, version in describe_libraries().items())
    run = (
        f"{options.date}, {describe_machine()}; {versions}; tiles of {' and '.join(map(str, options.tiles))} pixels "
        f"(and {BORDER_PX} reflected ones on each side) from the middle of a photograph, the fastest of {options.runs} "
        f"turns; differences from {TRUTH} in float32; load average before: {options.load}."
    )
    return (
        "\n\n".join([run, _table(HEAD, map(_timing_cells, timings)), *_format_seams(options, seams)]) + "\n"
    )


def describe_libraries() -> dict[str, str]:
    """Give the versions of what is timed."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def _format_seams(options: argparse.Namespace, seams: Sequence[Seam]) -> Iterator[str]:
    if seams:
        side = options.seam_px
        yield f"In tiles against the whole, {side}x{side} pixels in parts of {side // 2}, ncnn in float32:"
        yield _table(("how", "tile", "largest difference, of 255", "mean, of 255"), map(_seam_cells, seams))


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _timing_cells(timing: Timing) -> Sequence[str]:
    return (
        timing.engine,
        str(timing.tile_px),
        str(timing.threads),
        write_seconds(timing.wall_s_per_mp),
        write_seconds(timing.cpu_s_per_mp),
        f"{timing.peak_mb:.0f}",
        f"{255 * timing.difference:.2g}",
    )


def _seam_cells(seam: Seam) -> Sequence[str]:
    tile = "-" if seam.tile_px is None else str(seam.tile_px)
    return seam.name, tile, f"{255 * seam.largest:.2g}", f"{255 * seam.mean:.2g}"


if __name__ == "__main__":
    main()
