"""What the votes say about each entry: points, strengths, final scores and ranks, each with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from raim.challenge.modes import MODES
from raim.challenge.ranking import NO_SCORE, final_scores, normalise_points, why_flat
from raim.challenge.settings import Weights
from raim.study.drawing import NOBODY, DrawnPoints, draw_points, estimate, estimate_ranks
from raim.study.findings import Estimate, JudgedEntry, RankEstimate
from raim.study.intervals import crossed_interval
from raim.study.points import counted_votes, points_array
from raim.study.strengths import fit_strengths, list_choices
from raim.study.votes import Ballots

LEFT_OUT = "it is left out of the ranking"
NO_SCORES = "there are no scores to join the points with"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreJoining:
    """How points and scores become a final ranking.

    Attributes:
        scores: S2 of each entry; None for a study by itself.
        weights: Shares of score and study.
        left_out: Entries that are not ranked.
        incomplete: For entries whose score is over fewer images than the others': how many have one. It is not used.
        decimals: Digits to which final scores are rounded before they are compared.
    """

    scores: Mapping[str, float] | None
    weights: Weights
    left_out: frozenset[str]
    incomplete: Mapping[str, str]
    decimals: int

    def why_no_score(self, entry: str) -> str:
        """Return why an entry has no score that can be joined; "" if it has one, or nobody has."""
        if self.scores is None:
            return ""
        return self.incomplete.get(entry) or ("" if entry in self.scores else NO_SCORE)


def entry_results(
    ballots: Ballots, joining: ScoreJoining, rng: np.random.Generator, n_draws: int
) -> tuple[JudgedEntry, ...]:
    """Return the result of each entry, in the order of the ballots."""
    points = points_array(ballots)
    is_grade = bool(MODES[ballots.mode].grades)
    drawn = draw_points(points, rng, n_draws, is_mean=is_grade)
    strengths = _strengths(ballots)
    picks = _count_picks(ballots)
    unranked = why_unranked(ballots.entries, drawn, joining.left_out)
    own_ranks = estimate_ranks(drawn.values, drawn.draws, unranked)
    normalised, finals, final_ranks = _join(ballots.entries, drawn, unranked, joining)
    exposures = (~np.isnan(points)).sum((0, 1))
    return tuple(
        JudgedEntry(
            entry=entry,
            is_left_out=entry in joining.left_out,
            n_exposures=int(exposures[place]),
            picks=picks[place],
            points=shown,
            crossed=_crossed(points[:, :, place], drawn.values[place], is_grade=is_grade),
            strength=strengths[place],
            normalised=normalised[place],
            final=finals[place],
            points_rank=own_ranks[place],
            final_rank=final_ranks[place],
        )
        for place, (entry, shown) in enumerate(zip(ballots.entries, drawn.estimates(), strict=True))
    )


def has_scores(entries: Sequence[JudgedEntry]) -> bool:
    """Return whether there were scores to join the points with, be it of no entry that is ranked."""
    return all(each.final.why != NO_SCORES for each in entries)


def why_unranked(entries: Sequence[str], drawn: DrawnPoints, left_out: frozenset[str]) -> list[str]:
    """Return for each entry why it has no rank by points; "" for one that has."""
    return [
        LEFT_OUT if entry in left_out else "" if has_value else NOBODY
        for entry, has_value in zip(entries, drawn.has_value, strict=True)
    ]


def _join(
    entries: Sequence[str], drawn: DrawnPoints, unranked: Sequence[str], joining: ScoreJoining
) -> tuple[list[Estimate], list[Estimate], list[RankEstimate]]:
    """Return S3n, final scores and final ranks, of the entries that have points and a score."""
    why = [reason or joining.why_no_score(entry) for entry, reason in zip(entries, unranked, strict=True)]
    places = [place for place, reason in enumerate(why) if not reason]
    values, draws = (np.full_like(each, np.nan) for each in (drawn.values, drawn.draws))
    if places:
        values[places] = normalise_points(drawn.values[places])
        draws[:, places] = normalise_points(drawn.draws[:, places])
    normalised = [
        estimate(float(value), draws[:, place], why=why[place] or why_flat(len(places)))
        for place, value in enumerate(values)
    ]
    if joining.scores is None:
        return (
            normalised,
            [Estimate(value=None, why=reason or NO_SCORES) for reason in why],
            [RankEstimate(value=None, why=reason or NO_SCORES) for reason in why],
        )
    if places:
        scores = np.array([joining.scores[entries[place]] for place in places], float)
        values[places] = final_scores(scores, drawn.values[places], joining.weights)
        has_all = ~np.isnan(drawn.draws[:, places]).any(1)
        draws[np.ix_(has_all, places)] = final_scores(
            scores, drawn.draws[np.ix_(has_all, places)], joining.weights
        )
    finals = [estimate(float(value), draws[:, place], why=why[place]) for place, value in enumerate(values)]
    return normalised, finals, estimate_ranks(values, draws, why, decimals=joining.decimals)


def _crossed(
    points: Float[np.ndarray, "judges images"], value: Float[np.ndarray, ""] | np.float64, *, is_grade: bool
) -> Estimate:
    has_voted = points[~np.isnan(points).all(1)]
    found = crossed_interval(has_voted, float(value) * (points.shape[1] if is_grade else 1))
    if not is_grade:
        return found
    values = [
        None if each is None else each / points.shape[1] for each in (found.value, found.low, found.high)
    ]
    return Estimate(value=values[0], low=values[1], high=values[2], why=found.why)


def _strengths(ballots: Ballots) -> list[Estimate]:
    if not MODES[ballots.mode].strengths:
        why = "grades have no strengths; the mean opinion score is their measure"
        return [Estimate(value=None, why=why)] * len(ballots.entries)
    choices = list_choices(ballots)
    found = fit_strengths(choices)
    if found is None:
        return [Estimate(value=None, why="nothing was chosen")] * len(ballots.entries)
    was_shown = np.any(choices.available, axis=0)
    return [
        Estimate(value=float(value)) if seen else Estimate(value=None, why=NOBODY)
        for value, seen in zip(found, was_shown, strict=True)
    ]


def _count_picks(ballots: Ballots) -> list[tuple[int, ...]]:
    """Count for each entry how often it was the first, second, ... pick."""
    n_picks = MODES[ballots.mode].n_picks(ballots.points)
    places = {entry: place for place, entry in enumerate(ballots.entries)}
    counts = np.zeros((len(places), n_picks), int)
    for vote in counted_votes(ballots):
        for at, entry in enumerate(vote.choice[:n_picks]):
            counts[places[entry], at] += 1
    return [tuple(int(each) for each in row) for row in counts]
