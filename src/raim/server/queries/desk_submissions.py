"""Submissions of all teams as organisers see them: with results under all versions, flags, and the worker's log."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.records import submissions as records
from raim.records.record import LARGEST_ID
from raim.server.current_challenge import CurrentChallenge, is_in_force
from raim.server.database import Comment, EntryResult, LogLine, Member, Phase, Submission, Team, User
from raim.server.jobs import Forecast
from raim.server.queries.pages import read_part
from raim.server.queries.submissions import describe_one, in_force, read_parts
from raim.server.submissions.comments import UNREAD
from raim.server.submissions.rescoring import unseen_flags

MOST_LINES = 500  # of the log, the newest


def read_history(
    session: Session,
    challenge: CurrentChallenge,
    forecast: Forecast,
    submission_id: int,
    *,
    result: int = 0,
) -> records.SubmissionHistory:
    """Return all that is known of a submission; `result` chooses the entry whose images are shown.

    Raises:
        UnknownNameError: There is none of that number.
    """
    row, fields, entry = describe_one(session, challenge, forecast, submission_id, for_team=False)
    entries = session.scalars(
        select(EntryResult).where(EntryResult.submission_id == submission_id).order_by(EntryResult.id.desc())
    ).all()
    shown = next((each for each in entries if each.id == result), entry)
    lines = select(LogLine).where(LogLine.submission_id == submission_id).order_by(LogLine.id.desc())
    login = select(User.login).join(Member, Member.user_id == User.id).where(Member.id == row.member_id)
    return records.SubmissionHistory.of_row(
        row,
        **fields,
        **read_parts(session, row, shown, for_team=False),
        login=session.scalars(login).one(),
        unseen_flags=sorted(unseen_flags(session, challenge).get(submission_id, {})),
        entries=[
            records.EntryScores.of_row(each, is_in_force=in_force(challenge, row, each)) for each in entries
        ],
        shown=None if shown is None else shown.id,
        log=[records.LogEntry.of_row(each) for each in session.scalars(lines.limit(MOST_LINES)).all()[::-1]],
    )


def list_of_every_team(
    session: Session,
    challenge: CurrentChallenge,
    *,
    team: str,
    phase: str,
    kind: str,
    state: str,
    flagged: str,
    page: str,
) -> records.EveryTeamsList:
    """Return a page of all teams' submissions, newest first; each of the words may be "".

    `flagged`: "unseen" for flags that nobody has looked at, "unread" for comments of the team that nobody has read.
    """
    asked: dict[str, Any] = {"team": team, "phase": phase, "kind": kind, "state": state, "flagged": flagged}
    found = (
        select(Submission, Team.name, Phase.title, EntryResult.score)
        .join(Team, Team.id == Submission.team_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(EntryResult, is_in_force(challenge))
        .where(Phase.challenge_id == challenge.id)
    )
    if team:
        found = found.where(Submission.team_id == min(int(team), LARGEST_ID))
    if phase:
        found = found.where(Phase.slug == phase)
    if kind:
        found = found.where(Submission.kind == kind)
    if state:
        found = found.where(Submission.state == state)
    if flagged == "unseen":
        found = found.where(Submission.id.in_(unseen_flags(session, challenge)))
    unread = select(Comment.submission_id).where(*UNREAD)
    if flagged == "unread":
        found = found.where(Submission.id.in_(unread))
    part = read_part(session, found, page, by=Submission.id)
    numbers = [row.id for row, *_ in part.rows]
    waiting = set(session.scalars(unread.where(Comment.submission_id.in_(numbers))))
    teams = select(Team.id, Team.name).where(Team.challenge_id == challenge.id).order_by(Team.name_key)
    phases = (
        select(Phase.slug, Phase.title).where(Phase.challenge_id == challenge.id).order_by(Phase.position)
    )
    return records.EveryTeamsList(
        submissions=[_line(*row, has_unread=row[0].id in waiting) for row in part.rows],
        teams={each.id: each.name for each in session.execute(teams)},
        phases={each.slug: each.title for each in session.execute(phases)},
        **(asked | part.place),
    )


def _line(
    row: Submission, team: str, phase: str, score: float | None, *, has_unread: bool
) -> records.SubmissionLine:
    return records.SubmissionLine.of_row(
        row,
        team=team,
        phase=phase,
        score=score,
        has_flags=bool(row.flags),
        has_unread=has_unread,
        is_asked_again=row.rescore_asked_at is not None,
        remark=row.error or row.note,
    )
