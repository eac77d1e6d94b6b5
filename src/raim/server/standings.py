"""The leaderboard of a phase from its rows, kept as long as the challenge has the same version."""

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import BoardEntry, BoardRow, Phase, rank_entries
from raim.records.leaderboard import Line
from raim.server.current_challenge import CurrentChallenge, is_in_force
from raim.server.database import EntryResult, Submission, Team


class Standing(Line):
    """A line of the leaderboard with what only organisers and rankings need of it.

    Attributes:
        row: Rank and entry; its id is the submission's as text.
        is_old_version: It has no result under the versions in force.
    """

    row: BoardRow
    is_old_version: bool = False

    @classmethod
    def of(cls, row: BoardRow, **known: Any) -> "Standing":
        """Make the line of a rank; `known` is what the rank does not say."""
        return cls(
            row=row,
            rank=row.rank,
            score=row.entry.score,
            measures=dict(row.entry.measures),
            n_entries=row.n_entries,
            submitted_at=row.entry.submitted_at,
            why_unranked=row.why_unranked,
            **known,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Standings:
    """The leaderboard of one phase at one moment.

    Attributes:
        rows: Best first.
        scenarios: Names of the scenarios that entries have means for.
        history: For each team, its best score so far after each of its scored entries: (time, score).
        version: Of the challenge when they were made.
        scorer_version: Of the results that are in force.
    """

    rows: tuple[Standing, ...]
    scenarios: tuple[str, ...]
    history: Mapping[str, tuple[tuple[datetime, float], ...]]
    version: int
    scorer_version: str


@dataclass(slots=True)
class StandingsCache:
    """Leaderboards as they were last made; one for each phase of each challenge."""

    made: dict[tuple[int, str], tuple[int, Standings]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, session: Session, challenge: CurrentChallenge, phase: Phase, profile: Any) -> Standings:
        """Return the leaderboard of a phase."""
        key = challenge.id, phase.id
        found = self.made.get(key)
        if found is not None and found[0] == challenge.version:
            return found[1]
        with self.lock:  # one of many readers makes it, the others wait for it
            found = self.made.get(key)
            if found is None or found[0] != challenge.version:
                found = challenge.version, make_standings(session, challenge, phase, profile)
                self.made[key] = found
        return found[1]


def make_standings(session: Session, challenge: CurrentChallenge, phase: Phase, profile: Any) -> Standings:
    """Make the leaderboard of a phase's scored submissions."""
    boards: list[BoardEntry] = []
    teams: dict[str, str] = {}
    known: dict[str, dict[str, Any]] = {}
    for submission, team, result in _read_rows(session, challenge, phase):
        board = BoardEntry(
            id=str(submission.id),
            team=str(team.id),
            submitted_at=submission.received_at,
            score=None if result is None else result.score,
            measures={} if result is None else _numbers(result.measures),
            unscored=(_why_old(challenge, submission) if result is None else result.unscorable) or "",
            is_chosen=submission.is_chosen,
            is_baseline=team.is_baseline,
            is_out_of_competition=team.is_out_of_competition
            or submission.is_out_of_competition
            or team.state == "merged",
        )
        boards.append(board)
        teams[board.team] = team.name
        by_scenario = {} if result is None else result.scenarios
        known[board.id] = {
            "team": team.name,
            "submission_id": submission.id,
            "is_verified": submission.is_verified,
            "scenarios": {name: _numbers(each) for name, each in by_scenario.items()},
            "is_old_version": result is None,
        }
    definition = challenge.definition
    rule = replace(definition.leaderboard, counts=definition.counting(phase))
    ranked = rank_entries(boards, rule=rule, is_higher_better=profile.is_higher_better)
    rows = tuple(Standing.of(row, **known[row.entry.id]) for row in ranked)
    return Standings(
        rows=rows,
        scenarios=tuple(sorted({name for each in rows for name in each.scenarios})),
        history=_history(boards, teams),
        version=challenge.version,
        scorer_version=challenge.in_force[phase.scored.on][0] if phase.scored else challenge.scorer_version,
    )


def _read_rows(session: Session, challenge: CurrentChallenge, phase: Phase) -> Iterable[Any]:
    return session.execute(
        select(Submission, Team, EntryResult)
        .join(Team, Team.id == Submission.team_id)
        .outerjoin(EntryResult, is_in_force(challenge))
        .where(
            Submission.phase_id == challenge.phase_ids[phase.id],
            Submission.kind == "scored",
            Submission.where("has_score"),
            Team.state.in_(("approved", "merged")),
        )
        .order_by(Submission.received_at, Submission.id)
    )


def _why_old(challenge: CurrentChallenge, submission: Submission) -> str:
    """Return why a scored entry has no result of the versions in force."""
    data_set = challenge.data_set_of_row(submission.data_set_id)
    if challenge.in_force[data_set] != challenge.newest[data_set]:
        return "is scored under a new version, which is not in force yet"
    return "is being scored again" if submission.rescore_asked_at else "was scored under an older version"


def _numbers(values: Mapping[str, Any]) -> dict[str, float | None]:
    """Read numbers from JSON, where an infinite one is a word."""
    return {name: None if value is None else float(value) for name, value in values.items()}


def _history(
    boards: Iterable[BoardEntry], teams: Mapping[str, str]
) -> dict[str, tuple[tuple[datetime, float], ...]]:
    best: dict[str, list[tuple[datetime, float]]] = {}
    for entry in boards:
        if entry.score is None or not math.isfinite(entry.score) or not entry.is_competing:
            continue
        line = best.setdefault(teams[entry.team], [])
        line.append((entry.submitted_at, max(entry.score, line[-1][1]) if line else entry.score))
    return {team: tuple(line) for team, line in best.items()}
