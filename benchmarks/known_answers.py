"""Measure every known answer and print how far raim is from each: published values, another project's log, real pairs.

Run: python benchmarks/known_answers.py ../shared [--engine fast] [--device cuda]
Exits 1 if a value is farther away than its table allows. `kat/README.md` in that folder says where each value is from;
docs/benchmarks.md has what came out. The weights must be there: raim weights fetch.
"""

import argparse
import csv
import dataclasses
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from raim.metrics import dists, lpips, niqe, psnr
from raim.scoring import find_profile, score_pair

# How close each measure must come, as kat/README.md says; a SCORE follows from the others by its weights.
REAL = {
    "psnr": 1e-4,
    "ssim": 1e-5,
    "lpips": 5e-6,
    "dists": 5e-6,
    "niqe": 5e-3,
    "score": 2e-2,
    "psnr_rgb": 1e-4,
}
LOGGED = {"psnr": 1e-5, "ssim": 2e-6, "lpips": 4e-4, "dists": 1e-4, "niqe": 0.02, "score": 0.1}


class Answer(NamedTuple):
    """One value: what it is of, what is known and what raim says."""

    table: str
    measure: str
    place: str
    expected: float
    found: float
    tolerance: float


def read(path: Path) -> np.ndarray:
    """Read three channels."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def answer_published(shared: Path, engine: dict[str, str]) -> Iterator[Answer]:
    """Measure the rows of known_answers.csv."""
    measures = {
        "lpips_alex": lambda a, b: lpips(a, b, **engine),
        "lpips_vgg": lambda a, b: lpips(a, b, net="vgg16", **engine),
        "dists": lambda a, b: dists(a, b, **engine),
        "psnr_rgb": psnr,
        "niqe_matlab_rgb2gray": lambda a, _: niqe(a, variant="matlab"),
        "niqe_pyiqa": lambda a, _: niqe(a, variant="pyiqa"),
    }
    for row in rows_of(shared / "kat" / "known_answers.csv"):
        first, _, second = row["pair"].partition("|")
        names = (second, first) if second else (first, first)
        pair = [read(shared / "kat" / "images" / f"{name}.png") for name in names]
        found = measures[row["measure"]](*pair)
        yield Answer(
            "published", row["measure"], row["pair"], float(row["value"]), found, float(row["tolerance"])
        )


def answer_real_pairs(shared: Path, engine: dict[str, str]) -> Iterator[Answer]:
    """Measure the 30 real pairs with and without the border."""
    profile = find_profile("raim-2024")
    for row in rows_of(shared / "kat" / "real_pairs.csv"):
        folder = shared / "data" / "paired" / row["scenario"]
        restored, reference = (
            read(next((folder / role).glob(f"{row['pair_id']}.*"))) for role in ("input", "reference")
        )
        for prefix, border in (("raim2024", 4), ("nocrop", 0)):
            chosen = dataclasses.replace(profile, border_px=border)
            values = dict(score_pair(restored, reference, chosen, **engine).values)
            inner = slice(border, -border or None)
            values["psnr_rgb"] = psnr(restored[inner, inner], reference[inner, inner], epsilon=1e-8)
            for measure, tolerance in REAL.items():
                known = row.get(f"{prefix}_{measure}")
                if known:
                    yield Answer(
                        f"real pairs, {prefix}",
                        measure,
                        row["pair_id"],
                        float(known),
                        values[measure],
                        tolerance,
                    )


def answer_log(shared: Path, engine: dict[str, str]) -> Iterator[Answer]:
    """Measure the photographs of another project's log, which cuts no border."""
    profile = dataclasses.replace(find_profile("raim-2024"), border_px=0)
    folder = shared / "kat" / "published_log"
    for row in rows_of(folder / "published.csv"):
        pair = [read(folder / role / f"{row['name']}.png") for role in ("restored", "reference")]
        values = score_pair(*pair, profile, **engine).values
        for measure, tolerance in LOGGED.items():
            yield Answer(
                "published log", measure, row["name"], float(row[measure]), values[measure], tolerance
            )


def main() -> int:
    """Measure all, print the farthest of each measure, and say whether all are close enough."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path, help="the folder that holds kat/ and data/")
    parser.add_argument("--engine", default="auto", help="ncnn, winograd, fast or torch")
    parser.add_argument("--device", default="cpu", help="cpu, or a device of torch such as cuda")
    options = parser.parse_args()
    engine = {"engine": options.engine, "device": options.device}
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answers in (
        answer_published(options.shared, engine),
        answer_log(options.shared, engine),
        answer_real_pairs(options.shared, engine),
    ):
        for answer in answers:
            groups[answer.table, answer.measure].append(answer)
    missed = 0
    print(f"{'table':<22}{'measure':<22}{'values':>7}{'missed':>7}  farthest")
    for (table, measure), answers in groups.items():
        wrong = [a for a in answers if not math.isclose(a.found, a.expected, rel_tol=0, abs_tol=a.tolerance)]
        worst = max(answers, key=lambda answer: abs(answer.found - answer.expected) / answer.tolerance)
        away = abs(worst.found - worst.expected)
        print(
            f"{table:<22}{measure:<22}{len(answers):>7}{len(wrong):>7}  "
            f"{away:.2g} of {worst.tolerance:g} ({worst.place})"
        )
        missed += len(wrong)
    print(f"{sum(map(len, groups.values()))} values, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
