"""Rows of the baselines' tables: means of a restorer over the pairs of a scenario, beside identity on the same pairs.

A restorer that was not run on every pair is compared on those on which it was, so that its gain is fair.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MEASURES = ("psnr", "ssim", "lpips", "dists", "niqe", "score")
DIGITS = {"psnr": 2, "ssim": 4, "lpips": 4, "dists": 4, "niqe": 2, "score": 2}
ALL = "all"
IDENTITY = "identity"
HEAD = (
    "restorer",
    "pairs",
    "PSNR",
    "SSIM",
    "LPIPS",
    "DISTS",
    "NIQE",
    "SCORE",
    "same pairs, identity",
    "gain",
    "s/MP",
    "CPU s/MP",
    "peak MB",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One restored and scored photograph.

    Attributes:
        variant: By what it was restored.
        pair: Name of the photograph.
        scenario: Of the pair.
        values: Each of `MEASURES`; None for a measure without a value.
        unscored: Why there is no SCORE; None if there is one.
        megapixels: Of the input, in 10^6 pixels.
        wall_s: Seconds on the clock.
        cpu_s: Seconds of processor time.
        peak_mb: Highest resident size, in 10^6 bytes.
        net_megapixels: What went through the net.
        reduction: That was given or measured; None for a restorer that has none.
        notes: What the restorer measured and chose.
        taken_from: The variant whose restoration this is too; None if it was computed.
    """

    variant: str
    pair: str
    scenario: str
    values: Mapping[str, float | None]
    unscored: str | None = None
    megapixels: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    net_megapixels: float | None = None
    reduction: int | None = None
    notes: Sequence[str] = ()
    taken_from: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One restorer in one scenario.

    Attributes:
        variant: Its name.
        n_pairs: Pairs that the means are over.
        means: Of each of `MEASURES`.
        identity: Mean SCORE of identity on the same pairs; None where it was not run on all of them.
        wall_s_per_mp: Seconds on the clock for 10^6 pixels of input, all pairs together.
        cpu_s_per_mp: Seconds of processor time for them.
        peak_mb: The largest of the pairs.
    """

    variant: str
    n_pairs: int
    means: Mapping[str, float]
    identity: float | None
    wall_s_per_mp: float
    cpu_s_per_mp: float
    peak_mb: float

    @property
    def gain(self) -> float | None:
        """SCORE above that of identity on the same pairs."""
        return None if self.identity is None else self.means["score"] - self.identity


def group_rows(outcomes: Sequence[Outcome]) -> dict[str, list[Row]]:
    """Make the rows of each scenario and of all pairs; the most complete first, of these the best.

    Photographs without a SCORE count in no mean.
    """
    scored = [outcome for outcome in outcomes if outcome.unscored is None]
    unchanged = {o.pair: _number(o, "score") for o in scored if o.variant == IDENTITY}
    scenarios = sorted({outcome.scenario for outcome in scored})
    found = {}
    for scenario in (*scenarios, ALL):
        members = [o for o in scored if scenario in (o.scenario, ALL)]
        variants = dict.fromkeys(o.variant for o in members)
        rows = [_make_row([o for o in members if o.variant == name], unchanged) for name in variants]
        found[scenario] = sorted(rows, key=lambda row: (-row.n_pairs, -row.means["score"], row.variant))
    return found


def _make_row(outcomes: Sequence[Outcome], unchanged: Mapping[str, float]) -> Row:
    same = [unchanged.get(outcome.pair) for outcome in outcomes]
    megapixels = sum(outcome.megapixels for outcome in outcomes)
    return Row(
        variant=outcomes[0].variant,
        n_pairs=len(outcomes),
        means={name: statistics.fmean(_number(o, name) for o in outcomes) for name in MEASURES},
        identity=None if None in same else statistics.fmean(value for value in same if value is not None),
        wall_s_per_mp=sum(outcome.wall_s for outcome in outcomes) / megapixels,
        cpu_s_per_mp=sum(outcome.cpu_s for outcome in outcomes) / megapixels,
        peak_mb=max(outcome.peak_mb for outcome in outcomes),
    )


def _number(outcome: Outcome, measure: str) -> float:
    value = outcome.values[measure]
    if value is None:
        raise ValueError(f"{outcome.variant}, {outcome.pair} counts as scored but has no {measure}")
    return value


def format_table(rows: Sequence[Row], n_pairs: int) -> str:
    """Write a Markdown table.

    Args:
        rows: Of one scenario.
        n_pairs: Pairs that the scenario has.
    """
    lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *(_cells(row, n_pairs) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row, n_pairs: int) -> Iterable[str]:
    return (
        row.variant,
        f"{row.n_pairs} of {n_pairs}",
        *(f"{row.means[name]:.{DIGITS[name]}f}" for name in MEASURES),
        "-" if row.identity is None else f"{row.identity:.2f}",
        "-" if row.gain is None else f"{row.gain:+.2f}",
        write_seconds(row.wall_s_per_mp),
        write_seconds(row.cpu_s_per_mp),
        f"{row.peak_mb:.0f}",
    )


def write_seconds(value: float) -> str:
    """Write seconds with three significant digits, never with an exponent above.

    Example:
        >>> write_seconds(0.012345), write_seconds(1234.5)
        ('0.0123', '1234')
    """
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
