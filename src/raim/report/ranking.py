"""The rows of a ranking: which entry has which place, and which value of each column is the best.

Only complete entries have a rank and compete for the best value of a column: the mean over fewer images is over
other images, so it does not compare. An entry without a rank says how many of its images have no score, and why.
"""

from collections import Counter
from dataclasses import dataclass, replace

from raim.report.columns import TableColumn, find_columns
from raim.scoring.records import EntryScore, ScoreTable, sort_entries


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingCell:
    """One value of a row, as it is written."""

    text: str
    is_best: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingRow:
    """One entry.

    Attributes:
        name: The entry's.
        rank: 1 is the best; entries with the same SCORE share the better one; None if images are unscored.
        why_unranked: Why there is no rank; None if there is one.
        n_expected: Images that could have a score.
        n_scored: Of these, those with a score; the means are over them.
        cells: One for each column of the profile.
    """

    name: str
    rank: int | None
    why_unranked: str | None
    n_expected: int
    n_scored: int
    cells: tuple[RankingCell, ...]

    @property
    def n_unscored(self) -> int:
        """Images without a score."""
        return self.n_expected - self.n_scored


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioRows:
    """The rows of one scenario."""

    scenario: str
    rows: tuple[RankingRow, ...]


def make_ranking(table: ScoreTable) -> tuple[RankingRow, ...]:
    """Return one row for each entry, in the table's order (complete entries first, then by falling SCORE).

    Example:
        >>> from raim.scoring import PROFILES, EntryScore, ImageScore
        >>> profile = PROFILES["raim-2026-hdr"]
        >>> values = {"psnr": 30.0, "ssim": 0.9, "lpips": 0.1, "score": 58.5}
        >>> entry = EntryScore(name="alpha", images=(ImageScore(name="0001", values=values),))
        >>> row = make_ranking(ScoreTable(profile=profile, entries=(entry,), raim_version="1"))[0]
        >>> row.rank, [cell.text for cell in row.cells]
        (1, ['58.50', '30.00', '0.9000', '0.1000'])
    """
    columns, ranks = find_columns(table.profile), table.ranks()
    ranked = [entry for entry in table.entries if entry.name in ranks]
    best = {column.key: _best(ranked, column) for column in columns}
    return tuple(
        RankingRow(
            name=entry.name,
            rank=ranks.get(entry.name),
            why_unranked=table.why_unranked(entry),
            n_expected=entry.n_expected,
            n_scored=entry.n_scored,
            cells=tuple(
                _cell(entry, column, best[column.key] if entry.name in ranks else None) for column in columns
            ),
        )
        for entry in table.entries
    )


def make_scenario_rankings(table: ScoreTable) -> tuple[ScenarioRows, ...]:
    """Return the same for each scenario, in the order of their names; nothing where none is known."""
    parts: dict[str, list[EntryScore]] = {}
    for entry in table.entries:
        for scenario, part in entry.by_scenario().items():
            parts.setdefault(scenario, []).append(part)
    return tuple(
        ScenarioRows(
            scenario=scenario, rows=make_ranking(replace(table, entries=_sort(parts[scenario], table)))
        )
        for scenario in sorted(parts)
    )


def _sort(entries: list[EntryScore], table: ScoreTable) -> tuple[EntryScore, ...]:
    return sort_entries(entries, allow_incomplete=table.allow_incomplete)


def count_reasons(entry: EntryScore) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each reason for which images of an entry have no score, with the images' names, most frequent first."""
    unscored = [image for image in entry.images if image.unscored is not None]
    counted = Counter(image.unscored for image in unscored)
    return tuple(
        (reason, tuple(image.name for image in unscored if image.unscored == reason))
        for reason, _ in counted.most_common()
        if reason is not None
    )


def _best(ranked: list[EntryScore], column: TableColumn) -> float | None:
    values = [value for each in ranked if (value := each.mean.get(column.key)) is not None]
    if len(values) < 2:  # a lone entry is not the best of anything
        return None
    return max(values) if column.higher_is_better else min(values)


def _cell(entry: EntryScore, column: TableColumn, best: float | None) -> RankingCell:
    value = entry.mean.get(column.key)
    return RankingCell(text=column.format(value), is_best=value is not None and value == best)
