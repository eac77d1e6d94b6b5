"""The leaderboard of a phase from its rows, kept as long as the challenge has the same version."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import BoardEntry, BoardRow, Phase, rank_entries
from raim.server.contest.contest import Contest
from raim.server.contest.versions import is_in_force
from raim.server.database import EntryResult, Submission, Team


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A line of the leaderboard with what pages show beside the rank.

    Attributes:
        row: Rank and entry; its id is the submission's as text.
        team: Name of the team.
        submission_id: The entry.
        is_verified: An organiser has verified it.
        scenarios: Means for each scenario.
        is_old_version: It has no result under the versions in force.
    """

    row: BoardRow
    team: str
    submission_id: int
    is_verified: bool
    scenarios: Mapping[str, Mapping[str, float | None]]
    is_old_version: bool = False


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
    """Leaderboards as they were last made; one for each phase."""

    made: dict[tuple[str, int], Standings] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, session: Session, contest: Contest, phase: Phase, profile: Any) -> Standings:
        """Give the leaderboard of a phase."""
        key = (phase.id, contest.version)
        found = self.made.get(key)
        if found is not None:
            return found
        with self.lock:  # one of many readers makes it, the others wait for it
            found = self.made.get(key)
            if found is None:
                found = make_standings(session, contest, phase, profile)
                for old in [each for each in self.made if each[0] == phase.id]:
                    del self.made[old]
                self.made[key] = found
        return found


def make_standings(session: Session, contest: Contest, phase: Phase, profile: Any) -> Standings:
    """Make the leaderboard of a phase's scored submissions.

    Args:
        session: Any session.
        contest: The challenge in force.
        phase: One of its phases.
        profile: The scoring profile, which knows the direction of each measure.
    """
    found = _read_entries(session, contest, phase)
    by_id = {entry.row_id: entry for entry in found}
    ranked = rank_entries(
        [entry.board for entry in found],
        rule=contest.challenge.leaderboard,
        is_higher_better=profile.is_higher_better,
    )
    rows = tuple(_standing(row, by_id[row.entry.id]) for row in ranked)
    names = sorted({name for entry in found for name in entry.scenarios})
    return Standings(
        rows=rows,
        scenarios=tuple(names),
        history=_history(found),
        version=contest.version,
        scorer_version=contest.scorer_version
        if phase.scored is None
        else contest.in_force[phase.scored.on][0],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    row_id: str
    board: BoardEntry
    team: str
    submission_id: int
    is_verified: bool
    scenarios: Mapping[str, Mapping[str, float | None]]
    is_old_version: bool


def _read_entries(session: Session, contest: Contest, phase: Phase) -> list[_Entry]:
    rows = session.execute(
        select(Submission, Team, EntryResult)
        .join(Team, Team.id == Submission.team_id)
        .outerjoin(EntryResult, is_in_force(contest))
        .where(
            Submission.phase_id == contest.phase_ids[phase.id],
            Submission.kind == "scored",
            Submission.where("has_score"),
            Team.state == "approved",
        )
        .order_by(Submission.received_at, Submission.id)
    )
    new = {
        contest.data_set_ids[slug] for slug, pair in contest.in_force.items() if pair != contest.newest[slug]
    }
    return [_entry(each, team, result, is_new=each.data_set_id in new) for each, team, result in rows]


def _entry(submission: Submission, team: Team, result: EntryResult | None, *, is_new: bool) -> _Entry:
    board = BoardEntry(
        id=str(submission.id),
        team=str(team.id),
        submitted_at=submission.received_at,
        score=None if result is None else result.score,
        measures={} if result is None else _numbers(result.measures),
        unscored=(_why_old(submission, is_new=is_new) if result is None else result.unscorable) or "",
        is_chosen=submission.is_chosen,
        is_baseline=team.is_baseline,
        is_out_of_competition=team.is_out_of_competition or submission.is_out_of_competition,
    )
    return _Entry(
        row_id=board.id,
        board=board,
        team=team.name,
        submission_id=submission.id,
        is_verified=submission.is_verified,
        scenarios={} if result is None else {name: _numbers(each) for name, each in result.scenarios.items()},
        is_old_version=result is None,
    )


def _why_old(submission: Submission, *, is_new: bool) -> str:
    """Say why a scored entry has no result of the versions in force."""
    if is_new:
        return "is scored under a new version, which is not in force yet"
    return "is being scored again" if submission.rescore_asked_at else "was scored under an older version"


def _numbers(values: Mapping[str, Any]) -> dict[str, float | None]:
    """Read numbers from JSON, where an infinite one is a word."""
    return {name: None if value is None else float(value) for name, value in values.items()}


def _standing(row: BoardRow, entry: _Entry) -> Standing:
    return Standing(
        row=row,
        team=entry.team,
        submission_id=entry.submission_id,
        is_verified=entry.is_verified,
        scenarios=entry.scenarios,
        is_old_version=entry.is_old_version,
    )


def _history(entries: list[_Entry]) -> dict[str, tuple[tuple[datetime, float], ...]]:
    best: dict[str, list[tuple[datetime, float]]] = {}
    for entry in entries:
        score = entry.board.score
        if score is None or not entry.board.is_competing:
            continue
        line = best.setdefault(entry.team, [])
        line.append((entry.board.submitted_at, max(score, line[-1][1]) if line else score))
    return {team: tuple(line) for team, line in best.items()}
