"""The order of entries: one counting entry per team, ties after rounding, nothing without a score ranked.

Entries are compared by SCORE rounded to the stated decimals (as it is shown), then by the stated measures. Entries
that are equal in all of that share the better rank, as in 1, 2, 2, 4; among them the earlier one is listed first, and
goes first where places are short. Baselines and entries out of competition stand at their place in the list, without
a rank. A missing score is never a number: such entries come last, with the reason.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from raim.challenge.settings import Counting, LeaderboardRule
from raim.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardEntry:
    """One submission as the leaderboard sees it.

    Attributes:
        id: Of the submission; the last word where all else is equal, so that the order never depends on chance.
        team: Of whom it is; any stable name.
        submitted_at: When its upload began, aware.
        score: Mean SCORE; None if it has none (yet); infinity counts as none.
        measures: Mean of each measure; None where there is none.
        unscored: Why there is no score.
        is_chosen: Whether its team has chosen it to count.
        is_baseline: The organisers' own, for comparison.
        is_out_of_competition: Listed, but cannot win.
    """

    id: str
    team: str
    submitted_at: datetime
    score: float | None
    measures: Mapping[str, float | None] = field(default_factory=dict)
    unscored: str = ""
    is_chosen: bool = False
    is_baseline: bool = False
    is_out_of_competition: bool = False

    @property
    def is_competing(self) -> bool:
        """Whether it can have a rank."""
        return not self.is_baseline and not self.is_out_of_competition


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardRow:
    """One line of a leaderboard.

    Attributes:
        entry: The entry in it.
        rank: From 1; None if it has none.
        n_entries: How many entries that can have a rank its team has made.
        why_unranked: "baseline", "out of competition" or why it has no score; "" with a rank.
    """

    entry: BoardEntry
    rank: int | None
    n_entries: int
    why_unranked: str = ""


Key = tuple[float, ...]


def rank_entries(
    entries: Iterable[BoardEntry],
    *,
    rule: LeaderboardRule | None = None,
    is_higher_better: Callable[[str], bool] = lambda _: True,
) -> tuple[BoardRow, ...]:
    """Make the leaderboard.

    Args:
        entries: In any order, which does not matter; ids must differ.
        rule: Rounding, measures that break ties, and which entry of a team counts; the default if None.
        is_higher_better: For each measure of `rule.ties`, such as a profile's method.

    Returns:
        Best first. One row for each team that competes, and one for each entry that does not.

    Raises:
        InputError: Two entries have the same id, or a score is not a number.

    Example:
        >>> from datetime import UTC, datetime
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> scores = {"A": 79.694, "B": 81.96, "C": 79.691, "D": None}
        >>> entries = [BoardEntry(id=team, team=team, submitted_at=noon, score=scores[team]) for team in scores]
        >>> [(row.rank, row.entry.team) for row in rank_entries(entries)]
        [(1, 'B'), (2, 'A'), (2, 'C'), (None, 'D')]
    """
    rule = rule or LeaderboardRule()
    all_entries = _checked(entries)
    keys = {each.id: _key(each, rule, is_higher_better) for each in all_entries}

    def order(entry: BoardEntry) -> tuple[bool, Key, datetime, str]:
        return entry.score is None, keys[entry.id], entry.submitted_at, entry.id

    competing = [each for each in all_entries if each.is_competing]
    by_team: dict[str, list[BoardEntry]] = {}
    for entry in sorted(competing, key=order):
        by_team.setdefault(entry.team, []).append(entry)
    counting = [_counting(of_team, rule.counts) for of_team in by_team.values()]
    listed = sorted([*counting, *(each for each in all_entries if not each.is_competing)], key=order)
    ranks = _ranks([each for each in listed if each.is_competing and each.score is not None], keys)
    return tuple(
        BoardRow(
            entry=entry,
            rank=ranks.get(entry.id),
            n_entries=len(by_team.get(entry.team, ())),
            why_unranked="" if entry.id in ranks else _why_unranked(entry),
        )
        for entry in listed
    )


def _checked(entries: Iterable[BoardEntry]) -> list[BoardEntry]:
    found = list(entries)
    ids: set[str] = set()
    for entry in found:
        if entry.id in ids:
            raise InputError(f"two entries have the id {entry.id!r}; expected one entry for each id")
        ids.add(entry.id)
        numbers = {"score": entry.score, **entry.measures}
        for name, value in numbers.items():
            if value is not None and math.isnan(value):
                raise InputError(
                    f"the {name} of entry {entry.id!r} is NaN; expected a number, or None if it has none"
                )
    return [_without_infinity(entry) for entry in found]


def _without_infinity(entry: BoardEntry) -> BoardEntry:
    """Take an infinite score, of an identical pair in a profile of before, for none."""
    if entry.score is None or math.isfinite(entry.score):
        return entry
    return replace(entry, score=None, unscored="its SCORE is infinite, which is no score")


def _key(entry: BoardEntry, rule: LeaderboardRule, is_higher_better: Callable[[str], bool]) -> Key:
    """Return what entries are compared by, smallest first; equal keys are a tie."""
    values = [_falling(entry.score, rule.decimals)]
    for measure in rule.ties:
        value = entry.measures.get(measure)
        if value is not None and not is_higher_better(measure):
            value = -value
        values.append(_falling(value, rule.tie_decimals))
    return tuple(values)


def _falling(value: float | None, decimals: int) -> float:
    return math.inf if value is None else -round(value, decimals)


def _counting(of_team: Sequence[BoardEntry], counts: Counting) -> BoardEntry:
    """Return the entry that counts, of a team's entries, best first."""
    if counts == "last":
        with_score = [each for each in of_team if each.score is not None]
        return max(with_score, key=lambda each: (each.submitted_at, each.id), default=of_team[0])
    if counts == "chosen":
        # A choice that has no score yet does not take the team off the board.
        return next((each for each in of_team if each.is_chosen and each.score is not None), of_team[0])
    return of_team[0]


def _ranks(ordered: Sequence[BoardEntry], keys: Mapping[str, Key]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for position, entry in enumerate(ordered, start=1):
        before = ordered[position - 2] if position > 1 else None
        is_tied = before is not None and keys[before.id] == keys[entry.id]
        ranks[entry.id] = ranks[before.id] if before is not None and is_tied else position
    return ranks


def _why_unranked(entry: BoardEntry) -> str:
    if entry.is_baseline:
        return "baseline"
    if entry.is_out_of_competition:
        return "out of competition"
    return entry.unscored or "no score yet"
