"""Judges: invited by a link of their own, reminded, revoked, excluded; their ties to teams."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError
from raim.server.actions.accounts import check_name
from raim.server.auditing import record_event
from raim.server.database import Judge, JudgeLink, Member, Study, StudyEntry, Submission, Team, Tie, User
from raim.server.study.ties import teams_of
from raim.server.tokens import hash_token, make_token

LONGEST_REASON = 500


def invite_judge(
    session: Session,
    now: datetime,
    study: Study,
    *,
    name: str,
    email: str | None = None,
    ties: Mapping[int, str] | None = None,
    is_preview: bool = False,
    actor_id: int | None,
) -> tuple[Judge, str]:
    """Add a judge and make their link.

    Args:
        session: A writing session.
        now: The time.
        study: In draft or open.
        name: As organisers see it; nobody else does.
        email: For the organiser's mail; may be missing.
        ties: For teams that the judge has a tie to (a member, the same laboratory): why.
        is_preview: An organiser who looks at the pages; their votes are no votes.
        actor_id: Who invites.

    Returns:
        The judge and the token of the link, which is not kept.

    Raises:
        InputError: The name is not usable.
        StateError: The study takes no judges any more, or a tie that is stated rules the judge out.
    """
    if study.state not in {"draft", "open"}:
        raise StateError(f"the study is {study.state}; judges are invited while it is a draft or open")
    ties = dict(ties or {})
    if study.design["conflicts"] == "hide-tile":
        ties = {**find_ties(session, study, email), **ties}
    elif ties:
        raise StateError(
            f"{name} has a tie to {_names(session, ties)}, and the study's rule is that such a judge does not vote; "
            'invite somebody else, or build the study with conflicts = "hide-tile"'
        )
    newest = session.scalar(select(func.max(Judge.number)).where(Judge.study_id == study.id)) or 0
    judge = Judge(
        study_id=study.id,
        number=newest + 1,
        name=check_name(name, "judge's name"),
        email=email or None,
        is_preview=is_preview,
        invited_at=now,
    )
    session.add(judge)
    session.flush()
    for team_id, reason in ties.items():
        session.add(Tie(judge_id=judge.id, team_id=team_id, reason=reason[:LONGEST_REASON]))
    details: dict[str, Any] = {"ties": sorted(ties), "preview": is_preview}
    record_event(session, now, "invite judge", judge, actor_id=actor_id, **details)
    return judge, _make_link(session, now, judge)


def find_ties(session: Session, study: Study, email: str | None) -> dict[int, str]:
    """Give the teams of the study that an account with this e-mail address is a member of, with the reason.

    Nobody verifies addresses, so this rules no judge out: a team could keep anybody from judging.
    """
    if not email:
        return {}
    rows = session.execute(
        select(Member.team_id, User.name)
        .join(User, User.id == Member.user_id)
        .where(func.lower(User.email) == email.strip().lower(), Member.team_id.in_(teams_of(session, study)))
    )
    return {team_id: f"a member of the team has this e-mail address: {name}" for team_id, name in rows}


def shared_addresses(session: Session, study: Study) -> dict[int, str]:
    """Give for each judge whose e-mail address an account in a team of the study has what to ask them."""
    rows = session.execute(
        select(Judge.id, Team.name)
        .join(User, func.lower(User.email) == func.lower(Judge.email))
        .join(Member, Member.user_id == User.id)
        .join(Team, Team.id == Member.team_id)
        .where(Judge.study_id == study.id, Team.id.in_(teams_of(session, study)))
    )
    words = "an account of {} has this e-mail address, which is not verified: ask whether they have a tie"
    return {judge_id: words.format(team) for judge_id, team in rows}


def replaced_judges(judges: Sequence[Judge]) -> set[int]:
    """Give the rows of revoked judges who were invited again: of one person only the other invitation's votes count."""
    return {
        old.id
        for old in judges
        if old.revoked_at is not None
        and any(
            _is_same_person(old, other) and (other.revoked_at is None or other.number > old.number)
            for other in judges
        )
    }


def remind_judge(session: Session, now: datetime, judge: Judge, *, actor_id: int | None) -> str:
    """Make a further link, to be sent with a reminder; the earlier ones go on working.

    Raises:
        StateError: The judge has finished or is revoked.
    """
    if judge.finished_at is not None:
        raise StateError(f"{judge.name} has finished; there is nothing to remind them of")
    if judge.revoked_at is not None:
        raise StateError(f"{judge.name}'s invitation is revoked; invite them again")
    judge.reminded_at = now
    record_event(session, now, "remind judge", judge, actor_id=actor_id)
    return _make_link(session, now, judge)


def revoke_judge(session: Session, now: datetime, judge: Judge, *, actor_id: int | None) -> None:
    """Let none of a judge's links open anything; their votes stay."""
    session.refresh(judge, with_for_update=True)  # a vote that is being kept comes first
    judge.revoked_at = judge.revoked_at or now
    session.execute(
        update(JudgeLink)
        .where(JudgeLink.judge_id == judge.id, JudgeLink.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record_event(session, now, "revoke judge", judge, actor_id=actor_id)


def exclude_judge(
    session: Session, now: datetime, judge: Judge, *, reason: str, actor_id: int | None
) -> None:
    """Leave a judge's votes out of the main result; both results are shown, with the reason.

    Raises:
        InputError: There is no reason.
    """
    if not reason.strip():
        raise InputError("say why the judge's votes are left out; the reason is published with both results")
    judge.excluded_at, judge.excluded_reason = now, reason.strip()[:LONGEST_REASON]
    record_event(session, now, "exclude judge", judge, actor_id=actor_id, reason=judge.excluded_reason)


def include_judge(session: Session, now: datetime, judge: Judge, *, actor_id: int | None) -> None:
    """Take an exclusion back."""
    judge.excluded_at = judge.excluded_reason = None
    record_event(session, now, "include judge", judge, actor_id=actor_id)


def find_judge(session: Session, token: str) -> Judge | None:
    """Give the judge of a link; None if the link is unknown or revoked."""
    return session.scalar(
        select(Judge)
        .join(JudgeLink, JudgeLink.judge_id == Judge.id)
        .where(
            JudgeLink.token_sha256 == hash_token(token),
            JudgeLink.revoked_at.is_(None),
            Judge.revoked_at.is_(None),
        )
    )


def hidden_entries(session: Session, judge: Judge) -> frozenset[str]:
    """Give the codes of the entries that a judge must not see, since they have a tie to the team."""
    return frozenset(
        session.scalars(
            select(StudyEntry.code)
            .join(Submission, Submission.id == StudyEntry.submission_id)
            .join(Tie, Tie.team_id == Submission.team_id)
            .where(Tie.judge_id == judge.id, StudyEntry.study_id == judge.study_id)
        )
    )


def _is_same_person(one: Judge, other: Judge) -> bool:
    if one.email and other.email:
        return one.email.casefold() == other.email.casefold()
    return one.name.casefold() == other.name.casefold()


def _make_link(session: Session, now: datetime, judge: Judge) -> str:
    token = make_token("judge")
    session.add(JudgeLink(judge_id=judge.id, token_sha256=hash_token(token), created_at=now))
    return token


def _names(session: Session, ties: Mapping[int, str]) -> str:
    found = session.execute(select(Team.id, Team.name).where(Team.id.in_(list(ties))).order_by(Team.name))
    return ", ".join(f"{name} ({ties[team_id]})" if ties[team_id] else name for team_id, name in found)
