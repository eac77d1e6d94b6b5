"""Learn what the restorer `auto` knows, and judge it on photographs that it has not learned from: one command.

    python benchmarks/tune_auto.py PACKAGES REAL OUT [--write]

PACKAGES holds the photographs of auto_photographs.csv (auto_pairs.py says how), REAL real pairs with a folder for each
scenario, OUT gets everything and is gone on with. In turn: pairs are made by the camera model; parts are cut out of the
real ones as `auto` does; each is restored by every candidate and scored (hours of one core); the numbers of the
regression are chosen by leaving out one source after another, once on the camera's pairs for choosing, to be tested on
the real ones, once on both, for the package; then the tables are printed. --write puts the known pairs into the package
and the tables into docs/restorers.md.
"""

import argparse
import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import fmean

import numpy as np

from auto_pairs import make_pairs, read_list
from documents import write_section
from raim.images import read_image, write_image
from raim.processes import count_cores
from raim.report.crop import show_pixels
from raim.restore import find_restorer, inspect_photograph, restore
from raim.restore.auto import (
    DEBLUR,
    DENOISE,
    ENLARGE,
    REDUCTION,
    Findings,
    choose_candidate,
    choose_tiles,
    find_sigma,
)
from raim.restore.inspection import Inspection
from raim.restore.maxim import is_sharp
from raim.restore.pixels import to_photograph
from raim.restore.prediction import (
    CHANGE,
    DEFECTS,
    GAIN,
    LEVELS,
    NIQE_GAIN,
    NIQE_POINTS,
    RATIOS,
    RULES,
    KnownPair,
    RestorerTrial,
    Rules,
    describe_numbers,
    learn,
)
from raim.scoring.pairs import measure_candidates
from raim.scoring.profiles import find_profile
from raim.tables import format_table
from variants import Pair, find_pairs

# FFDNet is tried at these levels; its gain at others is interpolated. The last two only where noise is strong.
SIGMAS = (3, 5, 8, 12, 18, 27, 40, 60)
ALWAYS = 27
# MAXIM is tried where something is blurred, drawn or found to be; elsewhere `auto` does not try it either.
BLURRED = ("motion_blur", "combined", "out_of_focus", "super_resolution", "text")
RESTORATIONS: Mapping[str, tuple[str, Mapping[str, int], int]] = {
    "maxim": ("maxim-deblur", {}, 100),
    "esr_r4": ("real-esrgan-x4plus", {"reduction": REDUCTION}, 100),
    **{f"ffd_{sigma}": ("ffdnet", {"sigma": sigma}, 75) for sigma in SIGMAS},
}
FALLOFF = [*RATIOS, *LEVELS].index("falloff")
DEFECT_OF = {
    "denoise": "noise",
    "motion_blur": "motion blur",
    "out_of_focus": "defocus",
    "super_resolution": "low resolution",
    "moire": "moire",
}
COLUMNS = (
    "name",
    "source",
    "photograph",
    "defects",
    *RATIOS,
    *LEVELS,
    "niqe",
)  # of known_pairs.csv, then of candidates
GRID = {"weight": (1.5, 2.0), "noise": (0.1, 0.2), "caution": (0.7, 1.0)}
MARGIN = 0.1  # of the falloff
NOTHING_MEASURED = inspect_photograph(np.zeros((8, 8, 3), np.float32))
ROOT = Path(__file__).parent.parent
KNOWN = ROOT / "src/raim/restore/known_pairs.csv"
DOCS = ROOT / "docs/restorers.md"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A part of a photograph with all that was tried on it.

    Attributes:
        pair: What is learned from it.
        group: What it counts for in the tables: a preset of the camera model, or a scenario.
        before: SCORE of the input.
    """

    pair: KnownPair
    group: str
    before: float


def cut_real(real: Path, out: Path) -> None:
    """Cut out of real pairs what `auto` would try restorers on."""
    for pair in find_pairs(real):
        pixels, reference = (show_pixels(read_image(path)) for path in (pair.input, pair.reference))
        for index, tile in enumerate(choose_tiles(to_photograph(pixels))):
            for part, whole in (("input", pixels), ("reference", reference)):
                target = out / pair.scenario / part / f"{pair.name}_t{index}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                write_image(target, np.ascontiguousarray(whole[tile]))


def measure(data: Path, out: Path) -> None:
    """Restore and score what is not there yet; each result is kept."""
    pairs = find_pairs(data)
    with ProcessPoolExecutor(count_cores()) as pool:
        jobs = [pool.submit(measure_pair, pair, out / pair.name) for pair in pairs]
        for done, job in enumerate(as_completed(jobs), start=1):
            job.result()
            if done % 20 == 0 or done == len(jobs):
                print(f"{data.name}: {done} of {len(jobs)}", flush=True)


def measure_pair(pair: Pair, folder: Path) -> None:
    """Restore one pair's input with every candidate, and score input and results."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "scores.json"
    scores = json.loads(table.read_text()) if table.exists() else {}
    before = read_pixels(pair.input)
    inspection = inspect_photograph(to_photograph(before))
    made = {} if "identity" in scores else {"identity": before}
    for name, (restorer, options, share) in RESTORATIONS.items():
        if f"{name}@{share}" in scores or not is_wanted(name, pair.scenario, inspection):
            continue
        target = folder / f"{name}.png"
        if not target.exists():
            write_image(
                target, restore(before, find_restorer(restorer, **options), threads=1, guard=False).pixels
            )
        after = read_pixels(target).astype(np.float32)
        made[f"{name}@{share}"] = np.rint(before + share / 100 * (after - before)).astype(np.uint8)
    if made:
        table.write_text(json.dumps(scores | score(made, read_pixels(pair.reference))))


def is_wanted(name: str, scenario: str, inspection: Inspection) -> bool:
    """Tell whether a restoration may be chosen at all."""
    if name == "maxim":
        return scenario.startswith(BLURRED) or not is_sharp(inspection.falloff + MARGIN)
    sigma = int(name.removeprefix("ffd_")) if name.startswith("ffd_") else 0
    return sigma <= ALWAYS or max(DENOISE.values()) * inspection.flat_noise > ALWAYS


def score(made: Mapping[str, np.ndarray], reference: np.ndarray) -> dict[str, dict[str, float]]:
    """Score pictures against their reference, eight together."""
    profile = find_profile("raim-2024")
    inner = np.s_[profile.border_px : -profile.border_px, profile.border_px : -profile.border_px]
    truth = np.ascontiguousarray(reference[inner])
    scores = {}
    for names in _batch(list(made), 8):
        pixels = [np.ascontiguousarray(made[name][inner]) for name in names]
        values = {
            measure.key: measure_candidates(measure.name, measure.options, pixels, truth)
            for measure in profile.measures
        }
        for index, name in enumerate(names):
            row = {key: column[index].value for key, column in values.items()}
            scores[name] = {"score": profile.score(row), **row}
    return scores


def _batch(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    yield from (names[start : start + size] for start in range(0, len(names), size))


def read_pixels(path: Path) -> np.ndarray:
    """Read a picture as it is scored."""
    return show_pixels(read_image(path))


def read_cases(data: Path, out: Path) -> list[Case]:
    """Gather what was measured."""
    sources = {row["name"]: row["package"] for row in read_list()}
    labels = data / "labels.csv"
    defects = dict(line.split(",") for line in labels.read_text().splitlines()) if labels.exists() else None
    return [read_case(pair, out / pair.name, sources, defects) for pair in find_pairs(data)]


def read_case(
    pair: Pair, folder: Path, sources: Mapping[str, str], defects: Mapping[str, str] | None
) -> Case:
    """Gather what was measured of one."""
    scores = json.loads((folder / "scores.json").read_text())
    before = to_photograph(read_pixels(pair.input))
    inspection = inspect_photograph(before)
    gains, trials = {}, {}
    for name, column in list_columns(scores, before, folder, inspection.flat_noise).items():
        gains[name], niqe_gain, change = column
        trials[name] = RestorerTrial(niqe_gain=niqe_gain, change=change)
    if defects is None:
        photograph, source = pair.name.rpartition("_t")[0], pair.name.split("_")[0]
        found = {DEFECT_OF[pair.scenario]}
    else:
        photograph = pair.name.removesuffix(f"_{pair.scenario}")
        source = sources[photograph].split("-")[0]
        found = set(filter(None, defects[pair.name].split(";")))
    return Case(
        pair=KnownPair(
            name=pair.name,
            source=source,
            photograph=f"{photograph} {pair.scenario}",
            defects=frozenset(found),
            measured=describe_numbers(inspection),
            niqe=scores["identity"]["niqe"],
            trials=trials,
            gains=gains,
        ),
        group=pair.scenario,
        before=scores["identity"]["score"],
    )


def list_columns(
    scores: Mapping[str, Mapping[str, float]], before: np.ndarray, folder: Path, noise: float
) -> dict[str, tuple[float, float, float]]:
    """Give each candidate's gain, what NIQE gains and the change; FFDNet's between levels interpolated."""

    def measure_one(name: str) -> tuple[float, float, float]:
        plain, _, share = name.partition("@")
        row = scores[name]
        after = to_photograph(read_pixels(folder / f"{plain}.png"))
        change = 255 * int(share) / 100 * float(np.sqrt(np.mean((after - before) ** 2)))
        niqe_gain = NIQE_POINTS * (scores["identity"]["niqe"] - row["niqe"])
        return row["score"] - scores["identity"]["score"], niqe_gain, change

    columns = {ENLARGE: measure_one("esr_r4@100")}
    if "maxim@100" in scores:
        columns[DEBLUR] = measure_one("maxim@100")
    sigmas = [sigma for sigma in SIGMAS if f"ffd_{sigma}@75" in scores]
    levels = np.array([(0.0, 0.0, 0.0), *(measure_one(f"ffd_{sigma}@75") for sigma in sigmas)])
    for name in DENOISE:
        sigma = find_sigma(name, noise)
        columns[name] = tuple(float(np.interp(sigma, (0, *sigmas), level)) for level in levels.T)
    return columns


def judge(cases: Sequence[Case], known: Sequence[Case], rules: Rules) -> dict[str, str]:
    """Give the candidate that is chosen for each photograph by what is learned from known ones."""
    predictor = learn([case.pair for case in known], rules)
    chosen = {}
    for photograph, indices in group_by(cases, lambda case: case.pair.photograph).items():
        parts = [cases[index].pair for index in indices]
        measured = [part.measured for part in parts]
        gains = {
            name: predictor.predict(
                name,
                measured,
                [part.niqe for part in parts],
                [part.trials[name] for part in parts],
            )
            for name in parts[0].trials
            if all(name in part.trials for part in parts)
            and (name != DEBLUR or not is_sharp(float(np.median([numbers[FALLOFF] for numbers in measured]))))
        }
        findings = Findings(
            measured=NOTHING_MEASURED,
            defects=predictor.recognise(measured),
            gains=gains,
            is_known=predictor.is_known(measured),
        )
        chosen[photograph] = choose_candidate(findings, rules).candidate
    return chosen


def group_by(cases: Sequence[Case], key: Callable[[Case], str]) -> dict[str, list[int]]:
    """Give the indices of each group."""
    groups: dict[str, list[int]] = {}
    for index, case in enumerate(cases):
        groups.setdefault(key(case), []).append(index)
    return groups


def gain(cases: Sequence[Case], chosen: Mapping[str, str]) -> float:
    """Give the mean gain of what was chosen, over photographs."""
    return fmean(
        fmean(cases[i].pair.gains.get(chosen[name], 0.0) for i in indices)
        for name, indices in group_by(cases, lambda case: case.pair.photograph).items()
    )


def leave_out(cases: Sequence[Case], find_rules: Callable[[Sequence[Case]], Rules]) -> dict[str, str]:
    """Choose for each source by what is learned from the others, with numbers chosen on the others."""
    chosen: dict[str, str] = {}
    for indices in group_by(cases, lambda case: case.pair.source).values():
        inside = [cases[index] for index in indices]
        outside = [case for case in cases if case.pair.source != inside[0].pair.source]
        chosen |= judge(inside, outside, find_rules(outside))
    return chosen


def find_best(cases: Sequence[Case]) -> Rules:
    """Try every combination of the numbers, each by leaving out one source after another.

    The one is taken by which the fewest kinds of photographs lose, of equals the one that gains most.
    """
    tried = [Rules(**dict(zip(GRID, values, strict=True))) for values in itertools.product(*GRID.values())]

    def judge_rules(rules: Rules) -> tuple[int, float]:
        chosen = leave_out(cases, lambda _: rules)
        groups = group_by(cases, lambda case: case.group).values()
        n_losing = sum(gain([cases[index] for index in indices], chosen) < 0 for indices in groups)
        return -n_losing, gain(cases, chosen)

    return max(tried, key=judge_rules)


def show_gains(title: str, cases: Sequence[Case], chosen: Mapping[str, str]) -> str:
    """Make a table: for each group what single restorers and `auto` gain."""
    singles = (DEBLUR, ENLARGE, *DENOISE)
    lines = [
        f"| {title} | photographs | input | " + " | ".join(singles) + " | best of all | auto |",
        "|---|---:|---:|" + "---:|" * (len(singles) + 2),
    ]
    for group, indices in [
        *sorted(group_by(cases, lambda case: case.group).items()),
        ("all", list(range(len(cases)))),
    ]:
        part = [cases[index] for index in indices]
        best = fmean(max(0.0, *case.pair.gains.values()) for case in part)
        each = " | ".join(_say_gain(part, name) for name in singles)
        lines.append(
            f"| {group.replace('_', ' ')} | {len({case.pair.photograph for case in part})} "
            f"| {fmean(case.before for case in part):.1f} | {each} | {best:+.1f} | {gain(part, chosen):+.1f} |"
        )
    return "\n".join(lines)


def _say_gain(cases: Sequence[Case], name: str) -> str:
    gains = [case.pair.gains[name] for case in cases if name in case.pair.gains]
    return f"{fmean(gains):+.1f}" if len(gains) == len(cases) else ""


def show_defects(cases: Sequence[Case], rules: Rules) -> str:
    """Make a table of how well each defect is recognised, on each source by what the others teach."""
    found: dict[str, list[float]] = {name: [] for name in DEFECTS}
    true: dict[str, list[bool]] = {name: [] for name in DEFECTS}
    for source, indices in group_by(cases, lambda case: case.pair.source).items():
        inside = [cases[index] for index in indices]
        predictor = learn([case.pair for case in cases if case.pair.source != source], rules)
        measured = np.array([case.pair.measured for case in inside])
        for name in DEFECTS:
            found[name] += list(predictor.defects[name].predict(measured)[0])
            true[name] += [name in case.pair.defects for case in inside]
    lines = [
        "| defect | pairs that have it | found | found elsewhere | area under the curve |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in DEFECTS:
        has, sure = np.array(true[name]), np.array(found[name])
        if not has.any():
            continue
        lines.append(
            f"| {name} | {has.sum()} | {np.mean(sure[has] >= 0.5):.0%} | {np.mean(sure[~has] >= 0.5):.0%} "
            f"| {measure_area(sure[has], sure[~has]):.2f} |"
        )
    return "\n".join(lines)


def measure_area(inside: np.ndarray, outside: np.ndarray) -> float:
    """Give how often one that has a defect is surer of it than one that has not (Mann and Whitney's U)."""
    return float(np.mean(inside[:, None] > outside[None]) + np.mean(inside[:, None] == outside[None]) / 2)


def report(cases: Mapping[str, Sequence[Case]], *, is_written: bool) -> None:
    """Print what was learned and how far it holds; write it where that is wanted."""
    camera, test, real = (list(cases[use]) for use in ("choose", "test", "real"))
    rules, shipped = find_best(camera), find_best(camera + real)
    print("chosen on the camera's pairs:", rules)
    print("chosen on both:              ", shipped)
    print("the package's:               ", RULES)
    rows = [
        ("camera model: learned without their source", camera, leave_out(camera, lambda _: rules)),
        ("camera model: kept for testing", test, judge(test, camera, rules)),
        ("camera model: kept for testing, as raim ships it", test, judge(test, camera + real, shipped)),
        ("real: learned from the camera model alone", real, judge(real, camera, rules)),
        ("real: nested, each source without itself", real, pick(leave_out(camera + real, find_best), real)),
        ("real: as raim ships it", real, judge(real, camera + real, shipped)),
    ]
    text = [show_gains(*row) for row in rows]
    text.append(show_defects(camera + real, rules))
    print("\n\n".join(text))
    if is_written:
        known = [format_pair(case.pair) for case in camera + real]
        columns = [*COLUMNS, *sorted({column for row in known for column in row} - set(COLUMNS))]
        KNOWN.write_text(format_table(columns, ([row.get(each) for each in columns] for row in known)))
        write_section(DOCS, "auto", "\n\n".join(text))


def format_pair(pair: KnownPair) -> dict[str, str | float]:
    """Write a row of known_pairs.csv."""
    numbers = zip((*RATIOS, *LEVELS, "niqe"), (*pair.measured, pair.niqe), strict=True)
    cells: dict[str, str | float] = {
        "name": pair.name,
        "source": pair.source,
        "photograph": pair.photograph,
        "defects": ";".join(sorted(pair.defects)),
    }
    cells |= {name: round(number, 3) for name, number in numbers}
    for name, trial in pair.trials.items():
        cells[name + GAIN] = round(pair.gains[name], 2)
        cells[name + NIQE_GAIN] = round(trial.niqe_gain, 2)
        cells[name + CHANGE] = round(trial.change, 2)
    return cells


def pick(chosen: Mapping[str, str], cases: Sequence[Case]) -> dict[str, str]:
    """Keep what was chosen for some."""
    return {case.pair.photograph: chosen[case.pair.photograph] for case in cases}


def main() -> None:
    """Do all of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", type=Path, metavar="PACKAGES")
    parser.add_argument("real", type=Path, metavar="REAL")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--write", action="store_true", help="the known pairs, and the tables in the docs")
    arguments = parser.parse_args()
    pairs = {use: arguments.out / "pairs" / use for use in ("choose", "test", "real")}
    if not pairs["choose"].exists():
        print(make_pairs(arguments.packages, arguments.out / "pairs"), "pairs made", flush=True)
    if not pairs["real"].exists():
        cut_real(arguments.real, pairs["real"])
    cases = {}
    for use, data in pairs.items():
        measure(data, arguments.out / "tried" / use)
        cases[use] = read_cases(data, arguments.out / "tried" / use)
    report(cases, is_written=arguments.write)


if __name__ == "__main__":
    main()
