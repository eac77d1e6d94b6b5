"""The analysis of a study: everything that its votes say, in one record."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from raim.challenge.ranking import final_scores, normalise_points, shared_ranks
from raim.challenge.settings import Weights
from raim.study.agreement import kendall_w, krippendorff_alpha
from raim.study.findings import Analysis, EntryPoints, EntryResult, Estimate, Part, RankEstimate
from raim.study.intervals import (
    bootstrap_points,
    crossed_interval,
    interval,
    rank_interval,
    variance_components,
)
from raim.study.judging import judge_codes, judge_results, judge_totals
from raim.study.points import (
    PointsArray,
    count_exposures,
    criterion_points,
    images_of_issue,
    mean_points,
    points_array,
    turnout,
)
from raim.study.strengths import fit_strengths, list_choices
from raim.study.votes import Ballots, Vote

Included = Bool[np.ndarray, " judges"]
NO_RATINGS = "with ratings there are grades, not choices"
NO_INTERVAL = "no interval is computed for it; that of the points says how sure the order is"
LEFT_OUT = "it is left out of the ranking"
NO_SCORE = "no SCORE was given for it"
EQUAL = "all entries have the same points, so there is no normalised score"
NOBODY = "nobody has judged it"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Setting:
    """What all parts of one analysis share."""

    ballots: Ballots
    scores: Mapping[str, float]
    weights: Weights
    left_out: frozenset[str]
    seed: int
    n_draws: int

    @property
    def kept(self) -> list[int]:
        """Places of the entries that are ranked."""
        return [place for place, name in enumerate(self.ballots.entries) if name not in self.left_out]

    @property
    def images_a_point(self) -> int:
        """What a sum over images is divided by: ratings are means, points are sums."""
        return len(self.ballots.images) if self.ballots.mode == "rating" else 1

    def rng(self) -> np.random.Generator:
        """Give the same chance to every part, so that none depends on another."""
        return np.random.default_rng(self.seed)


def analyse(
    ballots: Ballots,
    *,
    scores: Mapping[str, float] | None = None,
    weights: Weights | None = None,
    left_out: frozenset[str] = frozenset(),
    excluded_judges: frozenset[str] = frozenset(),
    seed: int = 2024,
    n_draws: int = 2000,
) -> Analysis:
    """Say what the votes of a study say.

    Args:
        ballots: All votes.
        scores: S2 of each entry; without one for every ranked entry there are no final scores.
        weights: Shares of score and study; the report's if None.
        left_out: Entries that are left out after the vote: they keep their points and have no rank.
        excluded_judges: Judges whose votes the organiser leaves out; the result with everyone is given beside.
        seed: Of the bootstrap.
        n_draws: Of the bootstrap.

    Example:
        >>> from raim.study import StudyDesign, simulate_ballots
        >>> design = StudyDesign(seed=1, entries=("a", "b", "c"), images={str(k): "" for k in range(9)}, n_judges=5)
        >>> ballots = simulate_ballots(design, {"a": 3.0, "b": 1.0, "c": 0.0}, np.random.default_rng(1))
        >>> found = analyse(ballots, n_draws=200)
        >>> [(row.entry, round(row.points.value, 1), row.points_rank.value) for row in found.entries]
        [('a', 24.6, 1), ('b', 17.2, 2), ('c', 12.2, 3)]
    """
    # Sums depend on the order of additions in their last digit: the votes' order must not.
    ballots = replace(ballots, votes=tuple(sorted(ballots.votes, key=_order)))
    setting = _Setting(
        ballots=ballots,
        scores=scores or {},
        weights=weights or Weights(),
        left_out=left_out,
        seed=seed,
        n_draws=n_draws,
    )
    codes = judge_codes(ballots.judges)
    judges = judge_results(ballots, codes, excluded_judges)
    included = np.array([name not in excluded_judges for name in ballots.judges], bool)
    flagged = {each.code for each in judges if each.flags}
    clean = np.array([codes[name] not in flagged for name in ballots.judges], bool)
    main = points_array(ballots)[included]
    voted = turnout(_of_judges(ballots, included))
    return Analysis(
        mode=ballots.mode,
        unit="mean opinion score" if ballots.mode == "rating" else "points",
        point_values=ballots.points,
        n_images=len(ballots.images),
        seed=seed,
        n_draws=n_draws,
        turnout=replace(voted, absent=tuple(codes[name] for name in voted.absent)),
        absent=tuple(codes[name] for name in voted.absent),
        entries=_entries(setting, included),
        with_everyone=() if included.all() else _entries(setting, np.ones(len(included), bool)),
        without_flagged=_entries(setting, clean) if clean.any() and not clean.all() else (),
        issues=_issues(setting, main),
        criteria=_criteria(setting, included),
        judges=judges,
        flags=tuple(flag for each in judges for flag in each.flags),
        excluded=tuple(codes[name] for name in ballots.judges if name in excluded_judges),
        concordance=kendall_w(judge_totals(main)),
        alpha=krippendorff_alpha(main.reshape(len(main), -1)),
        components=variance_components(main[:, :, setting.kept]) if len(main) and setting.kept else None,
        notes=tuple(_notes(ballots, [codes[name] for name in voted.absent], voted.n_partial)),
        names={code: name for name, code in codes.items()},
    )


def as_plain(analysis: Analysis) -> dict[str, Any]:
    """Give an analysis as JSON knows values, without the judges' names."""
    plain = asdict(replace(analysis, names={}))
    del plain["names"]
    return plain


def _order(vote: Vote) -> tuple[str, str, int]:
    return vote.judge, vote.kind, vote.position


def _entries(setting: _Setting, included: Included) -> tuple[EntryResult, ...]:
    ballots = _of_judges(setting.ballots, included)
    points = points_array(ballots)
    totals, draws = _measure(setting, points)
    strengths = None if ballots.mode == "rating" else fit_strengths(list_choices(ballots))
    normalised, finals, point_ranks, final_ranks = _ranked(setting, totals, draws)
    picks, exposures = _count_picks(ballots), count_exposures(points).sum(0)
    return tuple(
        EntryResult(
            entry=name,
            is_left_out=name in setting.left_out,
            n_exposures=int(exposures[place]),
            picks=picks[place],
            points=interval(float(totals[place]), draws[:, place]),
            crossed=_crossed(setting, points[:, :, place], float(totals[place])),
            strength=_strength(ballots, strengths, place),
            normalised=normalised[place],
            final=finals[place],
            points_rank=point_ranks[place],
            final_rank=final_ranks[place],
        )
        for place, name in enumerate(ballots.entries)
    )


def _measure(
    setting: _Setting, points: PointsArray
) -> tuple[Float[np.ndarray, " entries"], Float[np.ndarray, "draws entries"]]:
    """Give points and their draws; for ratings the mean opinion score."""
    if not points.size:
        nothing = np.full(points.shape[2], np.nan)
        return nothing, np.tile(nothing, (setting.n_draws, 1))
    share = points.shape[1] if setting.ballots.mode == "rating" else 1
    draws = bootstrap_points(points, setting.rng(), setting.n_draws)
    return mean_points(points) / share, draws / share


def _ranked(
    setting: _Setting, totals: Float[np.ndarray, " entries"], draws: Float[np.ndarray, "draws entries"]
) -> tuple[list[Estimate], list[Estimate], list[RankEstimate], list[RankEstimate]]:
    """Give S3n, final score, rank by points and final rank of each entry, each with its interval or its reason."""
    names = setting.ballots.entries
    reasons = [
        LEFT_OUT if name in setting.left_out else NOBODY if math.isnan(total) else ""
        for name, total in zip(names, totals.tolist(), strict=True)
    ]
    normalised = [Estimate(value=None, why=why or EQUAL) for why in reasons]
    finals = [Estimate(value=None, why=why or NO_SCORE) for why in reasons]
    ranks = [RankEstimate(value=None, why=why or NOBODY) for why in reasons]
    able = [place for place, why in enumerate(reasons) if not why]
    usable = draws[:, able][~np.isnan(draws[:, able]).any(1)] if able else draws[:0]
    if not able or not len(usable):
        return normalised, finals, ranks, list(ranks)
    own, shares = normalise_points(totals[able]), normalise_points(usable)
    for column, place in enumerate(able):
        if not math.isnan(own[column]):
            normalised[place] = interval(float(own[column]), shares[:, column])
    _set_ranks(ranks, able, totals[able], usable)
    final_ranks = list(ranks)
    if all(names[place] in setting.scores for place in able):
        scores = np.array([setting.scores[names[place]] for place in able], float)
        value, drawn = (final_scores(scores, each, setting.weights) for each in (totals[able], usable))
        for column, place in enumerate(able):
            finals[place] = interval(float(value[column]), drawn[:, column])
        _set_ranks(final_ranks, able, np.round(value, 2), np.round(drawn, 2))
    return normalised, finals, ranks, final_ranks


def _set_ranks(
    ranks: list[RankEstimate],
    able: Sequence[int],
    values: Float[np.ndarray, " able"],
    draws: Float[np.ndarray, "draws able"],
) -> None:
    own, drawn = shared_ranks(values), shared_ranks(draws)
    for column, place in enumerate(able):
        ranks[place] = rank_interval(int(own[column]), drawn[:, column], len(able))


def _part(setting: _Setting, points: PointsArray) -> tuple[EntryPoints, ...]:
    totals, draws = _measure(setting, points)
    _, _, ranks, _ = _ranked(replace(setting, scores={}), totals, draws)
    return tuple(
        EntryPoints(entry=name, points=interval(float(totals[place]), draws[:, place]), rank=ranks[place])
        for place, name in enumerate(setting.ballots.entries)
    )


def _issues(setting: _Setting, points: PointsArray) -> tuple[Part, ...]:
    ballots = setting.ballots
    names = sorted({ballots.issues.get(image, "") for image in ballots.images})
    if names in ([], [""]) or not len(points):
        return ()
    parts = []
    for name in names:
        places = images_of_issue(ballots, name)
        n_images = int(places.sum())
        note = "one image: there is no interval over images" if n_images == 1 else ""
        parts.append(Part(name=name, n_images=n_images, entries=_part(setting, points[:, places]), note=note))
    return tuple(parts)


def _criteria(setting: _Setting, included: Included) -> tuple[Part, ...]:
    ballots = _of_judges(setting.ballots, included)
    counted = [vote for vote in ballots.votes if vote.kind == "counted"]
    reasons = [name for vote in counted for names in vote.reasons.values() for name in names]
    return tuple(
        Part(
            name=criterion,
            n_images=len(ballots.images),
            n_reasons=reasons.count(criterion),
            entries=_part(setting, criterion_points(ballots, criterion)),
            note="points of the picks for which it was given as a reason; reasons are optional",
        )
        for criterion in ballots.criteria
        if criterion in reasons
    )


def _crossed(setting: _Setting, points: Float[np.ndarray, "judges images"], total: float) -> Estimate:
    share = setting.images_a_point
    found = crossed_interval(points, None if math.isnan(total) else total * share)
    low, high = (None if end is None else end / share for end in (found.low, found.high))
    return replace(found, value=None if found.value is None else total, low=low, high=high)


def _strength(ballots: Ballots, strengths: Float[np.ndarray, " entries"] | None, place: int) -> Estimate:
    if ballots.mode == "rating":
        return Estimate(value=None, why=NO_RATINGS)
    if strengths is None:
        return Estimate(value=None, why=NOBODY)
    return Estimate(value=float(strengths[place]), why=NO_INTERVAL)


def _count_picks(ballots: Ballots) -> list[tuple[int, ...]]:
    if ballots.mode == "rating":
        return [() for _ in ballots.entries]
    counts = {name: [0] * len(ballots.points) for name in ballots.entries}
    for vote in ballots.votes:
        if vote.kind == "counted":
            for place, name in enumerate(vote.choice[: len(ballots.points)]):
                counts[name][place] += 1
    return [tuple(counts[name]) for name in ballots.entries]


def _of_judges(ballots: Ballots, included: Included) -> Ballots:
    names = tuple(itertools.compress(ballots.judges, included.tolist()))
    votes = tuple(vote for vote in ballots.votes if vote.judge in names)
    return replace(ballots, judges=names, votes=votes)


def _notes(ballots: Ballots, absent: Sequence[str], n_partial: int) -> list[str]:
    notes = []
    if absent:
        named = ", ".join(absent)
        notes.append(
            f"{len(absent)} of {len(ballots.judges)} judges have not voted ({named}); they count for nobody"
        )
    if n_partial:
        notes.append(f"{n_partial} ballots are partial; the picks that were made have their points")
    counted = (vote for vote in ballots.votes if vote.kind == "counted")
    if any(len(vote.shown) < len(ballots.entries) for vote in counted):
        notes.append("trials showed a part of the entries; points are per exposure, scaled to all images")
    return notes
