"""Choose the numbers of the restorer `auto` by SCORE, and judge them on sources they were chosen without.

    python benchmarks/tune_auto.py measure --data ../shared/data/paired --out OUT    hours of one core, resumes
    python benchmarks/tune_auto.py choose OUT/candidates.json                        seconds

`measure` restores every pair with every candidate (FFDNet at several noise levels, Real-ESRGAN by several
reductions, each whole and mixed with the input) and scores them. `choose` tries every combination of the rules'
numbers, and once for each source without that source's photographs, on which it then reports the SCORE.
"""

import argparse
import dataclasses
import itertools
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean

import numpy as np

from raim.images import read_image, write_image
from raim.processes import count_cores
from raim.report.crop import show_pixels
from raim.restore import find_restorer, inspect_photograph, restore
from raim.restore.auto import Rules, choose
from raim.restore.inspection import Inspection
from raim.restore.pixels import to_photograph
from raim.scoring.measures import measure_candidates
from raim.scoring.profiles import find_profile
from variants import Pair, find_pairs

SIGMAS = (2, 4, 6, 8, 10, 13, 16, 20)
REDUCTIONS = (3, 4)
SHARES = (75, 100)
# Photographs of one camera project share scenes, lenses and processing: a source is judged as a whole.
SOURCES = ("polyu", "cc", "nam", "city100", "realsr", "drealsr", "gopro", "levin", "lytro", "hrdemoire")
GRID = {
    "least_noise": (0.9, 1.0),
    "least_fine_noise": (0.0, 0.35, 0.4),
    "noise_gain": (2.0, 2.4, 2.8, 3.2, 3.6),
    "share": (0.75, 1.0),
    "most_bandwidth": (0.2, 0.3, 0.4, 0.6),
    "reduction": (3, 4),
}

Scores = Mapping[str, Mapping[str, float]]


def list_restorations() -> dict[str, tuple[str, dict[str, int]]]:
    """Give each candidate's name with its restorer and options."""
    return {f"ffd_{sigma}": ("ffdnet", {"sigma": sigma}) for sigma in SIGMAS} | {
        f"esr_r{factor}": ("real-esrgan-x4plus", {"reduction": factor}) for factor in REDUCTIONS
    }


def restore_candidates(pair: Pair, folder: Path) -> None:
    """Restore one photograph with every candidate that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (restorer, options) in list_restorations().items():
        target = folder / f"{name}.png"
        if not target.exists():
            write_image(
                target, restore(read_image(pair.input).pixels, find_restorer(restorer, **options)).pixels
            )


def score_candidates(pair: Pair, folder: Path) -> dict[str, float]:
    """Give the SCORE of the input, of every candidate and of its mixtures with the input."""
    profile = find_profile("raim-2024")
    before = _read(pair.input)
    made = {"identity": before}
    for name, share in itertools.product(list_restorations(), SHARES):
        after = _read(folder / f"{name}.png").astype(np.float32)
        made[f"{name}@{share}"] = np.rint(before + share / 100 * (after - before)).astype(np.uint8)
    border = profile.border_px
    inner = np.s_[border:-border, border:-border]
    truth = np.ascontiguousarray(_read(pair.reference)[inner])
    scores = {}
    for names in _batch(list(made), 8):
        pixels = [np.ascontiguousarray(made[name][inner]) for name in names]
        values = {
            measure.key: measure_candidates(measure.name, measure.options, pixels, truth)
            for measure in profile.measures
        }
        for index, name in enumerate(names):
            scores[name] = profile.score({key: column[index].value for key, column in values.items()})
    return scores


def _batch(names: list[str], size: int) -> list[list[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]


def _read(path: Path) -> np.ndarray:
    return show_pixels(read_image(path))


def measure(data: Path, out: Path) -> None:
    """Restore and score all candidates of all pairs; what is there is kept."""
    table_path = out / "candidates.json"
    table = json.loads(table_path.read_text()) if table_path.exists() else {}
    every = find_pairs(data)
    pairs = [pair for pair in every if pair.name not in table]
    for pair in pairs:
        restore_candidates(pair, out / pair.name)
    with ProcessPoolExecutor(count_cores()) as pool:
        jobs = [(pair, pool.submit(score_candidates, pair, out / pair.name)) for pair in pairs]
        for pair, job in jobs:
            inspection = inspect_photograph(to_photograph(read_image(pair.input).pixels))
            table[pair.name] = {
                "scenario": pair.scenario,
                "inspection": dataclasses.asdict(inspection),
                "scores": {name: round(score, 3) for name, score in job.result().items()},
            }
            table_path.write_text(json.dumps(table, indent=1))
            print(f"{len(table)} of {len(every)}: {pair.name}", flush=True)


def predict(entry: Mapping[str, object], rules: Rules) -> float:
    """Give the SCORE that rules reach on a photograph; between noise levels it is interpolated."""
    scores: Mapping[str, float] = entry["scores"]
    choice = choose(Inspection(**entry["inspection"]), rules)
    if choice.restorer == "identity":
        return scores["identity"]
    share = round(100 * choice.share)
    if choice.restorer == "enlarge":
        return scores[f"esr_r{choice.reduction}@{share}"]
    levels = [scores["identity"], *(scores[f"ffd_{sigma}@{share}"] for sigma in SIGMAS)]
    return float(np.interp(choice.sigma, (0, *SIGMAS), levels))


def find_best(entries: Sequence[Mapping[str, object]]) -> Rules:
    """Try every combination of the numbers; of equals the first."""
    tried = [Rules(**dict(zip(GRID, values, strict=True))) for values in itertools.product(*GRID.values())]
    return max(tried, key=lambda rules: fmean(predict(entry, rules) for entry in entries))


def show_choice(table: Mapping[str, Mapping[str, object]]) -> None:
    """Print what is chosen, and the SCORE of each source by numbers chosen without it."""
    best = find_best(list(table.values()))
    print("chosen on all:", best)
    print("the package's:", Rules())
    print(
        "\n| source | pairs | identity | auto | numbers chosen without the source |\n|---|---:|---:|---:|---:|"
    )
    left_out = []
    for source in SOURCES:
        inside = [entry for name, entry in table.items() if name.startswith(f"{source}_")]
        outside = [entry for name, entry in table.items() if not name.startswith(f"{source}_")]
        held = [predict(entry, find_best(outside)) for entry in inside]
        left_out += held
        before = fmean(entry["scores"]["identity"] for entry in inside)
        ours = fmean(predict(entry, Rules()) for entry in inside)
        print(f"| {source} | {len(inside)} | {before:.1f} | {ours:.1f} | {fmean(held):.1f} |")
    means = [
        fmean(entry["scores"]["identity"] for entry in table.values()),
        fmean(predict(entry, Rules()) for entry in table.values()),
        fmean(left_out),
    ]
    print(f"| all | {len(table)} | {means[0]:.1f} | {means[1]:.1f} | {means[2]:.1f} |")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--data", type=Path, required=True)
    measuring.add_argument("--out", type=Path, required=True)
    choosing = commands.add_parser("choose")
    choosing.add_argument("table", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "measure":
        measure(arguments.data, arguments.out)
    else:
        show_choice(json.loads(arguments.table.read_text()))


if __name__ == "__main__":
    main()
