"""What the organisers' desk shows: how everything stands, phases, announcements, finalists, the checklist."""

from datetime import datetime, timedelta

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.orm import Session

from raim.records import desk as records
from raim.scoring.profiles import Profile
from raim.server.actions.finalists import list_finalists, propose_finalists
from raim.server.actions.versions import list_new_versions
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import Announcement, Comment, Finalist, Phase, Submission, Team, User
from raim.server.jobs import Forecast, read_queue
from raim.server.queries.checklist import computed_points, manual_points
from raim.server.queries.pages import read_part
from raim.server.standings import Standing, StandingsCache
from raim.server.submissions.comments import UNREAD
from raim.server.submissions.kept import as_kept, read_kept
from raim.server.submissions.rescoring import unseen_flags

DAY = timedelta(days=1)
MOST_FAILURES = 20  # listed; all are counted
ANNOUNCEMENTS_PER_PAGE = 20  # each is a whole text


# Queries of what is counted at the desk, and of the newest failures: of `challenge_id`, failures `since` a time.
_here: BindParameter[int] = bindparam("challenge_id")
_phases = select(Phase.id).where(Phase.challenge_id == _here)
_own = Submission.phase_id.in_(_phases)
_failed = _own, Submission.where("is_restartable"), Submission.state_at > bindparam("since")
_counted = {
    "n_failures": _failed,
    "n_waiting_teams": (Team.challenge_id == _here, Team.state == "waiting"),
    "n_unread": (_own, Comment.submission_id == Submission.id, *UNREAD),
    "n_silent_finalists": (
        Finalist.phase_id.in_(_phases),
        Finalist.accepted_at.is_(None),
        Finalist.declined_at.is_(None),
    ),
}
COUNTS = select(
    *(select(func.count()).where(*each).scalar_subquery().label(name) for name, each in _counted.items())
)
FAILURES = (
    select(Submission, Team.name)
    .join(Team, Team.id == Submission.team_id)
    .where(*_failed)
    .order_by(Submission.state_at.desc(), Submission.id.desc())
    .limit(MOST_FAILURES)
)


def read_overview(
    session: Session,
    challenge: CurrentChallenge,
    now: datetime,
    *,
    forecast: Forecast,
    folder_free_bytes: int,
    storage_free_bytes: int | None,
    bundle_bytes: int,
) -> records.Overview:
    """Return how everything stands, in a number of queries that does not depend on how much there is."""
    of_late = {"challenge_id": challenge.id, "since": now - DAY}
    counts = session.execute(COUNTS, of_late).one()
    failures = session.execute(FAILURES, of_late).all() if counts.n_failures else []
    return records.Overview(
        phases=list_phases(session, challenge, now).phases,
        queue=read_queue(session, forecast, challenge),
        folder_free_bytes=folder_free_bytes,
        storage_free_bytes=storage_free_bytes,
        kept=as_kept(read_kept(session, challenge_id=challenge.id).get(None, {}), challenge.quota_bytes),
        bundle_bytes=bundle_bytes,
        failures=[
            records.Failed.of_row(
                row, submission_id=row.id, team=team, failed_at=row.state_at, reason=row.error or ""
            )
            for row, team in failures
        ],
        n_flagged=len(unseen_flags(session, challenge)),
        **counts._asdict(),
        new_versions=list(list_new_versions(session, challenge)),
    )


def list_phases(session: Session, challenge: CurrentChallenge, now: datetime) -> records.PhaseList:
    """Return all phases with their dates, and how many entries of each are scored."""
    counts = session.execute(
        select(Submission.phase_id, func.count(), func.count(Submission.rescore_asked_at))
        .where(Submission.phase_id.in_(challenge.phase_ids.values()), Submission.where("has_score"))
        .group_by(Submission.phase_id)
    )
    scored = {phase_id: (n_scored, n_rescored) for phase_id, n_scored, n_rescored in counts}
    rows = {row.id: row for row in session.scalars(select(Phase).where(Phase.challenge_id == challenge.id))}
    phases = []
    for phase in challenge.definition.phases:
        row = rows[challenge.phase_ids[phase.id]]
        n_scored, n_rescored = scored.get(row.id, (0, 0))
        phases.append(
            records.PhaseDates.of_row(
                phase,
                state=challenge.state(phase, now),
                stated_opens=row.stated_opens_at,
                stated_closes=row.stated_closes_at,
                paused_at=row.paused_at,
                is_scored=phase.scored is not None,
                n_scored=n_scored,
                n_rescored=n_rescored,
                extensions=challenge.extensions.get(phase.id, ()),
            )
        )
    return records.PhaseList(
        phases=phases, profile=challenge.definition.profile, scorer_version=challenge.scorer_version
    )


def find_phase_row(session: Session, challenge: CurrentChallenge, phase_id: str) -> Phase:
    """Return the row of a phase.

    Raises:
        UnknownNameError: There is no such phase; the nearest is named.
    """
    return session.get_one(Phase, challenge.phase_ids[challenge.definition.phase(phase_id).id])


def list_announcements(
    session: Session, challenge: CurrentChallenge, *, page: str
) -> records.AnnouncementList:
    """Return a page of all announcements, those that were withdrawn too."""
    found = (
        select(Announcement, User.name)
        .join(User, User.id == Announcement.author_id)
        .where(Announcement.challenge_id == challenge.id)
    )
    part = read_part(session, found, page, by=Announcement.id, per_page=ANNOUNCEMENTS_PER_PAGE)
    return records.AnnouncementList(
        announcements=[as_announcement(row, author) for row, author in part.rows], **part.place
    )


def as_announcement(row: Announcement, author: str) -> records.AnnouncementDetails:
    """Return the record of an announcement."""
    return records.AnnouncementDetails.of_row(row, author=author)


def list_places(
    session: Session, challenge: CurrentChallenge, standings: StandingsCache, profile: Profile
) -> records.FinalistList:
    """Return the finalists by place, and whom the leaderboard proposes with ties."""
    rule = challenge.definition.finalists
    if rule is None:
        return records.FinalistList()
    phase = challenge.definition.phase(rule.phase)
    board = standings.get(session, challenge, phase, profile)
    proposal = propose_finalists(session, challenge, board)
    rows = list_finalists(session, challenge)
    by_team = {each.row.entry.team: each for each in board.rows if each.row.rank is not None}
    there = {str(each.team_id) for each in rows}
    names = {
        team.id: team.name
        for team in session.scalars(select(Team).where(Team.id.in_([each.team_id for each in rows])))
    }

    def candidate(team: str, replaces: str | None = None) -> records.FinalistCandidate:
        standing = by_team[team]
        return records.FinalistCandidate(
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


def read_checklist(session: Session, challenge: CurrentChallenge, now: datetime) -> records.Checklist:
    """Return all points before awards are given."""
    n_unseen = len(unseen_flags(session, challenge))
    return records.Checklist(
        computed=computed_points(session, now, challenge, n_unseen_flags=n_unseen),
        manual=manual_points(session, challenge),
        published_at=challenge.results_published_at,
    )


def _score(standing: Standing | None) -> float | None:
    return None if standing is None else standing.row.entry.score
