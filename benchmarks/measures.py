"""Time every measure and whole scorings, against pyiqa where there is one; docs/benchmarks.md explains the figures.

Run: python benchmarks/measures.py [--sizes 512x512 1024x1024] [--runs 3] [--huge] [--json F]
Computations use one thread. The environment variable RAIM_PEERS_PYTHON names an interpreter that has pyiqa and
torchvision; without it raim is timed alone. The weights must be there: raim weights fetch.
"""

import argparse
import dataclasses
import datetime as dt
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from duel import MEASURES, Peer, Row, export_weights, measure_row
from material import WARM_UP_SIDE, Case, find_cases, make_case
from processes import Turn, run_command
from raim import __version__
from raim.processes import count_cores
from raim.scoring.cache import describe_engine
from startup import score_command, time_startup
from tables import MEASURE_HEAD, print_cells, print_head, print_row, seconds

SIZES = ("512x512", "1024x1024", "2048x2048", "4000x3000")
HUGE = "12000x9000"
COMMAND_HEAD = ("what", "s", "CPU s", "peak MB")
THROUGHPUT_SIZE = "1024x1024"
THROUGHPUT_PAIRS = 8
PARTS = ("measures", "throughput", "startup")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WxH", help="of the synthetic pairs")
    parser.add_argument(
        "--pairs", type=Path, metavar="DIR", help="real pairs: DIR/reference and DIR/restored"
    )
    parser.add_argument("--candidates", type=int, default=8, help="scored together in one pass")
    parser.add_argument("--runs", type=int, default=3, help="turns of each; the fastest is kept")
    parser.add_argument("--peer-limit", default="2048x2048", metavar="WxH", help="largest for the peer")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to run")
    parser.add_argument("--huge", action="store_true", help=f"score a pair of {HUGE} too")
    parser.add_argument("--json", type=Path, metavar="F", help="write all figures")
    return parser.parse_args()


def main() -> None:
    """Run the parts that are asked for and print their tables."""
    options = parse_options()
    results: dict[str, Any] = {"schema": "raim-benchmark/1", "machine": describe_machine()}
    for key, value in results["machine"].items():
        print(f"{key}: {value}")
    with tempfile.TemporaryDirectory(prefix="raim-benchmark-") as folder:
        root = Path(folder)
        if "measures" in options.only:
            results["measures"] = list(map(dataclasses.asdict, run_measures(options, root)))
        if "throughput" in options.only:
            results["throughput"] = run_throughput(options, root)
        if "startup" in options.only:
            results["startup"] = run_startup(options, root)
        if options.huge:
            results["huge"] = run_huge(root)
    results["load_at_end"] = os.getloadavg()
    print(f"\nload average at the end: {_load()}")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def describe_machine() -> dict[str, str]:
    """Give what the figures depend on."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text(encoding="utf-8").splitlines() if names.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="minutes"),
        "processor": f"{model}, {count_cores()} cores",
        "system": platform.platform(),
        "raim": f"{__version__}, {describe_engine('cpu')}, Python {platform.python_version()}",
        "peer": _describe_peer(),
        "load average at the start": _load(),
    }


def _load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _describe_peer() -> str:
    python = os.environ.get("RAIM_PEERS_PYTHON")
    if python is None:
        return "none: RAIM_PEERS_PYTHON is not set"
    ask = "from importlib.metadata import version as v; print(*[n+' '+v(n) for n in ('pyiqa','torch')], sep=', ')"
    answer = subprocess.run((python, "-c", ask), check=False, capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"RAIM_PEERS_PYTHON={python} has no pyiqa or torch: {answer.stderr[-300:]}")
    return answer.stdout.strip()


def run_measures(options: argparse.Namespace, root: Path) -> Iterator[Row]:
    """Measure every case: each measure, a whole scoring, and one of several candidates."""
    peer = find_peer(root)
    limit = count_pixels(options.peer_limit)
    warm_up = make_case(root / "warm-up", f"{WARM_UP_SIDE}x{WARM_UP_SIDE}", candidates=options.candidates)
    for case in list_cases(options, root):
        print_head(f"{case.name}, one thread", MEASURE_HEAD)
        rival = peer if case.pixels <= limit else None
        whole = None
        for kind in (*MEASURES, "whole", "co-scored"):
            row = measure_row(
                kind,
                case,
                warm_up,
                peer=rival if kind != "co-scored" else None,
                runs=options.runs,
                root=root,
            )
            whole = row.peer if kind == "whole" else whole
            print_row(row, whole if kind == "co-scored" else None)
            yield row


def find_peer(root: Path) -> Peer | None:
    """Give the peer that the environment names, with raim's weights written out for it."""
    python = os.environ.get("RAIM_PEERS_PYTHON")
    if python is None:
        return None
    peer = Peer(python=python, weights=root / "weights.npz")
    export_weights(peer.weights)
    return peer


def list_cases(options: argparse.Namespace, root: Path) -> Iterator[Case]:
    """Give the user's pairs, or synthetic ones of each size."""
    if options.pairs is not None:
        yield from find_cases(options.pairs, root / "pairs", candidates=options.candidates)
        return
    for size in options.sizes:
        yield make_case(root / size, size, candidates=options.candidates)


def count_pixels(size: str) -> int:
    """Multiply a size such as "1024x1024"."""
    width, height = size.split("x")
    return int(width) * int(height)


def run_throughput(options: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    """Score a folder with one process and with two, their start included."""
    case = make_case(root / "throughput", THROUGHPUT_SIZE, photographs=THROUGHPUT_PAIRS)
    warm_up = make_case(root / "throughput-warm-up", f"{WARM_UP_SIDE}x{WARM_UP_SIDE}")
    print_head(
        f"{THROUGHPUT_PAIRS} pairs of {THROUGHPUT_SIZE}, all measures",
        ("worker processes", "s", "pairs/min", "peak MB, all together"),
    )
    found = []
    for workers in (1, 2):
        row = measure_row(f"workers-{workers}", case, warm_up, peer=None, runs=options.runs, root=root)
        rate = f"{60 * row.pairs / row.raim.wall_s:.1f}"
        print_cells([str(workers), seconds(row.raim.wall_s), rate, f"{row.raim.peak_mb:.0f}"])
        found.append(dataclasses.asdict(row))
    return found


def run_startup(options: argparse.Namespace, root: Path) -> list[dict[str, Any]]:
    """Time what a user waits for before the first result."""
    print_head("From the shell, fresh processes", COMMAND_HEAD)
    return [_print_turn(name, turn) for name, turn in time_startup(root, options.runs)]


def run_huge(root: Path) -> dict[str, Any]:
    """Score one pair of 108 megapixels from the shell."""
    case = make_case(root / HUGE, HUGE)
    print_head(f"One pair of {HUGE}, from the shell", COMMAND_HEAD)
    return _print_turn("`raim score`, all measures", run_command(score_command(case)))


def _print_turn(name: str, turn: Turn) -> dict[str, Any]:
    print_cells([name, seconds(turn.wall_s), seconds(turn.cpu_s), f"{turn.peak_mb:.0f}"])
    return {"what": name, **dataclasses.asdict(turn)}


if __name__ == "__main__":
    main()
