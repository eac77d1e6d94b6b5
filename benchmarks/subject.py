"""The process that is timed on raim's side: one measure, or a whole scoring, of one case.

Run by measures.py: python subject.py KIND CASE.json WARM_UP.json, where KIND is the name of a measure, "whole",
"co-scored" or "workers-N". The warm-up case is computed first and not timed: kernels are loaded, weights read.
"""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from material import Case
from raim.images import read_image
from raim.scoring import find_profile, score_folders
from raim.scoring.pairs import cut_border, measure_candidates
from turns import Values, take_turns

PROFILE = find_profile("raim-2024")


def prepare_measure(name: str, case: Case) -> Callable[[], Values]:
    """Read a case's first pair; what comes back measures it from arrays."""
    choice = next(choice for choice in PROFILE.measures if choice.name == name)
    restored, reference = (
        cut_border(read_image(path).pixels, PROFILE.border_px)
        for path in (case.only_file(case.restored[0]), case.only_file(case.reference))
    )
    return lambda: {name: measure_candidates(name, choice.options, [restored], reference)[0].value}


def score_files(restored: Sequence[Path], reference: Path, workers: int) -> Values:
    """Score folders with all five measures, from files to records; give the first entry's means."""
    names = [str(number) for number in range(len(restored))]
    table = score_folders(restored, reference, profile=PROFILE, names=names, workers=workers, cache=None)
    return next(entry.mean for entry in table.entries if entry.name == names[0])


def prepare(kind: str, case: Case) -> Callable[[], Values]:
    """Make what a turn runs."""
    if kind == "whole":
        return functools.partial(score_files, case.restored[:1], case.reference, 1)
    if kind == "co-scored":
        return functools.partial(score_files, case.restored, case.reference, 1)
    if kind.startswith("workers-"):
        workers = int(kind.removeprefix("workers-"))
        return functools.partial(score_files, case.restored[:1], case.reference, workers)
    return prepare_measure(kind, case)


def main() -> None:
    """Warm up, then take turns."""
    kind = sys.argv[1]
    case, warm_up = (Case.from_dict(json.loads(Path(path).read_text())) for path in sys.argv[2:4])
    prepare(kind, warm_up)()
    take_turns(prepare(kind, case))


if __name__ == "__main__":  # worker processes import this module
    main()
