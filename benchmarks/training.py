"""What the recipes that come with raim reach on pairs that no recipe trains on.

    python benchmarks/training.py --data ../shared/data/paired/denoise --out runs/benchmark --seeds 0 1 2

For each seed `denoise-l1` is trained, then `denoise-score` from it, both by the command; the pairs' inputs are
restored with both models, written without loss and scored by `raim score`. A run that has finished is not repeated,
one that was stopped goes on. The table has SCORE and the measures of the inputs as they are, of both models, what
finetuning on SCORE adds, and minutes.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RAIM = (sys.executable, "-m", "raim")
L1, TUNED, IDENTITY = "denoise-l1", "denoise-score", "identity"
COLUMNS = ("psnr", "ssim", "lpips", "dists", "niqe", "score")


def train(recipe: str, run: Path, *changes: str) -> Mapping[str, Any]:
    """Train by the command, unless that was done; give training.json."""
    facts = run / "training.json"
    if not (facts.is_file() and json.loads(facts.read_text("utf-8"))["is_finished"]):
        settings = [part for change in changes for part in ("--set", change)]
        subprocess.run([*RAIM, "train", recipe, str(run), *settings], check=True)
    found: Mapping[str, Any] = json.loads(facts.read_text("utf-8"))
    return found


def score(data: Path, models: Mapping[str, Path | None], out: Path) -> Mapping[str, Mapping[str, float]]:
    """Restore the inputs with each model and score all in one pass; without a model the inputs are scored."""
    folders = {}
    for name, model in models.items():
        folders[name] = data / "input" if model is None else out / "restored" / name
        if model is not None:
            command = [*RAIM, "restore", str(data / "input"), str(folders[name]), "--model", str(model)]
            subprocess.run([*command, "--format", "png", "--overwrite"], check=True, capture_output=True)
    path = out / "scores.json"
    restored = [str(folder) for folder in folders.values()]
    command = [*RAIM, "score", *restored, str(data / "reference"), "--json", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    by_folder = {entry["name"]: entry["mean"] for entry in json.loads(path.read_text("utf-8"))["entries"]}
    return {name: by_folder[folder.name] for name, folder in folders.items()}


def say(name: str, means: Mapping[str, float], minutes: float | None) -> str:
    """Write a line of the table."""
    values = " ".join(f"{means[column]:8.3f}" for column in COLUMNS)
    return f"{name:16} {values} {'' if minutes is None else f'{minutes:8.1f}'}"


def sum_up(values: Sequence[float]) -> str:
    """Say the mean of several seeds and how far they lie apart."""
    return f"{statistics.mean(values):+.2f} ({min(values):+.2f} to {max(values):+.2f})"


def main() -> None:
    """Train, restore, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with input/ and reference/")
    parser.add_argument("--out", type=Path, required=True, help="where runs and restored photographs go")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    models: dict[str, Path | None] = {IDENTITY: None}
    minutes: dict[str, float] = {}
    for seed in asked.seeds:
        for recipe in (L1, TUNED):
            run = asked.out / f"{recipe}-{seed}"
            changes = [f"seed={seed}"]
            if recipe == TUNED:
                changes.append(f"model.start={asked.out / f'{L1}-{seed}' / 'model.safetensors'}")
            minutes[run.name] = train(recipe, run, *changes)["seconds"] / 60
            models[run.name] = run / "model.safetensors"
    means = score(asked.data, models, asked.out)
    print("                     " + " ".join(f"{column:>8}" for column in COLUMNS) + "  minutes")
    for name in models:
        print(say(name, means[name], minutes.get(name)))
    l1, tuned = ([means[f"{recipe}-{seed}"] for seed in asked.seeds] for recipe in (L1, TUNED))
    over = [each["score"] - means[IDENTITY]["score"] for each in l1]
    print(f"{L1} over the inputs as they are: SCORE {sum_up(over)}")
    added = [after["score"] - before["score"] for before, after in zip(l1, tuned, strict=True)]
    lost = [after["psnr"] - before["psnr"] for before, after in zip(l1, tuned, strict=True)]
    print(f"{TUNED} over {L1}: SCORE {sum_up(added)}, PSNR {sum_up(lost)} dB")


if __name__ == "__main__":
    main()
