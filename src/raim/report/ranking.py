"""The rows of a ranking: which entry stands where, and which value of each column is the best.

Only complete entries have a rank and compete for the best value of a column: the mean over fewer images is over
other images, so it does not compare. An entry without a rank says how many of its images have no score, and why.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from raim.report.columns import Column, find_columns
from raim.scoring.records import EntryScore, ScoreTable, mean_values


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One value of a row, as it is written."""

    text: str
    is_best: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingRow:
    """One entry.

    Attributes:
        name: The entry's.
        rank: 1 is the best; entries with the same SCORE share the better one; None if images are unscored.
        n_images: Images in all.
        n_scored: Of these, those with a score; the means are over them.
        cells: One for each column of the profile.
    """

    name: str
    rank: int | None
    n_images: int
    n_scored: int
    cells: tuple[Cell, ...]

    @property
    def n_unscored(self) -> int:
        """Images without a score."""
        return self.n_images - self.n_scored


@dataclass(frozen=True, kw_only=True, slots=True)
class ScenarioRows:
    """The rows of one scenario."""

    scenario: str
    rows: tuple[RankingRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    """An entry's counts and means over all images or over one scenario."""

    name: str
    n_images: int
    n_scored: int
    means: Mapping[str, float | None]

    @property
    def is_complete(self) -> bool:
        return 0 < self.n_images == self.n_scored


def make_ranking(table: ScoreTable) -> tuple[RankingRow, ...]:
    """Give one row for each entry, in the table's order (complete entries first, then by falling SCORE).

    Example:
        >>> from raim.scoring import PROFILES, EntryScore, ImageScore
        >>> profile = PROFILES["raim-2026-hdr"]
        >>> values = {"psnr": 30.0, "ssim": 0.9, "lpips": 0.1, "score": 58.5}
        >>> entry = EntryScore(name="alpha", images=(ImageScore(name="0001", values=values),))
        >>> row = make_ranking(ScoreTable(profile=profile, entries=(entry,), raim_version="1"))[0]
        >>> row.rank, [cell.text for cell in row.cells]
        (1, ['58.50', '30.000', '0.9000', '0.1000'])
    """
    standings = [
        _Standing(name=entry.name, n_images=len(entry.images), n_scored=len(entry.scored), means=entry.mean)
        for entry in table.entries
    ]
    return _rank(standings, find_columns(table.profile))


def make_scenario_rankings(table: ScoreTable) -> tuple[ScenarioRows, ...]:
    """Give the same for each scenario, in the order of their names; nothing where none is known."""
    scenarios = sorted(
        {image.scenario for entry in table.entries for image in entry.images if image.scenario is not None}
    )
    columns = find_columns(table.profile)
    return tuple(
        ScenarioRows(scenario=scenario, rows=_rank(_standings(table.entries, scenario), columns))
        for scenario in scenarios
    )


def count_reasons(entry: EntryScore) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give each reason for which images of an entry have no score, with the images' names, most frequent first."""
    unscored = [image for image in entry.images if image.unscored is not None]
    counted = Counter(image.unscored for image in unscored)
    return tuple(
        (reason, tuple(image.name for image in unscored if image.unscored == reason))
        for reason, _ in counted.most_common()
        if reason is not None
    )


def _standings(entries: Sequence[EntryScore], scenario: str) -> list[_Standing]:
    found = []
    for entry in entries:
        images = [image for image in entry.images if image.scenario == scenario]
        scored = [image for image in images if image.unscored is None]
        found.append(
            _Standing(name=entry.name, n_images=len(images), n_scored=len(scored), means=mean_values(images))
        )
    return sorted(found, key=lambda standing: (not standing.is_complete, _fall(_score(standing))))


def _rank(standings: Sequence[_Standing], columns: Sequence[Column]) -> tuple[RankingRow, ...]:
    complete = [standing for standing in standings if standing.is_complete]
    best = {column.key: _best(complete, column) for column in columns}
    scores = [_score(standing) for standing in complete]
    return tuple(
        RankingRow(
            name=standing.name,
            rank=_place(_score(standing), scores) if standing.is_complete else None,
            n_images=standing.n_images,
            n_scored=standing.n_scored,
            cells=tuple(_cell(standing, column, best[column.key]) for column in columns),
        )
        for standing in standings
    )


def _score(standing: _Standing) -> float | None:
    return standing.means.get("score")


def _fall(score: float | None) -> float:
    return math.inf if score is None else -score


def _place(own: float | None, scores: Sequence[float | None]) -> int | None:
    if own is None:
        return None
    return 1 + sum(score is not None and score > own for score in scores)


def _best(complete: Sequence[_Standing], column: Column) -> float | None:
    values = [value for each in complete if (value := each.means.get(column.key)) is not None]
    if len(values) < 2:  # a lone entry is not the best of anything
        return None
    return max(values) if column.higher_is_better else min(values)


def _cell(standing: _Standing, column: Column, best: float | None) -> Cell:
    value = standing.means.get(column.key)
    return Cell(
        text=column.format(value), is_best=standing.is_complete and value is not None and value == best
    )
