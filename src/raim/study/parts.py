"""Points per issue and per criterion, with intervals and ranks."""

from collections.abc import Mapping

import numpy as np

from raim.challenge.modes import MODES
from raim.study.drawing import draw_points, estimate_ranks
from raim.study.entries import why_unranked
from raim.study.findings import EntryPoints, PartPoints
from raim.study.points import PointsArray, counted_votes, criterion_points, images_of_issue, points_array
from raim.study.votes import Ballots


def issue_parts(
    ballots: Ballots, left_out: frozenset[str], rng: np.random.Generator, n_draws: int
) -> tuple[PartPoints, ...]:
    """Return the points within each issue, in the order of their names; none if no image has one."""
    issues = sorted({ballots.issues.get(name, "") for name in ballots.images})
    if issues in ([], [""]):
        return ()
    points = points_array(ballots)
    parts = []
    for issue in issues:
        images = images_of_issue(ballots, issue)
        entries = _entries(ballots, points[:, images], left_out, rng, n_draws)
        parts.append(PartPoints(name=issue, n_images=int(images.sum()), entries=entries))
    return tuple(parts)


def criterion_parts(
    ballots: Ballots, left_out: frozenset[str], rng: np.random.Generator, n_draws: int
) -> tuple[PartPoints, ...]:
    """Return the points of picks that name each criterion as a reason; none for a criterion that was never given."""
    counts = count_criteria(ballots)
    if MODES[ballots.mode].grades or not any(counts.values()):
        return ()
    picks = [vote for vote in counted_votes(ballots) for _ in vote.choice]
    given = sum(any(vote.reasons.get(name) for name in vote.choice) for vote in counted_votes(ballots))
    n_votes = len(counted_votes(ballots))
    note = f"reasons were given in {given} of {n_votes} votes ({len(picks)} picks); a pick may have several"
    return tuple(
        PartPoints(
            name=name,
            n_images=len(ballots.images),
            n_reasons=counts[name],
            entries=_entries(ballots, criterion_points(ballots, name), left_out, rng, n_draws),
            note=note,
        )
        for name in ballots.criteria
        if counts[name]
    )


def count_criteria(ballots: Ballots) -> Mapping[str, int]:
    """Count for each criterion the picks that name it."""
    named = [
        criterion
        for vote in counted_votes(ballots)
        for entry in vote.choice
        for criterion in vote.reasons.get(entry, ())
    ]
    return {name: named.count(name) for name in ballots.criteria}


def _entries(
    ballots: Ballots, points: PointsArray, left_out: frozenset[str], rng: np.random.Generator, n_draws: int
) -> tuple[EntryPoints, ...]:
    drawn = draw_points(points, rng, n_draws, is_mean=bool(MODES[ballots.mode].grades))
    ranks = estimate_ranks(drawn.values, drawn.draws, why_unranked(ballots.entries, drawn, left_out))
    return tuple(
        EntryPoints(entry=entry, points=points, rank=rank)
        for entry, points, rank in zip(ballots.entries, drawn.estimates(), ranks, strict=True)
    )
