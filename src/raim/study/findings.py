"""What an analysis of a study finds: records that pages, reports and files read; see docs/study.md for every number.

A number that does not exist is None, with the reason beside it; it is never replaced by another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from raim.study.points import Turnout

FlagKind = Literal["repeats", "trap", "agreement", "likelihood", "favour", "ratings", "pace"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        value: From the votes as they are; None if there is none.
        low: Lower end of the interval; None if there is none.
        high: Upper end.
        why: Why a value or an interval is missing; "" if none is.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankEstimate:
    """A rank, 1 the best, ties sharing the better one, with its 95 % interval.

    Attributes:
        value: From the votes as they are; None if there is none.
        low: The best rank of the interval.
        high: The worst rank of the interval.
        shares: Of all draws, the share with rank 1, 2, ...; as many as there are ranked entries; empty without draws.
        why: Why something is missing; "" if nothing is.
    """

    value: int | None
    low: int | None = None
    high: int | None = None
    shares: tuple[float, ...] = ()
    why: str = ""

    @property
    def first(self) -> float | None:
        """The share of draws in which the entry is first (alone or shared)."""
        return self.shares[0] if self.shares else None


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedEntry:
    """What the votes say about one entry.

    Attributes:
        entry: Its name, as in the ballots.
        is_left_out: Left out after the vote: it has points, and no rank.
        n_exposures: How often a judge saw it and voted.
        picks: How often it was first, second, ... pick; empty with ratings.
        points: S3 (with ratings the mean opinion score, 1 to 5), interval by bootstrap over judges and images.
        crossed: The same with the interval of the crossed-effects estimate.
        strength: Log strength of Plackett-Luce (Bradley-Terry for pairs), mean zero; None with ratings.
        normalised: S3n, 0 to 100.
        final: The final score; None without scores.
        points_rank: Rank by points alone.
        final_rank: Rank by the final score; by points alone where there are no scores is `points_rank`.
    """

    entry: str
    is_left_out: bool = False
    n_exposures: int
    picks: tuple[int, ...] = ()
    points: Estimate
    crossed: Estimate
    strength: Estimate
    normalised: Estimate
    final: Estimate
    points_rank: RankEstimate
    final_rank: RankEstimate


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryPoints:
    """Points of an entry in a part of the study.

    Attributes:
        entry: Its name.
        points: Over the part's images (per criterion: only picks for which it was given as a reason).
        rank: By these points, among the entries that are not left out.
    """

    entry: str
    points: Estimate
    rank: RankEstimate


@dataclass(frozen=True, kw_only=True, slots=True)
class PartPoints:
    """The points within one issue or by one criterion.

    Attributes:
        name: The issue ("" for images without one) or criterion.
        n_images: How many images the part has.
        n_reasons: Per criterion, how many picks gave it as a reason; 0 for an issue.
        entries: In the order of the ballots.
        note: What should be known when reading it; "" for nothing.
    """

    name: str
    n_images: int
    n_reasons: int = 0
    entries: tuple[EntryPoints, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """A judge whose votes deserve a look; nothing follows by itself: the organiser decides.

    Attributes:
        code: Of the judge, such as "J01".
        kind: What was found.
        words: The reason, with the numbers and the threshold.
    """

    code: str
    kind: FlagKind
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeResult:
    """What is known of one judge, without the name.

    Attributes:
        code: "J01" is the first of the ballots' judges.
        n_votes: Counted votes.
        n_expected: Images of the study.
        n_partial: Counted votes with fewer picks than asked for.
        median_seconds: Of the counted votes; None if no time was recorded.
        n_repeats: Images that were shown a second time and voted on both times.
        same_first: Share of repeats with the same first pick (with ratings: best grade); None without repeats.
        overlap: Mean share of picks in common; None without repeats.
        repeat_correlation: Mean Kendall's tau-b of both showings; None where it has no value.
        n_traps: Traps voted on.
        n_trapped: Traps in which the blurred copy was picked (with ratings: was graded the best).
        agreement: Spearman's correlation of the judge's totals with the mean of the others'; None says `why`.
        likelihood: z of the judge's own choices against a judge who picks at random, near 0 for random, large is good.
        why: Why a number is missing.
        is_excluded: By the organiser.
        flags: Of this judge.
    """

    code: str
    n_votes: int
    n_expected: int
    n_partial: int
    median_seconds: float | None
    n_repeats: int
    same_first: float | None
    overlap: float | None
    repeat_correlation: float | None
    n_traps: int
    n_trapped: int
    agreement: float | None
    likelihood: float | None
    why: str = ""
    is_excluded: bool = False
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Concordance:
    """Kendall's W: how far the judges' totals order the entries alike, 0 not at all, 1 the same.

    Attributes:
        w: Corrected for ties; None without a value.
        chi_squared: Of W; None without a value.
        degrees: Its degrees of freedom.
        p: Chance of a W as large if nobody agreed with anybody.
        n_judges: Who entered it: judges with a total for every entry.
        why: Why there is no value.
    """

    w: float | None
    chi_squared: float | None = None
    degrees: int = 0
    p: float | None = None
    n_judges: int = 0
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Components:
    """Variance of points in one trial by its causes, the mean over the entries.

    Attributes:
        judge: Between judges, over all images.
        image: Between images, over all judges.
        interaction: The rest: judge and image together, and chance.
    """

    judge: float
    image: float
    interaction: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """All that a study's votes say.

    Attributes:
        schema: Version of this record.
        mode: What a judge did in a trial.
        unit: What `points` of an entry are: "points" (S3) or "mean opinion score".
        point_values: For the first, second, third pick.
        n_images: In the study.
        seed: Of the bootstrap.
        n_draws: Of the bootstrap.
        turnout: Who has voted, and how wholly; absent judges by their codes.
        absent: Codes of judges without a vote.
        entries: The result, without the judges whom the organiser excluded; in the order of the ballots.
        with_everyone: The same with all judges; empty if nobody is excluded.
        without_flagged: The same without every flagged judge; empty if nobody is flagged, or nobody would be left.
        issues: Points per issue; empty if no image has one.
        criteria: Points per criterion; empty if no reasons were given.
        judges: One each, in the order of the ballots.
        flags: Of all judges.
        excluded: Codes of judges whom the organiser excluded.
        concordance: Kendall's W between the judges.
        alpha: Krippendorff's alpha (ordinal, over image and entry).
        components: Causes of variance; None if there is too little to tell.
        notes: What a reader must know: absent judges, partial ballots, ties of points.
        names: Code to judge, as in the ballots; for the organiser only: `analysis_as_plain` does not write it.
    """

    schema: int = 1
    mode: str
    unit: str = "points"
    point_values: tuple[int, ...]
    n_images: int
    seed: int
    n_draws: int
    turnout: Turnout
    absent: tuple[str, ...] = ()
    entries: tuple[JudgedEntry, ...]
    with_everyone: tuple[JudgedEntry, ...] = ()
    without_flagged: tuple[JudgedEntry, ...] = ()
    issues: tuple[PartPoints, ...] = ()
    criteria: tuple[PartPoints, ...] = ()
    judges: tuple[JudgeResult, ...] = ()
    flags: tuple[Flag, ...] = ()
    excluded: tuple[str, ...] = ()
    concordance: Concordance
    alpha: Estimate
    components: Components | None = None
    notes: tuple[str, ...] = ()
    names: Mapping[str, str]
