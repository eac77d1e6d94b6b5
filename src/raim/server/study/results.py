"""What a revealed study says: its analysis, and the final ranking that joins it with the scores."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Weights
from raim.challenge.ranking import Entrant, FinalRanking, RankedTeam, rank_teams
from raim.scoring.profiles import Profile
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Study
from raim.server.standings import Standings, StandingsCache
from raim.server.study.ballots import (
    NamedEntry,
    collect_ballots,
    judge_names,
    list_study_entries,
    real_judges,
)
from raim.study import Ballots
from raim.study.findings import Analysis, JudgedEntry

DRAWS = 2000
KEPT = 4  # studies


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyOutcome:
    """The results of a study.

    Attributes:
        study_id: Its row.
        title: Of the study.
        entries: With their teams.
        ballots: Every vote that counts.
        analysis: Points, intervals, agreement, flags.
        scores: S2 of each team: its counting entry's on the leaderboard that chose the finalists.
        ranking: Final scores, ranks, awards; without the judges who are excluded.
        with_everyone: The ranking with all judges; None if nobody is excluded.
        excluded: For each judge whose votes are left out of the main result: why.
        is_simulated: The votes were made by a program.
    """

    study_id: int
    title: str
    entries: tuple[NamedEntry, ...]
    ballots: Ballots
    analysis: Analysis
    scores: Mapping[str, float | None]
    ranking: FinalRanking
    with_everyone: FinalRanking | None
    excluded: Mapping[str, str]
    is_simulated: bool

    def found(self, team: str) -> JudgedEntry | None:
        """Return what the votes say about a team; None for one that was not judged."""
        return next((each for each in self.analysis.entries if each.entry == team), None)


@dataclass(slots=True)
class ResultsCache:
    """Results as they were last made; one for each study and version of the challenge."""

    made: dict[tuple[int, int], StudyOutcome] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(
        self,
        session: Session,
        challenge: CurrentChallenge,
        study: Study,
        *,
        standings: StandingsCache,
        profile: Profile,
    ) -> StudyOutcome:
        """Return the results of a study.

        Raises:
            StateError: It is not revealed.
        """
        key = (study.id, challenge.version)
        with self.lock:
            found = self.made.get(key)
            if found is None:
                board = deciding_standings(session, challenge, standings, profile)
                found = make_results(session, challenge, study, board)
                while len(self.made) >= KEPT:
                    self.made.pop(next(iter(self.made)))
                self.made[key] = found
        return found


def make_results(
    session: Session,
    challenge: CurrentChallenge,
    study: Study,
    board: Standings | None,
    *,
    n_draws: int = DRAWS,
) -> StudyOutcome:
    """Analyse a revealed study and rank its teams.

    The scores of the board are S2; a challenge that scores nothing has none.

    Raises:
        StateError: It is not revealed.
    """
    from raim.study import analyse

    ballots = collect_ballots(session, study)
    entries = tuple(list_study_entries(session, study))
    judges = real_judges(session, study)
    names = judge_names(judges)
    excluded = {names[judge.id]: judge.excluded_reason for judge in judges if judge.excluded_reason}
    left_out = {each.team: each.row.left_out_reason for each in entries if each.row.left_out_reason}
    by_id = {} if board is None else {each.row.entry.team: each.row.entry for each in reversed(board.rows)}
    counting = {each.team: by_id.get(str(each.team_id)) for each in entries}
    own = {team: None if entry is None else entry.score for team, entry in counting.items()}
    unscored = {team: entry.unscored for team, entry in counting.items() if entry and entry.score is None}
    decimals = challenge.definition.leaderboard.decimals
    analysis = analyse(
        ballots,
        scores={team: score for team, score in own.items() if score is not None},
        weights=challenge.definition.weights,
        left_out=frozenset(left_out),
        incomplete=unscored,
        excluded_judges=frozenset(excluded),
        decimals=decimals,
        seed=study.design["seed"],
        n_draws=n_draws,
    )

    def rank(found: Iterable[JudgedEntry]) -> FinalRanking:
        points = {row.entry: row.points.value for row in found}
        entrants = [
            Entrant(
                team=team,
                score=own[team],
                points=points.get(team),
                left_out=left_out.get(team, ""),
                incomplete=unscored.get(team, ""),
            )
            for team in own
        ]
        return rank_teams(
            entrants,
            weights=challenge.definition.weights,
            decimals=decimals,
            awards=challenge.definition.awards,
        )

    return StudyOutcome(
        study_id=study.id,
        title=study.title,
        entries=entries,
        ballots=ballots,
        analysis=analysis,
        scores=own,
        ranking=rank(analysis.entries),
        with_everyone=rank(analysis.with_everyone) if analysis.with_everyone else None,
        excluded=excluded,
        is_simulated=study.is_simulated,
    )


def newest_revealed(session: Session, challenge: CurrentChallenge) -> Study | None:
    """Return the study whose results are the challenge's: of the revealed ones the one that was revealed last."""
    return session.scalar(
        select(Study)
        .where(Study.challenge_id == challenge.id, Study.state == "revealed")
        .order_by(Study.revealed_at.desc(), Study.id.desc())
        .limit(1)
    )


def deciding_standings(
    session: Session, challenge: CurrentChallenge, standings: StandingsCache, profile: Profile
) -> Standings | None:
    """Return the leaderboard whose scores enter the final ranking: of the phase that chooses finalists.

    Without finalists it is the last phase that scores; None for a challenge that scores nothing.
    """
    definition = challenge.definition
    scored = [phase for phase in definition.phases if phase.scored is not None]
    if definition.finalists is not None:
        phase = definition.phase(definition.finalists.phase)
    elif scored:
        phase = scored[-1]
    else:
        return None
    return standings.get(session, challenge, phase, profile)


def rank_by_score(
    session: Session, challenge: CurrentChallenge, standings: StandingsCache, profile: Profile
) -> FinalRanking:
    """Rank the teams of a challenge without a study: SCORE alone decides; who has none comes last, with the reason."""
    found = deciding_standings(session, challenge, standings, profile)
    entrants = [
        Entrant(
            team=each.team,
            score=each.row.entry.score,
            incomplete="" if each.row.rank else each.row.why_unranked,
        )
        for each in (found.rows if found else ())
        if each.row.entry.is_competing
    ]
    return rank_teams(
        entrants,
        weights=Weights(score=1.0, study=0.0),
        decimals=challenge.definition.leaderboard.decimals,
        awards=challenge.definition.awards,
    )


def all_rows(ranking: FinalRanking) -> tuple[RankedTeam, ...]:
    """Return every team of a ranking, those that were left out last."""
    return (*ranking.rows, *ranking.left_out)
