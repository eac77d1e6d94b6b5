"""How far judges agree: Kendall's W over their totals, Krippendorff's alpha over single picks.

Both can be right and differ widely: W asks whether judges order the entries alike in the end (0.9 is common), alpha
whether they say the same of the same image and entry (0.2 is common). Neither decides anything here.
"""

import numpy as np
from jaxtyping import Float

from raim.study.findings import Concordance, Estimate

Totals = Float[np.ndarray, "judges entries"]


def kendall_w(totals: Totals) -> Concordance:
    """Measure concordance, corrected for ties.

        W = 12 S / (m^2 (n^3 - n) - m sum T),  T = sum (t^3 - t) over each judge's ties;  chi^2 = m (n - 1) W

    Args:
        totals: Of each judge for each entry; judges with a missing one (NaN) are left out.

    Source: Kendall and Gibbons, "Rank Correlation Methods", 5th edition, chapter 6.

    Example:
        >>> kendall_w(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])).w
        1.0
    """
    from scipy.stats import chi2, rankdata

    ranks = np.array([rankdata(row) for row in totals if not np.isnan(row).any()])
    n_judges, n_entries = len(ranks), totals.shape[1]
    if n_judges < 2 or n_entries < 2:
        return Concordance(
            w=None, n_judges=n_judges, why="fewer than two judges have a total for every entry"
        )
    ties = sum(float((counts**3 - counts).sum()) for counts in (_tie_counts(row) for row in ranks))
    spread = float(((ranks.sum(0) - ranks.sum(0).mean()) ** 2).sum())
    most = n_judges**2 * (n_entries**3 - n_entries) - n_judges * ties
    if most <= 0:
        return Concordance(w=None, n_judges=n_judges, why="every judge gives all entries the same total")
    w = 12 * spread / most
    statistic = n_judges * (n_entries - 1) * w
    return Concordance(
        w=w,
        chi_squared=statistic,
        degrees=n_entries - 1,
        p=float(chi2.sf(statistic, n_entries - 1)),
        n_judges=n_judges,
    )


def krippendorff_alpha(values: Float[np.ndarray, "judges units"]) -> Estimate:
    """Measure agreement on ordinal values: 1 the same, 0 as by chance, below 0 less.

    Args:
        values: What each judge gave each unit; NaN where nothing. Units with fewer than two values are not entered.

    Source: Krippendorff, "Content Analysis", 3rd edition, chapter 11, ordinal metric.

    Example:
        >>> krippendorff_alpha(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])).value
        1.0
    """
    levels = np.unique(values[~np.isnan(values)])
    if len(levels) < 2:
        return Estimate(value=None, why="all values are the same, so there is nothing to agree on")
    counts = np.stack([(values == level).sum(0) for level in levels], axis=1).astype(float)
    counts = counts[counts.sum(1) >= 2]
    if not len(counts):
        return Estimate(value=None, why="no image and entry has the values of two judges")
    weight = 1 / (counts.sum(1) - 1)
    observed = counts.T @ (counts * weight[:, None]) - np.diag((counts * weight[:, None]).sum(0))
    totals = counts.sum(0)
    distance = _ordinal_distance(totals)
    expected = float((np.outer(totals, totals) * distance).sum())
    if expected == 0:
        return Estimate(value=None, why="all values are the same, so there is nothing to agree on")
    return Estimate(value=float(1 - (totals.sum() - 1) * (observed * distance).sum() / expected))


def _tie_counts(ranks: Float[np.ndarray, " entries"]) -> Float[np.ndarray, " groups"]:
    return np.unique(ranks, return_counts=True)[1].astype(float)


def _ordinal_distance(totals: Float[np.ndarray, " levels"]) -> Float[np.ndarray, "levels levels"]:
    ends = np.cumsum(totals)
    middle = ends - totals / 2
    return (middle[:, None] - middle[None, :]) ** 2
