"""The final ranking: as a record, and as a table of an export."""

from collections.abc import Iterator
from typing import Any

from raim.challenge import FinalRanking, RankedTeam
from raim.records.ranking import RankedRecord, RankingRecord
from raim.server.export_table import ExportTable
from raim.server.study.publication import ChallengeOutcome
from raim.server.study.results import StudyOutcome, all_rows


def ranking_record(
    ranking: FinalRanking, results: StudyOutcome | ChallengeOutcome | None, *, title: str, is_simulated: bool
) -> RankingRecord:
    """Return a ranking as JSON has it."""
    other = ranking.with_left_out
    return RankingRecord(
        title=title,
        is_simulated=is_simulated,
        rows=[_ranked(row, results) for row in ranking.rows],
        left_out=[_ranked(row, results) for row in ranking.left_out],
        with_left_out=[_ranked(row, None) for row in other.rows] if other else [],
        note=ranking.note,
    )


def ranking_table(outcome: ChallengeOutcome) -> ExportTable:
    """Return a ranking as a table, entries that were left out last."""
    intervals = ("points_low", "points_high", "final_low", "final_high", "rank_low", "rank_high")

    def read() -> Iterator[tuple[object, ...]]:
        for row in all_rows(outcome.ranking):
            found = outcome.found(row.team)
            ends = (
                (None,) * len(intervals)
                if found is None
                else tuple(
                    end
                    for each in (found.points, found.final, found.final_rank)
                    for end in (each.low, each.high)
                )
            )
            yield (
                *(row.rank, row.team, row.score, row.points, row.normalised, row.final, *ends),
                *(row.award, row.why_unranked, outcome.is_simulated),
            )

    columns = ("rank", "team", "score", "points", "normalised", "final", *intervals)
    return ExportTable(
        name="ranking",
        title="Final ranking",
        columns=(*columns, "award", "note", "is_simulated"),
        read=read,
    )


def _ranked(row: RankedTeam, results: StudyOutcome | ChallengeOutcome | None) -> RankedRecord:
    found = results.found(row.team) if results else None
    ends: dict[str, Any] = {}
    if found is not None:
        ends = {"points_low": found.points.low, "points_high": found.points.high}
    return RankedRecord.of_row(row, **ends)
