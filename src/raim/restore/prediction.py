"""What a restorer gains on a photograph, predicted from pairs on which it was tried.

    gain in SCORE  =  what NIQE gains, which needs no reference and is measured on the photograph itself
                    + what the other four measures gain, predicted by regression

The regression is a Gaussian process over what `inspect_photograph` measured, the NIQE before, what NIQE gained and how
much the restorer changed: pairs that resemble the photograph count most, and where there are none, its deviation says
so. The same regression over 0 and 1 tells which defects a photograph has.

Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning", MIT Press 2006, algorithm 2.1. The pairs of
known_pairs.csv and all numbers come from benchmarks/tune_auto.py; docs/restorers.md has how well they foretell.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import as_file, files

import numpy as np
from jaxtyping import Float64

from raim.restore.inspection import Inspection
from raim.tables import read_table

DEFECTS = ("motion blur", "defocus", "noise", "low resolution", "JPEG", "moire")
# Ratios are compared as ratios, of what is above the smallest value that says something.
RATIOS = ("noise", "flat_noise", "fine_noise", "texture", "gradient", "fineness", "colour", "blockiness")
LEVELS = ("bandwidth", "falloff", "anisotropy", "peak")
SMALLEST = 0.05
GAIN, NIQE_GAIN, CHANGE = " gain", " by niqe", " change"  # columns of each candidate in known_pairs.csv
NIQE_POINTS = 3.0  # of SCORE for each unit of NIQE, in the profile raim-2024
MOST_POINTS = 60.0  # a gain or loss beyond it teaches nothing but that it is large

Matrix = Float64[np.ndarray, "_rows _columns"]
Vector = Float64[np.ndarray, " _rows"]
Numbers = tuple[float, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The numbers of the regression, and of what is done with it.

    Attributes:
        length: Distance, in standard deviations of each measurement, over which pairs resemble one another.
        trend: Share of a linear trend, which carries beyond the known pairs.
        noise: Variance of what no measurement explains, over that of what is predicted; times the root of the number of
            parts where several are of one photograph, which do not tell as much as as many photographs.
        weight: Of what was measured of the restorer, over what was measured of the photograph.
        caution: Deviations that an expected gain must be above 0.
        least_known: How like a known pair a photograph must be, 0 to 1, or nothing is known of it; of those kept for
            testing the least like one is at 0.33, noise alone at 0.28.
    """

    length: float = 1.0
    trend: float = 0.1
    noise: float = 0.1
    weight: float = 1.5
    caution: float = 1.0
    least_known: float = 0.3


RULES = Rules()


@dataclass(frozen=True, kw_only=True, slots=True)
class RestorerTrial:
    """A restorer that was tried on a photograph.

    Attributes:
        niqe_gain: Points of SCORE that it gains by NIQE.
        change: Root mean square of what it changes, of 255.
    """

    niqe_gain: float
    change: float


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPair:
    """A photograph whose reference is known, and what restorers gained on it, by candidate, in points of SCORE.

    Attributes:
        name: Of the pair.
        source: Who took the photographs: what is judged as a whole.
        photograph: What it is a part of.
        defects: What is wrong with it, of `DEFECTS`.
        measured: See `describe_numbers`.
        niqe: Of the input.
        trials: By candidate.
        gains: The same.
    """

    name: str
    source: str
    photograph: str
    defects: frozenset[str]
    measured: Numbers
    niqe: float
    trials: Mapping[str, RestorerTrial]
    gains: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gain:
    """The points of SCORE that are expected, and how far they may be off, for want of pairs like the photograph."""

    mean: float
    deviation: float

    def surely(self, rules: Rules) -> float:
        """Return what is expected with caution."""
        return self.mean - rules.caution * self.deviation


@dataclass(frozen=True, kw_only=True, slots=True)
class Regression:
    """A Gaussian process that has seen pairs.

    Inputs are standardised by `centre` and `spread`; `factor` is the Cholesky factor of their kernel's matrix,
    `weights` those of the pairs, `mean` and `deviation` those of the targets.
    """

    rules: Rules
    centre: Vector
    spread: Vector
    inputs: Matrix
    factor: Matrix
    weights: Vector
    mean: float
    deviation: float

    def predict(self, inputs: Matrix) -> tuple[Vector, Vector]:
        """Return mean and deviation for each row."""
        rows = (inputs - self.centre) / self.spread
        likeness = measure_likeness(rows, self.inputs, self.rules)
        explained = np.linalg.solve(self.factor, likeness.T)
        own = 1 + self.rules.trend * np.mean(rows**2, axis=1)
        unknown = np.sqrt(np.maximum(own - np.sum(explained**2, axis=0), 0))
        return self.mean + likeness @ self.weights, self.deviation * unknown

    def find_nearest(self, inputs: Matrix) -> Vector:
        """Return how like the most similar pair each row is, 0 (nothing like it) to 1 (the same)."""
        rows = (inputs - self.centre) / self.spread
        return measure_likeness(rows, self.inputs, replace(self.rules, trend=0.0)).max(axis=1)


def regress(
    inputs: Matrix,
    targets: Vector,
    rules: Rules,
    *,
    parts: Vector | float = 1.0,
    n_weighted: int = 0,
) -> Regression:
    """Learn targets from inputs, a row for each pair; the last `n_weighted` columns count by `Rules.weight`.

    `parts` says how many rows are of the same photograph as each.

    Example:
        >>> inputs = np.arange(8.0)[:, None]
        >>> mean, deviation = regress(inputs, inputs[:, 0] ** 2, Rules(noise=0.01)).predict(np.array([[3.5], [90.0]]))
        >>> round(float(mean[0])), bool(deviation[1] > 3 * deviation[0])
        (12, True)
    """
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    spread[len(spread) - n_weighted :] /= rules.weight
    rows = (inputs - centre) / spread
    kernel = measure_likeness(rows, rows, rules) + rules.noise * np.sqrt(parts) * np.eye(len(rows))
    factor = np.linalg.cholesky(kernel)
    mean = float(targets.mean())
    weights = np.linalg.solve(factor.T, np.linalg.solve(factor, targets - mean))
    return Regression(
        rules=rules,
        centre=centre,
        spread=spread,
        inputs=rows,
        factor=factor,
        weights=weights,
        mean=mean,
        deviation=float(targets.std()),
    )


def measure_likeness(a: Matrix, b: Matrix, rules: Rules) -> Matrix:
    """Return the kernel between the rows of two matrices of standardised inputs.

    Example:
        >>> measure_likeness(np.zeros((1, 2)), np.array([[0.0, 0.0], [2.0, 2.0]]), Rules(length=1, trend=0)).round(3)
        array([[1.   , 0.135]])
    """
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)[None] - 2 * a @ b.T
    return np.exp(-squares / (2 * rules.length**2 * a.shape[1])) + rules.trend * (a @ b.T) / a.shape[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictor:
    """What is expected of restorers, from known pairs.

    There is a regression for each defect, and for each candidate one of what the measures other than NIQE gain. What is
    measured of a photograph comes as a row for each of its parts (`describe_numbers`).
    """

    rules: Rules
    defects: Mapping[str, Regression] = field(default_factory=dict)
    gains: Mapping[str, Regression] = field(default_factory=dict)

    def recognise(self, measured: Sequence[Numbers]) -> dict[str, float]:
        """Return how sure each defect is, 0 to 1; a photograph may have several, or none."""
        rows = np.array(measured)
        return {
            name: float(np.clip(regression.predict(rows)[0].mean(), 0, 1))
            for name, regression in self.defects.items()
        }

    def is_known(self, measured: Sequence[Numbers]) -> bool:
        """Return whether there are known pairs that a photograph resembles."""
        regression = next(iter(self.defects.values()))
        return float(regression.find_nearest(np.array(measured)).mean()) >= self.rules.least_known

    def predict(
        self,
        candidate: str,
        measured: Sequence[Numbers],
        niqe: Sequence[float],
        trials: Sequence[RestorerTrial],
    ) -> Gain:
        """Predict what a candidate gains, from NIQE of the parts and its trial on each."""
        rows = np.array([describe_trial(*each) for each in zip(measured, niqe, trials, strict=True)])
        mean, deviation = self.gains[candidate].predict(rows)
        by_niqe = np.array([trial.niqe_gain for trial in trials])
        return Gain(mean=float((mean + by_niqe).mean()), deviation=float(deviation.mean()))


def describe_numbers(inspection: Inspection) -> Numbers:
    """Return what the regression sees of a photograph."""
    ratios = (np.log2(max(getattr(inspection, name), SMALLEST)) for name in RATIOS)
    return (*map(float, ratios), *(getattr(inspection, name) for name in LEVELS))


def describe_trial(measured: Numbers, niqe: float, trial: RestorerTrial) -> Numbers:
    """Return what the regression sees of a photograph and a restorer."""
    return (*measured, niqe, trial.niqe_gain, float(np.log2(trial.change + 0.2)))


N_TRIAL = 3  # numbers that describe_trial adds


def learn(pairs: Sequence[KnownPair], rules: Rules = RULES) -> Predictor:
    """Learn from pairs."""
    measured = np.array([pair.measured for pair in pairs])
    parts = _count_parts(pairs)
    defects = {
        name: regress(measured, np.array([float(name in pair.defects) for pair in pairs]), rules, parts=parts)
        for name in DEFECTS
    }
    candidates = dict.fromkeys(name for pair in pairs for name in pair.gains)
    return Predictor(
        rules=rules,
        defects=defects,
        gains={name: _learn_gain(name, pairs, rules) for name in candidates},
    )


def _learn_gain(candidate: str, pairs: Sequence[KnownPair], rules: Rules) -> Regression:
    tried = [pair for pair in pairs if candidate in pair.gains]
    inputs = [describe_trial(pair.measured, pair.niqe, pair.trials[candidate]) for pair in tried]
    others = [
        np.clip(pair.gains[candidate] - pair.trials[candidate].niqe_gain, -MOST_POINTS, MOST_POINTS)
        for pair in tried
    ]
    return regress(np.array(inputs), np.array(others), rules, parts=_count_parts(tried), n_weighted=N_TRIAL)


def _count_parts(pairs: Sequence[KnownPair]) -> Vector:
    counts = Counter(pair.photograph for pair in pairs)
    return np.array([float(counts[pair.photograph]) for pair in pairs])


@functools.cache
def find_predictor() -> Predictor:
    """Return the predictor of the known pairs that come with raim.

    Example:
        >>> sorted(find_predictor().gains)
        ['deblur', 'denoise_0.6', 'denoise_1.2', 'denoise_2.0', 'denoise_3.2', 'enlarge']
    """
    with as_file(files("raim.restore") / "known_pairs.csv") as path:
        rows = read_table(path).rows
    return learn([parse_pair(row.cells) for row in rows])


def parse_pair(cells: Mapping[str, str]) -> KnownPair:
    """Read a row of known_pairs.csv, as benchmarks/tune_auto.py writes it."""
    tried = [column.removesuffix(GAIN) for column, cell in cells.items() if column.endswith(GAIN) and cell]
    return KnownPair(
        name=cells["name"],
        source=cells["source"],
        photograph=cells["photograph"],
        defects=frozenset(filter(None, cells["defects"].split(";"))),
        measured=tuple(float(cells[name]) for name in (*RATIOS, *LEVELS)),
        niqe=float(cells["niqe"]),
        trials={
            name: RestorerTrial(niqe_gain=float(cells[name + NIQE_GAIN]), change=float(cells[name + CHANGE]))
            for name in tried
        },
        gains={name: float(cells[name + GAIN]) for name in tried},
    )
