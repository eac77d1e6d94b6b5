"""Screening judges: flags with their reasons. Nothing follows by itself; the organiser decides, both results are shown.

For picks: a judge's choices against those of a judge who picks at random, by their likelihood under the strengths that
the others' choices have (Plackett-Luce); and the rank correlation of their totals with the others'. BT.500's rule for
rejecting observers is made for ratings and is used for nothing else: it counts values beyond two standard deviations,
which top-three picks have by their nature.

Source: Recommendation ITU-R BT.500-15, annex 1, section 2.3 (ratings); the likelihood ratio is our own application of
Plackett-Luce.
"""

import numpy as np
from jaxtyping import Float
from scipy.stats import spearmanr

from raim.study.consistency import Repeats, Traps
from raim.study.findings import Flag
from raim.study.points import PointsArray
from raim.study.strengths import ChoiceSets, fit_quickly

LEAST_Z = 3.0  # a judge who picks at random is below it 999 times in 1000
LEAST_AGREEMENT = 0.0
LEAST_REPEATS, LEAST_OVERLAP_GAIN = 4, 0.0
LEAST_SECONDS = 3.0
# BT.500: more than 5 % beyond the limits, and on both sides alike.
BT500_SHARE, BT500_BALANCE = 0.05, 0.3


def likelihood_z(choices: ChoiceSets, judge: int) -> float | None:
    """Give how far a judge's choices are from random ones, in standard deviations; None without choices.

    With p the probabilities of a choice under the others' strengths and m the number of candidates, the sum of
    log(m p(picked)) is compared with its mean and deviation for a judge who picks any candidate alike.

    Example:
        >>> same = ChoiceSets(
        ...     winners=np.zeros(40, int), available=np.ones((40, 3), bool), judges=np.arange(40) % 2
        ... )
        >>> round(likelihood_z(same, 0), 1)
        6.3
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
    variance = (gains**2).sum(1) / n_left - mean**2
    if variance.sum() <= 0:
        return None
    return float((found - mean).sum() / np.sqrt(variance.sum()))


def agreement_with_others(totals: Float[np.ndarray, "judges entries"], judge: int) -> float | None:
    """Give Spearman's correlation of a judge's totals with the mean of the others'; None where it has no value."""
    others = np.delete(totals, judge, axis=0)
    others = others[~np.isnan(others).any(1)]
    own = totals[judge]
    if not len(others) or np.isnan(own).any() or np.ptp(own) == 0 or np.ptp(others.mean(0)) == 0:
        return None
    return float(spearmanr(own, others.mean(0)).statistic)


def bt500_rejects(ratings: PointsArray) -> list[str]:
    """Give for each judge why BT.500's rule rejects them; "" if it does not."""
    means = np.nanmean(ratings, axis=0)
    deviations = np.nanstd(ratings, axis=0, ddof=1)
    centred = ratings - means
    fourth, second = np.nanmean(centred**4, axis=0), np.nanmean(centred**2, axis=0)
    kurtosis = np.divide(fourth, second**2, out=np.zeros_like(fourth), where=second > 0)
    limit = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20)) * deviations
    above = ((centred >= limit) & (limit > 0)).sum((1, 2))
    below = ((centred <= -limit) & (limit > 0)).sum((1, 2))
    seen = (~np.isnan(ratings)).sum((1, 2))
    return [_say_bt500(int(p), int(q), int(n)) for p, q, n in zip(above, below, seen, strict=True)]


def find_flags(
    code: str,
    *,
    repeats: Repeats,
    traps: Traps,
    chance_overlap: float,
    agreement: float | None,
    likelihood: float | None,
    bt500: str,
    median_seconds: float | None,
) -> tuple[Flag, ...]:
    """Give a judge's flags, each with its numbers and threshold."""
    flags = []
    if traps.n_trapped and 2 * traps.n_trapped >= traps.n:
        words = f"picked the blurred copy in {traps.n_trapped} of {traps.n} traps"
        flags.append(Flag(code=code, kind="trap", words=words))
    if repeats.overlap is not None and repeats.n >= LEAST_REPEATS and repeats.overlap <= chance_overlap:
        words = (
            f"{repeats.n} images shown twice have {100 * repeats.overlap:.0f} % of picks in common, "
            f"by chance it is {100 * chance_overlap:.0f} %"
        )
        flags.append(Flag(code=code, kind="repeats", words=words))
    if likelihood is not None and likelihood < LEAST_Z:
        words = (
            f"the picks are {likelihood:.1f} standard deviations from random ones in the others' direction "
            f"(flagged below {LEAST_Z:g})"
        )
        flags.append(Flag(code=code, kind="likelihood", words=words))
    if agreement is not None and agreement < LEAST_AGREEMENT:
        words = f"the totals' rank correlation with the others' is {agreement:.2f} (flagged below {LEAST_AGREEMENT:g})"
        flags.append(Flag(code=code, kind="agreement", words=words))
    if bt500:
        flags.append(Flag(code=code, kind="ratings", words=bt500))
    if median_seconds is not None and 0 < median_seconds < LEAST_SECONDS:
        words = f"half of the votes came after less than {median_seconds:.1f} s (flagged below {LEAST_SECONDS:g} s)"
        flags.append(Flag(code=code, kind="pace", words=words))
    return tuple(flags)


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
