"""The final ranking: score and study joined, ties, awards, entries left out after the vote.

    S3n   = 100 (S3 - min S3) / (max S3 - min S3)
    final = 0.4 S2 + 0.6 S3n

S2 is the SCORE, S3 the points of the study; the shares are the challenge's. Minimum and maximum are over the teams that
are ranked: an entry that is left out after the vote is left out first, its points are given to nobody, and the ranking
with it stands beside. An entry with missing images is unranked too, unless that is asked for: the mean over the images
that it has does not compare with the others'. If all S3 are equal there is no S3n, and S2 alone decides, with a note
that says so.

Source: section 3 of the NTIRE 2024 RAIM report (arXiv 2405.09923), which prints S3n without the 100; only with it do
the eight finals of its Table 1 come out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from raim.challenge.credits import Award
from raim.challenge.settings import Weights
from raim.errors import InputError

EQUAL_POINTS = (
    "all teams have the same points in the study, so there is no normalised score of it: SCORE alone decides"
)
ONE_TEAM = "only one team is ranked, so there is no normalised score of the study: SCORE alone decides"
NO_SCORE = "it has no SCORE"
# Numbers of the bootstrap that are equal but for the order of additions are ties.
CLOSE = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Entrant:
    """A team before the ranking.

    Attributes:
        team: Its name.
        score: S2, its SCORE; None if it has none.
        points: S3, its points in the study; None if it has none.
        left_out: Why it is left out after the vote; "" if it is not.
        incomplete: How many of its images have a score, if some are without one; "" if all have one.
    """

    team: str
    score: float | None
    points: float | None = None
    left_out: str = ""
    incomplete: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedTeam:
    """A team in the ranking.

    Attributes:
        team: Its name.
        score: S2; None if it has none.
        points: S3; None if it has none.
        normalised: S3n, 0 to 100; None where there is none.
        final: The final score; None if it is not ranked.
        rank: From 1; None if it is not ranked.
        award: Name of its award; "" for none.
        why_unranked: Why it has no rank; "" with one.
    """

    team: str
    score: float | None
    points: float | None
    normalised: float | None = None
    final: float | None = None
    rank: int | None = None
    award: str = ""
    why_unranked: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FinalRanking:
    """The result of a challenge.

    Attributes:
        rows: Best first; teams without a rank last.
        left_out: Teams that were left out after the vote, each with the reason.
        with_left_out: The ranking as if nobody had been left out; None if nobody was.
        note: What a reader must know of how it was made; "" if nothing.
        weights: Shares of score and study in the final score.
        effective: Shares of the two parts as they act: weight times range, largest minus smallest (in Table 1 of the
            report 7.5 and 92.5 %). None where nothing is spread.
        decimals: Digits to which final scores are rounded before they are compared.
    """

    rows: tuple[RankedTeam, ...]
    left_out: tuple[RankedTeam, ...] = ()
    with_left_out: "FinalRanking | None" = None
    note: str = ""
    weights: Weights
    effective: Weights | None = None
    decimals: int = 2

    @property
    def ranked(self) -> tuple[RankedTeam, ...]:
        """The rows with a rank."""
        return tuple(row for row in self.rows if row.rank is not None)


def rank_teams(
    entrants: Sequence[Entrant],
    *,
    weights: Weights | None = None,
    decimals: int = 2,
    awards: Sequence[Award] = (),
    allow_incomplete: bool = False,
) -> FinalRanking:
    """Join score and study, and rank.

    Args:
        entrants: In any order, which does not matter but among equals, who stand in the order of their names.
        weights: Shares of score and study; the report's 0.4 and 0.6 if None.
        decimals: Final scores are rounded so before they are compared; equal ones share the better rank.
        awards: Best first; see `give_awards`.
        allow_incomplete: Whether entries with missing images are ranked, by the mean over those that they have; the
            ranking's note names them.

    Raises:
        InputError: A team is named twice, or a number is none.

    Example:
        >>> table = {"MiAlgo": (79.13, 57), "Xhs-IAG": (81.96, 47), "HIT-IIL": (69.80, 1)}
        >>> ranking = rank_teams([Entrant(team=team, score=s2, points=s3) for team, (s2, s3) in table.items()])
        >>> [(row.team, round(row.final, 2), row.rank) for row in ranking.rows]
        [('MiAlgo', 91.65, 1), ('Xhs-IAG', 82.07, 2), ('HIT-IIL', 27.92, 3)]
    """
    weights = weights or Weights()
    _check(entrants)
    note = ""
    if allow_incomplete:
        able = [each for each in entrants if each.incomplete and each.score is not None]
        note = describe_incomplete({each.team: each.incomplete for each in able if not each.left_out})
        entrants = [replace(each, incomplete="") if each in able else each for each in entrants]
    kept = [each for each in entrants if not each.left_out]
    ranking = _rank(kept, weights, decimals, awards)
    ranking = replace(ranking, note="; ".join(each for each in (note, ranking.note) if each))
    out = [each for each in entrants if each.left_out]
    if not out:
        return ranking
    everybody = _rank([replace(each, left_out="") for each in entrants], weights, decimals, ())
    left_out = tuple(
        RankedTeam(
            team=each.team, score=each.score, points=each.points, why_unranked=f"left out: {each.left_out}"
        )
        for each in sorted(out, key=lambda each: each.team.casefold())
    )
    return replace(ranking, left_out=left_out, with_left_out=everybody)


def describe_incomplete(incomplete: Mapping[str, str]) -> str:
    """Return a note that incomplete entries are ranked; "" if there are none.

    Example:
        >>> describe_incomplete({"A": "1 of 4 images have a score"})
        'ranked by the images that they have, which are not all: A (1 of 4 images have a score)'
    """
    named = ", ".join(f"{team} ({reason})" for team, reason in incomplete.items())
    return f"ranked by the images that they have, which are not all: {named}" if named else ""


def final_scores(
    scores: Float[np.ndarray, " teams"], points: Float[np.ndarray, "*draws teams"], weights: Weights
) -> Float[np.ndarray, "*draws teams"]:
    """Join score and study for many draws of points at once.

    Args:
        scores: S2 of each team.
        points: S3 of each team, in each draw.
        weights: Shares of score and study.

    Returns:
        Final scores; in a draw whose points are all equal, the scores themselves.

    Example:
        >>> final_scores(np.array([80.0, 70.0]), np.array([[1.0, 3.0], [2.0, 2.0]]), Weights()).tolist()
        [[32.0, 88.0], [80.0, 70.0]]
    """
    normalised = normalise_points(points)
    joined = weights.score * scores + weights.study * normalised
    return np.where(np.isnan(normalised), scores, joined)


def normalise_points(points: Float[np.ndarray, "*draws teams"]) -> Float[np.ndarray, "*draws teams"]:
    """Return S3n, 0 for the fewest points and 100 for the most; NaN where all are equal.

    Example:
        >>> normalise_points(np.array([1.0, 57.0, 29.0])).tolist()
        [0.0, 100.0, 50.0]
    """
    low = points.min(-1, keepdims=True)
    spread = points.max(-1, keepdims=True) - low
    is_flat = spread <= CLOSE
    return np.where(is_flat, np.nan, 100 * (points - low) / np.where(is_flat, 1.0, spread))


def why_flat(n_teams: int) -> str:
    """Return why so many ranked teams have no S3n.

    Example:
        >>> why_flat(1).split(",")[0], why_flat(2).split(",")[0]
        ('only one team is ranked', 'all teams have the same points in the study')
    """
    return ONE_TEAM if n_teams == 1 else EQUAL_POINTS


def round_as_printed(
    values: Float[np.ndarray, "*draws teams"], decimals: int
) -> Float[np.ndarray, "*draws teams"]:
    """Round to the digits that pages and tables print; `numpy.round` scales first, and gives other ones.

    Example:
        >>> round_as_printed(np.array([2.675]), 2).tolist(), f"{2.675:.2f}", np.round(2.675, 2).tolist()
        ([2.67], '2.67', 2.68)
    """
    return np.array([round(value, decimals) for value in values.ravel().tolist()], float).reshape(
        values.shape
    )


def shared_ranks(values: Float[np.ndarray, "*draws teams"]) -> Int[np.ndarray, "*draws teams"]:
    """Rank from 1 for the highest; equal values share the better rank, as in 1, 2, 2, 4.

    Example:
        >>> shared_ranks(np.array([80.0, 91.0, 80.0, 2.0])).tolist()
        [2, 1, 2, 4]
    """
    higher = values[..., None, :] > values[..., :, None] + CLOSE
    return 1 + higher.sum(-1)


def give_awards(rows: Sequence[RankedTeam], awards: Sequence[Award]) -> tuple[RankedTeam, ...]:
    """Return the ranking with awards, given from the top down.

    Each award has its places in the order of the ranks: with 1, 2 and 3 places they are the ranks 1, 2 to 3 and 4 to 6.
    Teams that share a rank get the award of that rank, all of them, even where there are more of them than places;
    the places that they take beyond it are missing from the next awards.

    Example:
        >>> ranks = {"a": 1, "b": 1, "c": 3}
        >>> rows = [RankedTeam(team=team, score=1.0, points=1.0, rank=rank) for team, rank in ranks.items()]
        >>> awards = [Award(id="gold", name="Gold"), Award(id="silver", name="Silver", places=2)]
        >>> [row.award for row in give_awards(rows, awards)]
        ['Gold', 'Gold', 'Silver']
    """
    names = [award.name for award in awards for _ in range(award.places)]
    return tuple(
        replace(row, award=names[row.rank - 1] if row.rank is not None and row.rank <= len(names) else "")
        for row in rows
    )


def _rank(
    entrants: Sequence[Entrant], weights: Weights, decimals: int, awards: Sequence[Award]
) -> FinalRanking:
    uses_study = weights.study > 0
    able = [each for each in entrants if _why_unranked(each, uses_study=uses_study) == ""]
    rows, note, effective = _rank_able(able, weights, decimals) if able else ([], "", None)
    unable = [
        RankedTeam(
            team=each.team,
            score=each.score,
            points=each.points,
            why_unranked=_why_unranked(each, uses_study=uses_study),
        )
        for each in sorted(entrants, key=lambda each: each.team.casefold())
        if each not in able
    ]
    return FinalRanking(
        rows=(*give_awards(rows, awards), *unable),
        note=note,
        weights=weights,
        effective=effective,
        decimals=decimals,
    )


def _rank_able(
    able: Sequence[Entrant], weights: Weights, decimals: int
) -> tuple[list[RankedTeam], str, Weights | None]:
    scores = np.array([each.score for each in able], float)
    if weights.study == 0:
        finals, normalised, note = scores, np.full(len(able), np.nan), ""
    else:
        points = np.array([each.points for each in able], float)
        normalised = normalise_points(points)
        finals = final_scores(scores, points, weights)
        note = why_flat(len(able)) if np.isnan(normalised).all() else ""
    ranks = shared_ranks(round_as_printed(finals, decimals))
    rows = [
        RankedTeam(
            team=each.team,
            score=each.score,
            points=each.points,
            normalised=None if math.isnan(part) else float(part),
            final=float(final),
            rank=int(rank),
        )
        for each, part, final, rank in zip(able, normalised, finals, ranks, strict=True)
    ]
    rows.sort(key=lambda row: (row.rank, row.team.casefold()))
    return rows, note, _effective(scores, normalised, weights)


def _effective(
    scores: Float[np.ndarray, " teams"], normalised: Float[np.ndarray, " teams"], weights: Weights
) -> Weights | None:
    """Return the shares of the two parts in the range of the finals."""
    if np.isnan(normalised).any():
        return None
    spreads = weights.score * np.ptp(scores), weights.study * np.ptp(normalised)
    total = sum(spreads)
    return (
        None if total <= CLOSE else Weights(score=float(spreads[0] / total), study=float(spreads[1] / total))
    )


def _why_unranked(entrant: Entrant, *, uses_study: bool) -> str:
    if entrant.incomplete:
        return entrant.incomplete
    if entrant.score is None:
        return NO_SCORE
    if uses_study and entrant.points is None:
        return "it has no points: the study has not judged it"
    return ""


def _check(entrants: Sequence[Entrant]) -> None:
    seen: set[str] = set()
    for each in entrants:
        if each.team in seen:
            raise InputError(f"the team {each.team!r} is named twice; expected one line for each team")
        seen.add(each.team)
        for name, value in (("score", each.score), ("points", each.points)):
            if value is not None and not math.isfinite(value):
                raise InputError(
                    f"the {name} of {each.team!r} is {value}; expected a number, or nothing if there is none"
                )
