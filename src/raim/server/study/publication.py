"""The final ranking as people see it, and as it was published: a stored row that only publishing again replaces."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge.ranking import FinalRanking
from raim.errors import StateError
from raim.scoring.profiles import Profile
from raim.server.auditing import record_event
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Challenge, PublishedRanking
from raim.server.standings import StandingsCache
from raim.server.study.closing import studies_under_way
from raim.server.study.results import ResultsCache, deciding_standings, newest_revealed, rank_by_score
from raim.study.findings import Analysis, JudgedEntry

SCHEMA = "raim-ranking/1"
Charts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChallengeOutcome:
    """What a challenge has come to: all that the page of results shows.

    Attributes:
        title: Of the study; of the challenge where SCORE alone decides.
        study_id: The study that decides; None where SCORE alone does.
        is_simulated: A program made the votes.
        n_teams: Teams that were judged.
        ranking: The final ranking; without the judges who are excluded.
        analysis: What the votes say, without names of judges; None without a study.
        with_everyone: The ranking with all judges; None if nobody is excluded.
        excluded: For each judge whose votes are left out of the ranking: why.
    """

    __pydantic_config__ = ConfigDict(ser_json_inf_nan="strings")

    title: str
    study_id: int | None = None
    is_simulated: bool = False
    n_teams: int = 0
    ranking: FinalRanking
    analysis: Analysis | None = None
    with_everyone: FinalRanking | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)

    def found(self, team: str) -> JudgedEntry | None:
        """Return what the votes say about a team; None for one that was not judged."""
        entries = () if self.analysis is None else self.analysis.entries
        return next((each for each in entries if each.entry == team), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A ranking as it was published.

    Attributes:
        id: Of its row.
        published_at: When.
        outcome: None if there was no ranking yet when the gallery was published.
        charts: Names of the charts that were drawn then.
    """

    id: int
    published_at: datetime
    outcome: ChallengeOutcome | None
    charts: tuple[str, ...]


def find_outcome(
    session: Session,
    challenge: CurrentChallenge,
    *,
    standings: StandingsCache,
    results: ResultsCache,
    profile: Profile,
) -> ChallengeOutcome | None:
    """Return the final ranking as it would be published now; None while judges vote, or a study is to come."""
    study = newest_revealed(session, challenge)
    if study is not None:
        found = results.get(session, challenge, study, standings=standings, profile=profile)
        return ChallengeOutcome(
            title=found.title,
            study_id=study.id,
            is_simulated=found.is_simulated,
            n_teams=len(found.entries),
            ranking=found.ranking,
            analysis=replace(found.analysis, names={}),
            with_everyone=found.with_everyone,
            excluded=found.excluded,
        )
    if challenge.definition.study is not None or studies_under_way(session, challenge):
        return None
    ranking = rank_by_score(session, challenge, standings, profile)
    return ChallengeOutcome(title=challenge.definition.name, ranking=ranking) if ranking.rows else None


def check_may_publish(session: Session, challenge: CurrentChallenge) -> None:
    """Refuse to show names beside images while a study is under way.

    Raises:
        StateError: One is open, or closed and not revealed.
    """
    found = studies_under_way(session, challenge)
    if found:
        study = found[0]
        way_out = "close and reveal it" if study.state == "open" else "reveal it"
        raise StateError(
            f"the study “{study.title}” is {study.state}: while it is, nobody may connect teams with images; "
            f"{way_out}, or put it aside, then publish"
        )


def publish(
    session: Session,
    now: datetime,
    challenge: CurrentChallenge,
    outcome: ChallengeOutcome | None,
    charts: Charts,
    *,
    standings: StandingsCache,
    profile: Profile,
    actor_id: int,
) -> None:
    """Show ranking and gallery to everybody, the ranking as it is now, with its charts (SVG by name and theme)."""
    row = session.get_one(Challenge, challenge.id)
    board = deciding_standings(session, challenge, standings, profile)
    record = {
        "schema": SCHEMA,
        "outcome": None if outcome is None else json.loads(TypeAdapter(ChallengeOutcome).dump_json(outcome)),
        "charts": list(charts),
        "made_of": {
            "version": challenge.version,
            "definition_sha256": row.definition_sha256,
            "scored_under": {slug: list(pair) for slug, pair in challenge.in_force.items()},
            "entries": [
                {
                    "team": each.team,
                    "submission_id": each.submission_id,
                    "score": _plain(each.row.entry.score),
                    "measures": {name: _plain(value) for name, value in each.row.entry.measures.items()},
                }
                for each in (() if board is None else board.rows)
            ],
        },
    }
    session.add(
        PublishedRanking(
            challenge_id=challenge.id,
            published_at=now,
            published_by=actor_id,
            record=record,
            charts={name: dict(themes) for name, themes in charts.items()},
        )
    )
    row.results_published_at = row.results_published_at or now
    record_event(session, now, "publish results", row, actor_id=actor_id)


def hide(session: Session, now: datetime, challenge: CurrentChallenge, *, actor_id: int) -> None:
    """Show ranking and gallery to organisers only; what was published stays in the database."""
    row = session.get_one(Challenge, challenge.id)
    row.results_published_at = None
    record_event(session, now, "hide results", row, actor_id=actor_id)


def read_published(session: Session, challenge: CurrentChallenge) -> Published | None:
    """Return the ranking that was published last; None before."""
    columns = (PublishedRanking.id, PublishedRanking.published_at, PublishedRanking.record)
    row = session.execute(
        select(*columns)
        .where(PublishedRanking.challenge_id == challenge.id)
        .order_by(PublishedRanking.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    outcome, charts = row.record["outcome"], tuple(row.record["charts"])
    read = None if outcome is None else TypeAdapter(ChallengeOutcome).validate_python(outcome)
    return Published(id=row.id, published_at=row.published_at, outcome=read, charts=charts)


def _plain(value: float | None) -> Any:
    """Return a number as JSON has it, an infinite one as a word."""
    return value if value is None or abs(value) < float("inf") else str(value)
