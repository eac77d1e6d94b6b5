"""Ties of judges to teams: stated by an organiser until the judge begins, or found by an e-mail address."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError
from raim.server.auditing import record_event
from raim.server.database import Judge, Member, Study, StudyEntry, Submission, Team, Tie, User

STATED = "stated by an organiser"


def change_ties(
    session: Session, now: datetime, judge: Judge, team_ids: Collection[int], *, actor_id: int
) -> None:
    """Write down which teams of the study a judge has a tie to; found ones that stay ticked keep their reason.

    Raises:
        InputError: A team is not in the study.
        StateError: The judge has begun, so their trials are drawn; or such a judge does not vote in this study.
    """
    study = session.get_one(Study, judge.study_id)
    wanted = set(team_ids)
    if judge.begun_at is not None:
        raise StateError(
            f"{judge.name} has begun and has their trials; revoke the invitation, and invite them again with the ties"
        )
    if wanted and study.design["conflicts"] == "exclude-judge":
        raise StateError(
            "in this study a judge with a tie does not vote: revoke the invitation in place of this"
        )
    check_teams(session, study, wanted)
    there = set(session.scalars(select(Tie.team_id).where(Tie.judge_id == judge.id)))
    session.execute(delete(Tie).where(Tie.judge_id == judge.id, Tie.team_id.not_in(wanted)))
    for team_id in sorted(wanted - there):
        session.add(Tie(judge_id=judge.id, team_id=team_id, reason=STATED))
    record_event(session, now, "change ties", judge, actor_id=actor_id, team_ids=sorted(wanted))


def check_teams(session: Session, study: Study, team_ids: Collection[int]) -> None:
    """Refuse teams that a study does not compare.

    Raises:
        InputError: One is not in it.
    """
    strangers = set(team_ids) - teams_in_study(session, study)
    if strangers:
        raise InputError(f"team {min(strangers)} is not in this study")


def teams_in_study(session: Session, study: Study) -> set[int]:
    """Return the rows of the teams in a study."""
    found = select(Submission.team_id).join(StudyEntry, StudyEntry.submission_id == Submission.id)
    return set(session.scalars(found.where(StudyEntry.study_id == study.id)))


def ties_of(session: Session, study: Study) -> dict[int, dict[int, str]]:
    """Return for each judge of a study the teams they have a tie to, with the reason."""
    rows = session.execute(
        select(Tie.judge_id, Tie.team_id, Tie.reason)
        .join(Judge, Judge.id == Tie.judge_id)
        .where(Judge.study_id == study.id)
    )
    found: dict[int, dict[int, str]] = {}
    for judge_id, team_id, reason in rows:
        found.setdefault(judge_id, {})[team_id] = reason
    return found


def find_ties(session: Session, study: Study, email: str | None) -> dict[int, str]:
    """Return the teams of the study that have a member who has verified this e-mail address, with the reason.

    An address that is not verified is no tie: a team could keep anybody from judging by typing theirs.
    """
    if not email:
        return {}
    rows = session.execute(
        select(Member.team_id, User.name)
        .join(User, User.id == Member.user_id)
        .where(
            func.lower(User.email) == email.strip().lower(),
            User.email_verified_at.is_not(None),
            Member.team_id.in_(teams_in_study(session, study)),
        )
    )
    return {
        team_id: f"a member of the team has verified this e-mail address: {name}" for team_id, name in rows
    }


def shared_addresses(session: Session, study: Study) -> dict[int, str]:
    """Return for each judge whose e-mail address an account in a team of the study has what to ask them."""
    rows = session.execute(
        select(Judge.id, Team.name, User.email_verified_at)
        .join(User, func.lower(User.email) == func.lower(Judge.email))
        .join(Member, Member.user_id == User.id)
        .join(Team, Team.id == Member.team_id)
        .where(Judge.study_id == study.id, Team.id.in_(teams_in_study(session, study)))
        .order_by(User.email_verified_at.is_not(None), Team.name)  # what is verified is named, if anything is
    )
    words = "an account of {} has this e-mail address, {}verified: {}"
    return {
        judge_id: words.format(
            team, *(("not ", "ask whether they have a tie") if at is None else ("", "a tie"))
        )
        for judge_id, team, at in rows
    }


def hidden_entries(session: Session, judge: Judge) -> frozenset[str]:
    """Return the codes of the entries that a judge must not see, since they have a tie to the team."""
    return frozenset(
        session.scalars(
            select(StudyEntry.code)
            .join(Submission, Submission.id == StudyEntry.submission_id)
            .join(Tie, Tie.team_id == Submission.team_id)
            .where(Tie.judge_id == judge.id, StudyEntry.study_id == judge.study_id)
        )
    )
