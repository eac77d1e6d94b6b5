"""How well `raim align` finds a known alignment: position, tone, what moved; and how long it takes.

    python benchmarks/align.py --size 480 --seed 0

Captures are made from scikit-image's photographs (`align_scenes`). Constants of the alignment were chosen on TUNING
alone; HELD_OUT was looked at only to be reported. For each kind of captures and each photograph one line, and the
means of both groups over what was not refused, with their number. Columns:

| column | meaning |
|---|---|
| position | mean distance, px of the input, from where a pixel lies in the reference to where it was put; unmasked |
| at 95 % | the 95th percentile of the same |
| said | mean residual that `raim align` states itself |
| tone | mean error of the reference's values in the input's tone, levels of 255; the same pixels |
| recall | of the pixels where something moved, the share that is masked |
| false | of pixels further than the blur and 12 px (the mask's growth) from what moved, the share that is masked |
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from align_scenes import KINDS, MODES, Captures, cut_photograph, make_captures, read_photograph
from raim.data.alignment.burst import average_shots
from raim.data.alignment.matches import MatchSearch
from raim.data.alignment.modes import ALIGNMENT_MODES as RULES
from raim.data.alignment.options import PairLimits
from raim.data.alignment.planes import to_colour
from raim.data.alignment.refusal import describe_search, judge_alignment
from raim.data.alignment.registration import Alignment, align
from raim.demo.photographs import find_photographs

TUNING = ("astronaut", "coffee")
HELD_OUT = ("chelsea", "motorcycle_left", "rocket")
NEAR_PX = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What one alignment was measured at; see the table above."""

    kind: str
    photograph: str
    position_px: float
    high_px: float
    said_px: float
    tone: float
    recall: float
    false_share: float
    seconds: float
    refusal: str | None


def measure(captures: Captures, kind: str, photograph: str) -> Figures:
    """Align captures and compare with their truth."""
    start = time.perf_counter()
    found = _align(captures, kind)
    seconds = time.perf_counter() - start
    if isinstance(found, MatchSearch):
        nothing = dict.fromkeys(
            ("position_px", "high_px", "said_px", "tone", "recall", "false_share"), math.nan
        )
        return Figures(
            kind=kind, photograph=photograph, seconds=seconds, refusal=describe_search(found), **nothing
        )
    alignments, last = found
    usable = last.inside & ~last.moved & ~captures.moved
    distances = np.concatenate(
        [
            _measure_distance(each, capture.points, captures.scale)[usable & each.inside]
            for each, capture in zip(alignments, captures.references, strict=True)
        ]
    )
    toned = last.tone.apply(captures.clean)
    near = cv2.dilate(captures.moved.astype(np.uint8), _draw_disc(NEAR_PX + captures.blur_px)) > 0
    return Figures(
        kind=kind,
        photograph=photograph,
        position_px=float(distances.mean()),
        high_px=float(np.percentile(distances, 95)),
        said_px=last.residual.mean_px(),
        tone=255 * float(np.abs(toned - captures.toned)[usable].mean()),
        recall=float(last.moved[captures.moved & last.inside].mean()) if captures.moved.any() else math.nan,
        false_share=float((last.moved & ~near).mean()),
        seconds=seconds,
        refusal=next(
            (said for each in (*alignments, last) if (said := judge_alignment(each, PairLimits()))), None
        ),
    )


def _align(captures: Captures, kind: str) -> tuple[list[Alignment], Alignment] | MatchSearch:
    """Give the alignments of all references, and that of what the pair's reference is made of."""
    mode = RULES[MODES[kind]]
    colour = to_colour(captures.pixels)
    references = [to_colour(each.pixels) for each in captures.references]
    if kind != "burst":
        found = align(colour, references[0], mode, seed=0)
        return found if isinstance(found, MatchSearch) else ([found], found)
    average = average_shots(colour, references, mode, seed=0)
    for each in average.alignments:
        if isinstance(each, MatchSearch):
            return each
    shots = [each for each in average.alignments if isinstance(each, Alignment)]
    return shots, average.align(colour, mode)


def _measure_distance(alignment: Alignment, points: np.ndarray, scale: float) -> np.ndarray:
    return np.linalg.norm(alignment.mapping.at_scale(1) - points, axis=-1) / scale


def _draw_disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def run(names: Sequence[str], kinds: Sequence[str], *, size: int, seeds: Sequence[int]) -> Iterator[Figures]:
    """Measure every kind on every photograph; each has random numbers of its own."""
    paths = {path.stem: path for path in find_photographs()}
    for kind in kinds:
        for name in names:
            photograph = cut_photograph(read_photograph(paths[name]), size)
            for seed in seeds:
                rng = np.random.default_rng([seed, KINDS.index(kind), *name.encode()])
                yield measure(make_captures(photograph, kind, rng), kind, name)


def say(figures: Figures) -> str:
    """Write a line of the table."""
    line = (
        f"{figures.kind:8} {figures.photograph:16} {figures.position_px:9.3f} {figures.high_px:8.3f} "
        f"{figures.said_px:7.3f} {figures.tone:6.2f} {figures.recall:7.3f} {figures.false_share:7.4f} "
        f"{figures.seconds:6.1f}"
    )
    return line if figures.refusal is None else f"{line}  refused: {figures.refusal}"


def average(rows: Sequence[Figures], kind: str, group: str) -> Figures:
    """Give the means of a group over what was not refused."""
    own = [row for row in rows if row.kind == kind and row.refusal is None]
    names = ("position_px", "high_px", "said_px", "tone", "recall", "false_share", "seconds")
    means = {name: float(np.mean([getattr(row, name) for row in own])) for name in names}
    return Figures(kind=kind, photograph=f"{group} ({len(own)})", refusal=None, **means)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512, help="longest side of the photographs, px")
    parser.add_argument("--seed", type=int, default=0, help="of the first captures")
    parser.add_argument("--repeats", type=int, default=1, help="captures of each kind and photograph")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--only", choices=("tuning", "held-out"), help="one group of photographs only")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.repeats)
    groups = {"tuning": TUNING, "held-out": HELD_OUT}
    print("kind     photograph        position  at 95 %    said   tone  recall   false      s")
    means = []
    for group, names in groups.items():
        if asked.only in {None, group}:
            rows = []
            for row in run(names, asked.kinds, size=asked.size, seeds=seeds):
                print(say(row), flush=True)
                rows.append(row)
            means.extend(average(rows, kind, group) for kind in asked.kinds)
    print("means")
    for row in means:
        print(say(row))


if __name__ == "__main__":
    main()
