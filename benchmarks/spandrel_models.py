"""Published architectures with weights from a seed, through `restorer_from_file` as a user's model file goes.

    python benchmarks/spandrel_models.py --date 2026-12-31
    python benchmarks/spandrel_models.py --date 2026-12-31 --only NAFNet --write-docs docs/restorers.md

Each net runs in a process of its own on one thread, on a synthetic picture whose sides are no multiples of its windows.
Restormer needs spandrel_extra_arches beside the extra `spandrel` and is left out without it. docs/restorers.md says
what the columns are.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from documents import write_section
from material import make_scene
from processes import ONE_THREAD, make_environment
from raim.restore import Context, Restorer, restorer_from_file
from raim.restore.gate import check_result
from raim.restore.model_file import find_grid, load_network
from spandrel_nets import NETS, write_net
from turns import peak_mb

SECTION = "spandrel"
ODD = 61, 83
HEIGHT = 51
BEYOND_TILE = 67  # pixels that the picture is wider than a tile
LEAST_TILE = 160
HEAD = (
    "architecture",
    "sizes of",
    "parameters, 10^6",
    "scale",
    "grid",
    "tile",
    "tiles from the whole, of 255",
    "mean",
    "float16 file, of 255",
    "bfloat16 file, of 255",
    "peak MB, tiles",
    "CPU s/MP, whole",
    "CPU s/MP, tiles",
)
CONTRAST = 0.5  # of the picture, so that little of it is at the ends of the range


def main() -> None:
    """Measure, print a table, write it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--date", required=True, help="as it stands above the table")
    parser.add_argument("--only", nargs="+", choices=NETS, default=list(NETS))
    parser.add_argument("--small", action="store_true", help="the sizes of the tests, in seconds")
    parser.add_argument("--write-docs", type=Path, help="put the table between the marks of this document")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, is_small=options.small)))
        return
    found = [_measure_apart(name, is_small=options.small) for name in options.only if _is_here(name)]
    text = f"{describe_run(options.date)}\n\n{format_table(found)}"
    print(f"\n{text}")
    if options.write_docs:
        write_section(options.write_docs, SECTION, text)


def _is_here(name: str) -> bool:
    """Say whether the package of an architecture is installed."""
    package = NETS[name].module.partition(".")[0]
    is_here = importlib.util.find_spec(package) is not None
    if not is_here:
        print(f"{name} is left out: {package} is not installed", file=sys.stderr)
    return is_here


def _measure_apart(name: str, *, is_small: bool) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", __file__, "--date", "-", "--measure", name]
    done = subprocess.run(
        [*command, *(["--small"] if is_small else [])],
        env=make_environment(ONE_THREAD),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(found, file=sys.stderr, flush=True)
    return found


def measure(name: str, *, is_small: bool) -> dict[str, Any]:
    """Measure one net: tiles first, because the peak of memory only rises.

    Raises:
        InputError: What it gives for a picture whose sides are no multiple of anything does not pass the gate.
    """
    net = NETS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.pth"
        n_parameters = write_net(path, net, net.small if is_small else net.published)
        restorer = restorer_from_file(path)
        grid = find_grid(load_network(path))
        tile = max(LEAST_TILE, 5 * grid)
        picture = make_picture(HEIGHT, tile + BEYOND_TILE)
        tiled, tiled_s = run(restorer, picture, tile)
        peak = peak_mb()
        whole, whole_s = run(restorer, picture, 10_000)
        odd = make_picture(*ODD)
        plain = restorer.compute(odd, Context(threads=1))
        check_result(plain, odd, name=name, scale=restorer.scale)  # the gate of every result
        halves = [compare_half(path, plain, odd, dtype) for dtype in (torch.float16, torch.bfloat16)]
    megapixels = picture.shape[0] * picture.shape[1] / 1e6
    difference = np.abs(tiled - whole) * 255
    return {
        "name": name,
        "which": net.which,
        "parameters": n_parameters / 1e6,
        "scale": restorer.scale,
        "grid": grid,
        "tile": tile,
        "largest": float(difference.max()),
        "mean": float(difference.mean()),
        "halves": halves,
        "peak_mb": peak,
        "whole": whole_s / megapixels,
        "tiled": tiled_s / megapixels,
    }


def make_picture(height: int, width: int) -> np.ndarray:
    """Make a picture in [0, 1] with about the spectrum of a photograph: float32 (h, w, 3)."""
    scene = make_scene(width, height).astype(np.float32) / 255
    return 0.5 + CONTRAST * (scene - 0.5)


def run(restorer: Restorer, picture: np.ndarray, tile: int) -> tuple[np.ndarray, float]:
    """Restore before the gate, which would clip what is to be compared; give seconds of processor time too."""
    began = time.process_time()
    restored = restorer.compute(picture, Context(threads=1, tile_px=tile))
    return restored, time.process_time() - began


def compare_half(path: Path, plain: np.ndarray, picture: np.ndarray, dtype: torch.dtype) -> float:
    """Give the largest difference, of 255, that weights make which are stored in half precision."""
    state = {
        key: value.to(dtype) if value.is_floating_point() else value
        for key, value in torch.load(path).items()
    }
    half = path.with_name(f"{str(dtype).rpartition('.')[2]}.pth")
    torch.save(state, half)
    restored = restorer_from_file(half).compute(picture, Context(threads=1))
    return float(np.abs(restored - plain).max() * 255)


def describe_run(date: str) -> str:
    """Say when and with what."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "spandrel")]
    extra = "spandrel_extra_arches"
    if importlib.util.find_spec(extra):
        versions.append(f"{extra} {importlib.metadata.version(extra)}")
    return f"{date}, {_processor()}, one thread of a machine that did other work; {', '.join(versions)}; float32:"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def format_table(found: Sequence[Mapping[str, Any]]) -> str:
    """Write a Markdown table.

    Example:
        >>> row = {"name": "A", "which": "A x2", "parameters": 1.25, "scale": 2, "grid": 8, "tile": 160}
        >>> row |= {"largest": 0.1234, "mean": 0.01, "halves": [0.1, 1.0], "peak_mb": 700, "whole": 99.9, "tiled": 150}
        >>> format_table([row]).splitlines()[-1]
        '| A | A x2 | 1.2 | 2 | 8 | 160 | 0.12 | 0.01 | 0.1 | 1 | 700 | 100 | 150 |'
    """
    lines = [HEAD, ("---", "---", *["---:"] * (len(HEAD) - 2)), *map(_cells, found)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Mapping[str, Any]) -> Iterator[str]:
    yield from (row["name"], row["which"], f"{row['parameters']:.1f}", str(row["scale"]), str(row["grid"]))
    yield str(row["tile"])
    yield from (f"{value:.2g}" for value in (row["largest"], row["mean"], *row["halves"]))
    yield from (f"{row[key]:.0f}" for key in ("peak_mb", "whole", "tiled"))


if __name__ == "__main__":
    main()
