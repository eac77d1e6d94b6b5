"""Leaving a team, merging two, and deleting an account; what was handed in stays with the team."""

import secrets
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from raim.errors import AccessError, StateError
from raim.server.accounts.users import disable_user
from raim.server.auditing import record_event
from raim.server.database import Invitation, Member, Submission, Team, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn


def leave_team(session: Session, now: datetime, member: Member, *, actor_id: int) -> None:
    """Take a member out of a team; the next member becomes its captain where the captain goes.

    A member who has handed something in cannot be taken out of the records: their account can be deleted instead.

    Raises:
        StateError: They have handed something in, or are the last member of a team that has.
    """
    take_turn(session, ACCOUNTS_LOCK)
    handed_in = session.scalar(
        select(func.count()).select_from(Submission).where(Submission.member_id == member.id)
    )
    if handed_in:
        raise StateError(
            f"{handed_in} submissions were handed in by this member and stay with the team; they cannot leave it"
        )
    others = session.scalars(
        select(Member).where(Member.team_id == member.team_id, Member.id != member.id).order_by(Member.id)
    ).all()
    if member.role == "captain" and others:
        others[0].role = "captain"
    team_id = member.team_id
    session.delete(member)
    session.flush()
    if not others:
        session.get_one(Team, team_id).state = "suspended"  # nobody is left in it; its name stays taken
    record_event(session, now, "leave team", actor_id=actor_id, subject="team", subject_id=team_id)


def remove_member(session: Session, now: datetime, captain: Member, member_id: int) -> None:
    """Take another member out of the captain's team.

    Raises:
        AccessError: Who asks is not the captain, or the member is of another team.
        StateError: As `leave_team`.
    """
    member = session.get(Member, member_id)
    if captain.role != "captain" or member is None or member.team_id != captain.team_id:
        raise AccessError("only a team's captain takes members out of it")
    leave_team(session, now, member, actor_id=captain.user_id)


def merge_teams(session: Session, now: datetime, team: Team, into: Team, *, actor_id: int) -> None:
    """Bring a team's members into another; its own entries stay listed under its name, and no longer compete.

    Raises:
        StateError: They are one team, of different challenges, or one was merged before.
    """
    take_turn(session, ACCOUNTS_LOCK)
    if team.id == into.id or team.challenge_id != into.challenge_id:
        raise StateError("a team is merged into another one of the same challenge")
    if "merged" in {team.state, into.state}:
        raise StateError("a team that was merged before cannot be merged again")
    session.execute(update(Member).where(Member.team_id == team.id).values(team_id=into.id, role="member"))
    session.execute(
        update(Invitation)
        .where(
            Invitation.team_id == team.id, Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
        )
        .values(revoked_at=now)
    )
    details = {"into": into.id, "from": team.state}
    team.state, team.merged_into = "merged", into.id
    record_event(
        session, now, "merge teams", actor_id=actor_id, subject="team", subject_id=team.id, details=details
    )


def delete_account(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Delete who a person is: login, name, e-mail and password; their deeds stay in the log under a number.

    Raises:
        StateError: They are the last organiser.
    """
    take_turn(session, ACCOUNTS_LOCK)
    if user.role == "organiser":
        others = session.scalar(
            select(func.count())
            .select_from(User)
            .where(User.role == "organiser", User.disabled_at.is_(None), User.id != user.id)
        )
        if not others:
            raise StateError("you are the last organiser; make another one first")
    disable_user(session, now, user, actor_id=actor_id)
    gone = f"deleted-{user.id}-{secrets.token_hex(4)}"
    user.login = user.login_key = user.name = gone
    user.email, user.password_hash = None, "deleted"
    record_event(session, now, "delete account", actor_id=actor_id, subject="user", subject_id=user.id)
