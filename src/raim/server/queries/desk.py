"""What the organisers' desk shows: how everything stands, phases, announcements, finalists, the checklist."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.records import desk as records
from raim.scoring.profiles import Profile
from raim.server.contest import Contest, Standing, StandingsCache, list_finalists, propose_finalists
from raim.server.contest.checklist import computed_points, manual_points
from raim.server.contest.versions import list_new_versions
from raim.server.database import Announcement, Finalist, Phase, Submission, Team, User
from raim.server.jobs.waiting import queue_overview
from raim.server.queries.pages import read_part
from raim.server.submissions.rescoring import unseen_flags

DAY = timedelta(days=1)
MOST_FAILURES = 20  # listed; all are counted
ANNOUNCEMENTS_PER_PAGE = 20  # each is a whole text


def read_overview(
    session: Session,
    contest: Contest,
    now: datetime,
    *,
    folder_free_bytes: int,
    storage_free_bytes: int | None,
) -> records.Overview:
    """Return how everything stands, in a number of queries that does not depend on how much there is."""
    failed = (Submission.where("is_restartable"), Submission.state_at > now - DAY)
    rows = session.execute(
        select(Submission, Team.name)
        .join(Team, Team.id == Submission.team_id)
        .where(*failed)
        .order_by(Submission.state_at.desc(), Submission.id.desc())
        .limit(MOST_FAILURES)
    )
    return records.Overview(
        phases=list_phases(session, contest, now).phases,
        queue=queue_overview(session, now),
        folder_free_bytes=folder_free_bytes,
        storage_free_bytes=storage_free_bytes,
        failures=[
            records.Failed.of_row(
                row, submission_id=row.id, team=team, failed_at=row.state_at, reason=row.error or ""
            )
            for row, team in rows
        ],
        n_failures=_count(session, *failed),
        n_waiting_teams=_count(session, Team.state == "waiting"),
        n_flagged=len(unseen_flags(session)),
        n_silent_finalists=_count(session, Finalist.accepted_at.is_(None), Finalist.declined_at.is_(None)),
        new_versions=list(list_new_versions(session, contest)),
    )


def list_phases(session: Session, contest: Contest, now: datetime) -> records.PhaseList:
    """Return all phases with their dates, and how many entries of each are scored."""
    counts = session.execute(
        select(Submission.phase_id, func.count(), func.count(Submission.rescore_asked_at))
        .where(Submission.where("has_score"))
        .group_by(Submission.phase_id)
    )
    scored = {phase_id: (n_scored, n_rescored) for phase_id, n_scored, n_rescored in counts}
    rows = {row.id: row for row in session.scalars(select(Phase).where(Phase.challenge_id == contest.id))}
    phases = []
    for phase in contest.challenge.phases:
        row = rows[contest.phase_ids[phase.id]]
        n_scored, n_rescored = scored.get(row.id, (0, 0))
        phases.append(
            records.PhaseDates.of_row(
                phase,
                state=contest.state(phase, now),
                stated_opens=row.stated_opens_at,
                stated_closes=row.stated_closes_at,
                paused_at=row.paused_at,
                is_scored=phase.scored is not None,
                n_scored=n_scored,
                n_rescored=n_rescored,
            )
        )
    return records.PhaseList(
        phases=phases, profile=contest.challenge.profile, scorer_version=contest.scorer_version
    )


def find_phase(session: Session, contest: Contest, phase_id: str) -> Phase:
    """Return the row of a phase.

    Raises:
        UnknownNameError: There is no such phase; the nearest is named.
    """
    return session.get_one(Phase, contest.phase_ids[contest.challenge.phase(phase_id).id])


def list_announcements(session: Session, contest: Contest, *, page: int) -> records.AnnouncementList:
    """Return a page of all announcements, those that were withdrawn too."""
    found = (
        select(Announcement, User.name)
        .join(User, User.id == Announcement.author_id)
        .where(Announcement.challenge_id == contest.id)
        .order_by(Announcement.id.desc())
    )
    part = read_part(session, found, page, per_page=ANNOUNCEMENTS_PER_PAGE)
    return records.AnnouncementList(
        announcements=[as_announcement(row, author) for row, author in part.rows], **part.place
    )


def as_announcement(row: Announcement, author: str) -> records.AnnouncementDetails:
    """Return the record of an announcement."""
    return records.AnnouncementDetails.of_row(row, author=author)


def list_places(
    session: Session, contest: Contest, standings: StandingsCache, profile: Profile
) -> records.FinalistList:
    """Return the finalists by place, and whom the leaderboard proposes with ties."""
    rule = contest.challenge.finalists
    if rule is None:
        return records.FinalistList()
    phase = contest.challenge.phase(rule.phase)
    board = standings.get(session, contest, phase, profile)
    proposal = propose_finalists(session, contest, board)
    rows = list_finalists(session, contest)
    by_team = {each.row.entry.team: each for each in board.rows if each.row.rank is not None}
    there = {str(each.team_id) for each in rows}
    names = {
        team.id: team.name
        for team in session.scalars(select(Team).where(Team.id.in_([each.team_id for each in rows])))
    }

    def candidate(team: str, replaces: str | None = None) -> records.Candidate:
        standing = by_team[team]
        return records.Candidate(
            team_id=int(team),
            team=standing.team,
            rank=standing.row.rank or 0,
            score=standing.row.entry.score,
            replaces=None if replaces is None else by_team[replaces].team,
            is_invited=team in there,
            is_tied_out=team in proposal.tied_out,
        )

    return records.FinalistList(
        places=rule.count,
        phase=phase.id,
        closes=phase.closes,
        n_old=sum(each.is_old_version for each in board.rows),
        invited=tuple(
            records.FinalistPlace.of_row(
                row,
                place=row.position,
                team=names[row.team_id],
                score=_score(by_team.get(str(row.team_id))),
                replaces=row.replaces_id,
                is_replaced=any(each.replaces_id == row.id for each in rows),
            )
            for row in rows
        ),
        proposed=tuple(candidate(each.team, each.replaces) for each in proposal.invited),
        waiting=tuple(candidate(team) for team in proposal.waiting),
        n_vacant=proposal.n_vacant,
    )


def read_checklist(session: Session, contest: Contest, now: datetime) -> records.Checklist:
    """Return all points before awards are given."""
    n_unseen = len(unseen_flags(session))
    return records.Checklist(
        computed=computed_points(session, now, contest, n_unseen_flags=n_unseen),
        manual=manual_points(session, contest),
        published_at=contest.results_published_at,
    )


def _score(standing: Standing | None) -> float | None:
    return None if standing is None else standing.row.entry.score


def _count(session: Session, *conditions: Any) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0
