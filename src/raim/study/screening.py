"""Screening judges: flags with their reasons. Nothing follows by itself; the organiser decides, both results are shown.

For picks: a judge's choices against those of a judge who picks at random, by their likelihood under the strengths that
the others' choices have (Plackett-Luce); the rank correlation of their totals with the others'; and an entry that one
judge alone favours, by Student's t. BT.500's rule for rejecting observers is made for ratings and is used for nothing
else: it counts values beyond two standard deviations, which top-three picks have by their nature.

Source: Recommendation ITU-R BT.500-15, annex 1, section 2.3 (ratings); the likelihood ratio is our own application of
Plackett-Luce; the t of a new observation is in every textbook. Rates of true and false flags: docs/study.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from raim.study.consistency import Repeats, Traps
from raim.study.findings import Flag, FlagKind
from raim.study.points import PointsArray
from raim.study.strengths import ChoiceSets, fit_quickly

# All thresholds but BT.500's are our own choices; benchmarks/study_coverage.py has the rates that follow.
LEAST_Z = 3.0  # a judge who picks at random is below it 999 times in 1000
LEAST_EXPECTED_Z = 6.0  # where even a judge after the others' heart has less, the test tells too little
LEAST_AGREEMENT = 0.0
FAVOUR_CHANCE = 0.001  # of an honest judge being flagged for any of the entries
LEAST_OTHERS = 4  # judges, for a spread worth the name
LEAST_DEVIATION = 0.5  # of the root of a total: that of a Poisson count, so that one pick is no favour
LEAST_REPEATS = 4
OVERLAP_DEVIATIONS = 3.0  # below the others, and not above chance
LEAST_SECONDS = 3.0  # for looking at an input and its candidates
# BT.500: more than 5 % beyond the limits, and on both sides alike.
BT500_SHARE, BT500_BALANCE = 0.05, 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Likelihood:
    """A judge's own choices against random ones.

    Attributes:
        z: How far they are from a random judge's, in standard deviations of such a judge: near 0 for one.
        expected: What it is on average for a judge who chooses just as the others' strengths say.
    """

    z: float
    expected: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Favour:
    """The entry that a judge favours most, against all others.

    Attributes:
        entry: Its place.
        own: Points that the judge gave it.
        others: Mean of the points that the others gave it.
        chance: That an honest judge is as far above the others with any of the entries (Bonferroni).
    """

    entry: int
    own: float
    others: float
    chance: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """Share of picks in common of two random ballots: by the hypergeometric distribution.

    Attributes:
        mean: Picks over candidates.
        deviation: Standard deviation of the mean over the judge's repeats.
    """

    mean: float
    deviation: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """All that is known of how a judge voted.

    Attributes:
        repeats: Of hidden repeats.
        traps: Of traps.
        random_overlap: Of a judge with as many repeats who picks at random; None without repeats.
        others_overlap: Mean overlap of the other judges' repeats; None without.
        likelihood: Of the choices; None without.
        agreement: Rank correlation with the others; None without.
        favour: The entry favoured most; None without.
        bt500: Why BT.500's rule rejects the ratings; "" if it does not.
        median_seconds: Of the votes; None if not known.
    """

    repeats: Repeats
    traps: Traps
    random_overlap: "Overlap | None" = None
    others_overlap: float | None = None
    likelihood: Likelihood | None = None
    agreement: float | None = None
    favour: Favour | None = None
    bt500: str = ""
    median_seconds: float | None = None


def likelihood_of(choices: ChoiceSets, judge: int) -> Likelihood | None:
    """Return how far a judge's choices are from random ones, in the others' direction.

    With p the probabilities of a choice under the others' strengths and m the number of candidates, the sum of
    log(m p(picked)) is compared with its mean and deviation for a judge who picks any candidate alike.

    Returns:
        None where the judge, or everybody else, has chosen nothing, or the others have no preference.

    Example:
        >>> alike = ChoiceSets(winners=np.zeros(8, int), available=np.ones((8, 2), bool), judges=np.arange(8) // 4)
        >>> round(likelihood_of(alike, 0).z, 1)
        2.0
    """
    own = choices.judges == judge
    if not own.any() or own.all():
        return None
    strengths = fit_quickly(choices, ~own)
    available = choices.available[own]
    worth = np.where(available, np.exp(strengths), 0.0)
    chances = worth / worth.sum(1, keepdims=True)
    n_left = available.sum(1)
    gains = np.where(available, np.log(np.where(available, chances, 1.0) * n_left[:, None]), 0.0)
    found = gains[np.arange(len(gains)), choices.winners[own]]
    mean = gains.sum(1) / n_left
    variance = float(((gains**2).sum(1) / n_left - mean**2).sum())
    if variance <= 1e-12:
        return None
    expected = (chances * gains).sum(1)
    return Likelihood(
        z=float((found - mean).sum() / np.sqrt(variance)),
        expected=float((expected - mean).sum() / np.sqrt(variance)),
    )


def agreement_with_others(totals: Float[np.ndarray, "judges entries"], judge: int) -> float | None:
    """Return Spearman's correlation of a judge's totals with the mean of the others', over the entries of both.

    Returns:
        None for fewer than three entries, or where one side has the same total for all.

    Example:
        >>> totals = np.array([[9.0, 5.0, 1.0], [8.0, 6.0, 1.0], [1.0, 5.0, 9.0]])
        >>> [round(agreement_with_others(totals, judge), 1) for judge in (0, 2)]
        [-0.5, -1.0]
    """
    from scipy.stats import rankdata

    others = np.delete(totals, judge, axis=0)
    seen = ~np.isnan(others)
    counts = seen.sum(0)
    means = np.divide(np.where(seen, others, 0.0).sum(0), counts, out=np.zeros(len(counts)), where=counts > 0)
    has_both = (counts > 0) & ~np.isnan(totals[judge])
    own, means = totals[judge][has_both], means[has_both]
    if len(own) < 3 or np.ptp(own) == 0 or np.ptp(means) == 0:
        return None
    return float(np.corrcoef(rankdata(own), rankdata(np.round(means, 9)))[0, 1])


def favour_of(totals: Float[np.ndarray, "judges entries"], judge: int) -> Favour | None:
    """Return the entry whose total is furthest above the others', by Student's t of a new observation.

        t = (own - mean of others) / (deviation of others x sqrt(1 + 1/others)),  others - 1 degrees of freedom

    of the square roots of the totals, whose spread hardly depends on the total (Bartlett 1936).

    Returns:
        None with too few others, or for a judge without a total.
    """
    from scipy.stats import t as student

    others = np.delete(totals, judge, axis=0)
    best: Favour | None = None
    for place, own in enumerate(totals[judge]):
        column = others[:, place][~np.isnan(others[:, place])]
        if np.isnan(own) or len(column) < LEAST_OTHERS:
            continue
        roots = np.sqrt(column)
        deviation = max(float(roots.std(ddof=1)), LEAST_DEVIATION)
        statistic = (np.sqrt(own) - roots.mean()) / (deviation * np.sqrt(1 + 1 / len(column)))
        chance = min(1.0, len(totals[judge]) * float(student.sf(statistic, len(column) - 1)))
        if best is None or chance < best.chance:
            best = Favour(entry=place, own=float(own), others=float(column.mean()), chance=chance)
    return best


def random_overlap(n_picks: float, n_candidates: float, n_repeats: int) -> Overlap | None:
    """Return what two random ballots have in common; None without repeats or picks.

    Example:
        >>> overlap = random_overlap(3, 9, 4)
        >>> round(overlap.mean, 3), round(overlap.deviation, 3)
        (0.333, 0.118)
    """
    if not n_repeats or not n_picks or n_candidates < 2:
        return None
    share = n_picks / n_candidates
    variance = share * (1 - share) * (n_candidates - n_picks) / (n_candidates - 1) / n_picks
    return Overlap(mean=share, deviation=float(np.sqrt(max(0.0, variance) / n_repeats)))


def bt500_rejects(ratings: PointsArray) -> list[str]:
    """Return for each judge why BT.500's rule rejects them; "" if it does not.

    Each image and entry is a condition: with kurtosis m4 / m2^2 from 2 to 4 its limits are 2 standard deviations
    around the mean of the judges, else sqrt(20). P and Q count a judge's grades at or beyond the upper and the lower
    limit; a judge is rejected if (P + Q) / grades > 0.05 and |P - Q| / (P + Q) < 0.3.
    """
    seen = ~np.isnan(ratings)
    n = np.maximum(seen.sum(0), 1)
    centred = np.where(seen, ratings - np.where(seen, ratings, 0.0).sum(0) / n, 0.0)
    second, fourth = (centred**2).sum(0) / n, (centred**4).sum(0) / n
    deviations = np.sqrt((centred**2).sum(0) / np.maximum(n - 1, 1))
    kurtosis = np.divide(fourth, second**2, out=np.zeros_like(fourth), where=second > 0)
    limit = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20)) * deviations
    above = ((centred >= limit) & seen & (limit > 0)).sum((1, 2))
    below = ((centred <= -limit) & seen & (limit > 0)).sum((1, 2))
    counts = zip(above, below, seen.sum((1, 2)), strict=True)
    return [_say_bt500(int(p), int(q), int(graded)) for p, q, graded in counts]


def find_flags(code: str, signs: Signs, entries: Sequence[str]) -> tuple[Flag, ...]:
    """Return a judge's flags, each with its numbers and threshold."""
    found: list[tuple[FlagKind, str]] = [
        ("trap", _say_traps(signs.traps)),
        ("repeats", _say_repeats(signs)),
        ("likelihood", _say_likelihood(signs.likelihood)),
        ("agreement", _say_agreement(signs.agreement)),
        ("favour", _say_favour(signs.favour, entries)),
        ("ratings", signs.bt500),
        ("pace", _say_pace(signs.median_seconds)),
    ]
    return tuple(Flag(code=code, kind=kind, words=words) for kind, words in found if words)


def _say_traps(traps: Traps) -> str:
    if not traps.n_trapped or 2 * traps.n_trapped < traps.n:
        return ""
    return f"picked the blurred copy in {traps.n_trapped} of {traps.n} traps (flagged from half of them)"


def _say_repeats(signs: Signs) -> str:
    own, by_chance, others = signs.repeats.overlap, signs.random_overlap, signs.others_overlap
    if own is None or by_chance is None or others is None or signs.repeats.n < LEAST_REPEATS:
        return ""
    # Where the others say hardly the same twice either, the entries are alike and it tells nothing.
    if own > by_chance.mean or own > others - OVERLAP_DEVIATIONS * by_chance.deviation:
        return ""
    return (
        f"{signs.repeats.n} images shown twice have {100 * own:.0f} % of picks in common, the others' "
        f"{100 * others:.0f} %; by chance it is {100 * by_chance.mean:.0f} % (flagged from there down)"
    )


def _say_likelihood(likelihood: Likelihood | None) -> str:
    if likelihood is None or likelihood.expected < LEAST_EXPECTED_Z:
        return ""
    if likelihood.z >= LEAST_Z:
        return ""
    return (
        f"the choices are {likelihood.z:.1f} standard deviations from random ones in the others' direction, "
        f"where {likelihood.expected:.0f} are expected (flagged below {LEAST_Z:g})"
    )


def _say_agreement(agreement: float | None) -> str:
    if agreement is None or agreement >= LEAST_AGREEMENT:
        return ""
    return f"the totals' rank correlation with the others' is {agreement:.2f} (flagged below {LEAST_AGREEMENT:g})"


def _say_favour(favour: Favour | None, entries: Sequence[str]) -> str:
    if favour is None or favour.chance >= FAVOUR_CHANCE:
        return ""
    return (
        f"{favour.own:.0f} points for {entries[favour.entry]}, where the others give {favour.others:.0f} on average: "
        f"by chance in {favour.chance:.2g} of honest judges (flagged below {FAVOUR_CHANCE:g})"
    )


def _say_pace(median_seconds: float | None) -> str:
    if median_seconds is None or median_seconds >= LEAST_SECONDS:
        return ""
    return (
        f"half of the votes came after less than {median_seconds:.1f} s (flagged below {LEAST_SECONDS:g} s)"
    )


def _say_bt500(above: int, below: int, seen: int) -> str:
    beyond = above + below
    if not beyond or not seen:
        return ""
    share, balance = beyond / seen, abs(above - below) / beyond
    if share <= BT500_SHARE or balance >= BT500_BALANCE:
        return ""
    return (
        f"BT.500: {100 * share:.0f} % of the grades are beyond the limits (more than {100 * BT500_SHARE:.0f} %), "
        f"{above} above and {below} below"
    )
