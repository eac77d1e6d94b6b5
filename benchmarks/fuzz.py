"""Spoiled inputs through raim: what comes out is an error that raim raises on purpose, or what is right.

    python benchmarks/fuzz.py MODE --n 5000 --seed 1

A mode is a module `fuzz_MODE` with `run_cases(n, seed, folder)`, which gives an `Outcome` for each case. The same seed
gives the same cases. The exit code is 1 if any case has a fault; what it was made of is kept in `folder`.
"""

import argparse
import importlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MODES = ("images", "photographs", "restorers", "tables", "zips")
MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a case.

    Attributes:
        words: What happened, in the same words for cases alike, such as "refused".
        fault: What is wrong; "" if nothing is.
    """

    words: str
    fault: str = ""


def run_mode(mode: str, n: int, seed: int, folder: Path) -> Iterator[Outcome]:
    """Run the cases of a mode."""
    yield from importlib.import_module(f"fuzz_{mode}").run_cases(n, seed, folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print counts and faults; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--n", type=int, default=1000, help="cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="for the files of the cases; default: a new one")
    given = parser.parse_args(arguments)
    folder = given.folder or Path(tempfile.mkdtemp(prefix="raim-fuzz-"))
    begun = time.monotonic()
    counts: Counter[str] = Counter()
    faults = []
    for place, outcome in enumerate(run_mode(given.mode, given.n, given.seed, folder)):
        counts[outcome.words] += 1
        faults += [f"case {place}: {outcome.fault}"] if outcome.fault else []
    print(f"{given.mode}: {counts.total()} cases, seed {given.seed}, {time.monotonic() - begun:.0f} s")
    for words, count in sorted(counts.items()):
        print(f"  {count:6d}  {words}")
    for fault in faults[:MOST_SHOWN]:
        print(fault)
    print(f"{len(faults)} faults" + (f"; files in {folder}" if faults else ""))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
