"""What the statistics of a study are worth: coverage of intervals, recovery of the order, rates of flags.

    python benchmarks/study_coverage.py                        all tables, about ten minutes on one core
    python benchmarks/study_coverage.py --studies 100 --flag-studies 20

Simulated judges (raim.study.simulation has the model): 18 judges, 50 images, 9 entries, spreads of 0.5 between images
and 0.3 between judges. Truth is what endlessly many judges give on endlessly many images. Two fields: "spread" (the
strongest beats the weakest in 96 % of pairs) and "close" (in 77 %). Every study has its own seed.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np

from raim.challenge import Weights
from raim.challenge.ranking import final_scores, round_as_printed, shared_ranks
from raim.study import Ballots, StudyDesign, simulate_ballots
from raim.study.drawing import draw_points
from raim.study.intervals import crossed_interval, interval, rank_interval
from raim.study.judges import judge_results
from raim.study.strengths import ChoiceSets, fit_strengths

N_JUDGES, N_IMAGES, N_ENTRIES, N_DRAWS = 18, 50, 9, 2000
IMAGE_SPREAD, JUDGE_SPREAD = 0.5, 0.3
POINTS = np.array([3.0, 2.0, 1.0])
FIELDS = {"spread": np.linspace(1.6, -1.6, N_ENTRIES), "close": np.linspace(0.6, -0.6, N_ENTRIES)}
# SCOREs as wide as those of the report's Table 1, in another order than the strengths.
SCORES = np.array([79.1, 82.0, 79.7, 80.0, 78.7, 73.0, 78.9, 69.8, 75.0])
HABITS = ("random", "biased", "lazy")


@dataclass(frozen=True, kw_only=True)
class Study:
    """One simulated study: points of each judge, image and entry, and the picks."""

    points: np.ndarray
    picks: np.ndarray


def vote(likings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give points and picks, best first, of the entries liked best."""
    picks = np.argsort(-likings, axis=-1)[..., : len(POINTS)]
    points = np.zeros(likings.shape)
    np.put_along_axis(points, picks, POINTS, axis=-1)
    return points, picks


def simulate(strengths: np.ndarray, rng: np.random.Generator) -> Study:
    """Let all judges vote on all images."""
    judges = rng.normal(0, JUDGE_SPREAD, (N_JUDGES, 1, N_ENTRIES))
    images = rng.normal(0, IMAGE_SPREAD, (1, N_IMAGES, N_ENTRIES))
    chance = rng.gumbel(size=(N_JUDGES, N_IMAGES, N_ENTRIES))
    points, picks = vote(strengths + judges + images + chance)
    return Study(points=points, picks=picks)


def true_points(strengths: np.ndarray, *, n: int = 4_000_000) -> np.ndarray:
    """Give S3 from so many pairs of a judge and an image that chance does not matter (0.06 of S3)."""
    rng = np.random.default_rng(0)
    total = np.zeros(N_ENTRIES)
    spread = np.hypot(IMAGE_SPREAD, JUDGE_SPREAD)
    for _ in range(40):
        size = (n // 40, N_ENTRIES)
        total += vote(strengths + rng.normal(0, spread, size) + rng.gumbel(size=size))[0].sum(0)
    return N_IMAGES * total / n


def fitted_strengths(study: Study) -> np.ndarray:
    """Give the Plackett-Luce strengths; the true ones fall from entry to entry."""
    picks = study.picks.reshape(-1, len(POINTS))
    available = np.ones((*picks.shape, N_ENTRIES), bool)
    for later in range(1, len(POINTS)):
        for earlier in range(later):
            available[np.arange(len(picks)), later, picks[:, earlier]] = False
    choices = ChoiceSets(
        winners=picks.reshape(-1),
        available=available.reshape(-1, N_ENTRIES),
        judges=np.repeat(np.arange(N_JUDGES), N_IMAGES * len(POINTS)),
    )
    return fit_strengths(choices)


def cover(field: str, n_studies: int) -> None:
    """Print coverage and widths of one field."""
    truth = true_points(FIELDS[field])
    true_ranks = shared_ranks(final_scores(SCORES, truth, Weights()))
    held = {name: np.zeros((n_studies, N_ENTRIES), bool) for name in ("points", "crossed", "rank")}
    widths = {name: np.zeros((n_studies, N_ENTRIES)) for name in ("points", "crossed", "rank")}
    found, strengths = np.zeros((n_studies, N_ENTRIES)), np.zeros((n_studies, N_ENTRIES))
    for at in range(n_studies):
        say(f"{field}: study {at + 1} of {n_studies}")
        rng = np.random.default_rng([2024, at])
        study = simulate(FIELDS[field], rng)
        drawn = draw_points(study.points, rng, N_DRAWS)
        finals = final_scores(SCORES, drawn.draws, Weights())
        ranks = shared_ranks(round_as_printed(finals, 2))
        own = shared_ranks(round_as_printed(final_scores(SCORES, drawn.values, Weights()), 2))
        found[at], strengths[at] = drawn.values, fitted_strengths(study)
        for entry in range(N_ENTRIES):
            value = float(drawn.values[entry])
            of = {
                "points": interval(value, drawn.draws[:, entry]),
                "crossed": crossed_interval(study.points[:, :, entry], value),
                "rank": rank_interval(int(own[entry]), ranks[:, entry], N_ENTRIES),
            }
            for name, each in of.items():
                target = true_ranks[entry] if name == "rank" else truth[entry]
                held[name][at, entry] = each.low <= target <= each.high
                widths[name][at, entry] = each.high - each.low
    print(f"\nField '{field}', {n_studies} studies, {N_DRAWS} draws each")
    print(
        "entry  true S3  spread x 3.92  bootstrap width  crossed width  coverage: bootstrap  crossed  final rank"
    )
    for entry in range(N_ENTRIES):
        print(
            f"{entry + 1:5d} {truth[entry]:8.1f} {3.92 * found[:, entry].std(ddof=1):14.2f}"
            f" {widths['points'][:, entry].mean():16.2f} {widths['crossed'][:, entry].mean():14.2f}"
            f" {100 * held['points'][:, entry].mean():18.1f} % {100 * held['crossed'][:, entry].mean():6.1f} %"
            f" {100 * held['rank'][:, entry].mean():9.1f} %"
        )
    mean = {name: 100 * each.mean() for name, each in held.items()}
    print(
        f" mean {truth.mean():8.1f} {3.92 * found.std(0, ddof=1).mean():14.2f} {widths['points'].mean():16.2f}"
        f" {widths['crossed'].mean():14.2f} {mean['points']:18.1f} % {mean['crossed']:6.1f} % {mean['rank']:9.1f} %"
    )
    print(f"mean width of the rank intervals: {widths['rank'].mean():.2f} ranks")
    for name, values in (("Plackett-Luce strengths", strengths), ("points", found)):
        is_right = (np.diff(values, axis=1) < 0).all(1)
        pairs = [values[:, a] > values[:, b] for a in range(N_ENTRIES) for b in range(a + 1, N_ENTRIES)]
        print(
            f"{name} in the true order: the whole field in {100 * is_right.mean():.1f} % of studies, "
            f"{100 * np.mean(pairs):.2f} % of pairs, the first in {100 * (values.argmax(1) == 0).mean():.1f} %"
        )
    sys.stdout.flush()


def flag(field: str, n_studies: int) -> None:
    """Print the rates of flags of one field."""
    entries = tuple("abcdefghi")
    strengths = dict(zip(entries, FIELDS[field].tolist(), strict=True))
    counts: dict[str, Counter[str]] = {habit: Counter() for habit in ("honest", *HABITS, "honest only")}
    totals: Counter[str] = Counter()
    for at in range(n_studies):
        say(f"{field}: flags, study {at + 1} of {n_studies}")
        for habits in ((), HABITS):
            design = StudyDesign(
                seed=at, entries=entries, images={f"{k}": "" for k in range(N_IMAGES)},
                n_judges=N_JUDGES, repeats_share=0.1, n_traps=2,
            )  # fmt: skip
            rng = np.random.default_rng([2025, at])
            ballots: Ballots = simulate_ballots(
                design, strengths, rng, habits=habits, image_spread=IMAGE_SPREAD, judge_spread=JUDGE_SPREAD
            )
            for place, judge in enumerate(judge_results(ballots, frozenset())):
                habit = habits[place] if place < len(habits) else "honest" if habits else "honest only"
                totals[habit] += 1
                counts[habit].update({"any", *(each.kind for each in judge.flags)} if judge.flags else ())
    kinds = ("any", "trap", "repeats", "likelihood", "agreement", "favour")
    print(f"\nFlags in field '{field}', {n_studies} studies of 18 judges with 5 repeats and 2 traps")
    print("judge                  n " + " ".join(f"{kind:>11}" for kind in kinds))
    names = {"honest only": "honest, nobody else", "honest": "honest, beside 3"}
    for habit in ("honest only", "honest", *HABITS):
        shares = " ".join(f"{100 * counts[habit][kind] / totals[habit]:9.2f} %" for kind in kinds)
        print(f"{names.get(habit, habit):19} {totals[habit]:5d} {shares}")
    sys.stdout.flush()


def say(text: str) -> None:
    """Show how far it is."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text.split()[-3].endswith("00"):
        print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Run the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=1000, help="simulated studies a field, for coverage")
    parser.add_argument("--flag-studies", type=int, default=200, help="simulated studies a field, for flags")
    parser.add_argument("--fields", nargs="+", choices=sorted(FIELDS), default=list(FIELDS))
    chosen = parser.parse_args()
    for field in chosen.fields:
        flag(field, chosen.flag_studies)
    for field in chosen.fields:
        cover(field, chosen.studies)


if __name__ == "__main__":
    main()
