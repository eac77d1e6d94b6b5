"""The final ranking."""

from typing import Any

from raim.challenge import FinalRanking, RankedTeam
from raim.records.ranking import RankedRecord, RankingRecord
from raim.server.study.publication import Outcome
from raim.server.study.results import StudyResults


def ranking_record(
    ranking: FinalRanking, results: StudyResults | Outcome | None, *, title: str, is_simulated: bool
) -> RankingRecord:
    """Give a ranking as JSON has it."""
    other = ranking.with_left_out
    return RankingRecord(
        title=title,
        is_simulated=is_simulated,
        rows=[_ranked(row, results) for row in ranking.rows],
        left_out=[_ranked(row, results) for row in ranking.left_out],
        with_left_out=[_ranked(row, None) for row in other.rows] if other else [],
        note=ranking.note,
    )


def _ranked(row: RankedTeam, results: StudyResults | Outcome | None) -> RankedRecord:
    found = results.found(row.team) if results else None
    ends: dict[str, Any] = {}
    if found is not None:
        ends = {"points_low": found.points.low, "points_high": found.points.high}
    return RankedRecord(
        rank=row.rank,
        team=row.team,
        score=row.score,
        points=row.points,
        normalised=row.normalised,
        final=row.final,
        award=row.award,
        why_unranked=row.why_unranked,
        **ends,
    )
