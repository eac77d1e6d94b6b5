"""Teams, the invitations with which members join, and the members' API tokens."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.errors import AccessError, StateError
from raim.server.accounts.users import check_name, name_key
from raim.server.auditing import record_event
from raim.server.database import ApiToken, Invitation, Member, Team, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn
from raim.server.tokens import hash_token, make_token

INVITATION_LIFE = timedelta(days=14)


def make_team(
    session: Session, now: datetime, *, challenge_id: int, name: str, user: User, is_approved: bool = False
) -> Member:
    """Make a team with its first member, its captain.

    Raises:
        InputError: The name is not usable.
        StateError: The name is taken, or the user is in a team of the challenge.
    """
    name = check_name(name, "team's name")
    _refuse_second_team(session, challenge_id, user)
    same = select(Team.id).where(Team.challenge_id == challenge_id, Team.name_key == name_key(name))
    if session.scalar(same) is not None:
        raise StateError(
            f"there is a team {name!r} already; choose another name, or ask its captain for an invitation"
        )
    state = "approved" if is_approved else "waiting"
    team = Team(challenge_id=challenge_id, name=name, name_key=name_key(name), state=state, created_at=now)
    session.add(team)
    session.flush()
    record_event(session, now, "make team", actor_id=user.id, subject="team", subject_id=team.id)
    return _add_member(session, now, team, user, role="captain")


def set_team_state(session: Session, now: datetime, team: Team, state: str, *, actor_id: int) -> None:
    """Approve, suspend or mark as merged; the database refuses other words."""
    details = {"from": team.state, "to": state}
    team.state = state
    record_event(
        session, now, "set team state", actor_id=actor_id, subject="team", subject_id=team.id, details=details
    )


def invite(session: Session, now: datetime, captain: Member) -> str:
    """Make the token with which one person joins the captain's team within 14 days.

    Raises:
        AccessError: Who invites is not a captain.
    """
    if captain.role != "captain":
        raise AccessError("only a team's captain invites members; ask yours")
    token = make_token("invitation")
    invitation = Invitation(
        team_id=captain.team_id,
        invited_by=captain.user_id,
        token_sha256=hash_token(token),
        created_at=now,
        expires_at=now + INVITATION_LIFE,
    )
    session.add(invitation)
    session.flush()
    record_event(
        session, now, "invite", actor_id=captain.user_id, subject="invitation", subject_id=invitation.id
    )
    return token


def accept_invitation(
    session: Session, now: datetime, token: str, user: User, *, team_size: int | None = None
) -> Member:
    """Join the team of an invitation, which is then used up.

    Raises:
        StateError: It was used, is over, revoked or unknown; the user is in a team of the challenge; or the team has
            `team_size` members.
    """
    invitation = session.scalar(
        select(Invitation).where(Invitation.token_sha256 == hash_token(token)).with_for_update()
    )
    if (
        invitation is None
        or invitation.accepted_at is not None
        or invitation.revoked_at is not None
        or invitation.expires_at <= now
    ):
        raise StateError(
            "this invitation was used before, is over or was revoked; ask the team's captain for another"
        )
    team = session.get_one(Team, invitation.team_id)
    _refuse_second_team(session, team.challenge_id, user)
    _refuse_full(session, team, team_size)
    invitation.accepted_at, invitation.accepted_by = now, user.id
    return _add_member(session, now, team, user, role="member")


def revoke_invitation(session: Session, now: datetime, invitation: Invitation, *, actor_id: int) -> None:
    """End an invitation that was not used yet."""
    invitation.revoked_at = now
    record_event(
        session, now, "revoke invitation", actor_id=actor_id, subject="invitation", subject_id=invitation.id
    )


def make_api_token(session: Session, now: datetime, user: User, *, name: str) -> str:
    """Make a token for programs of a user; shown once, only its hash is kept.

    Raises:
        InputError: The name is not usable.
    """
    token = make_token("api")
    kept = ApiToken(
        user_id=user.id,
        name=check_name(name, "token's name"),
        token_sha256=hash_token(token),
        created_at=now,
    )
    session.add(kept)
    session.flush()
    record_event(session, now, "make API token", actor_id=user.id, subject="API token", subject_id=kept.id)
    return token


def find_token_user(session: Session, token: str) -> User | None:
    """Give the user of an API token; None if it is unknown or revoked, or the account is shut."""
    return session.scalar(
        select(User)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(
            ApiToken.token_sha256 == hash_token(token),
            ApiToken.revoked_at.is_(None),
            User.disabled_at.is_(None),
        )
    )


def revoke_api_token(session: Session, now: datetime, token: ApiToken, *, actor_id: int) -> None:
    """End a token for programs."""
    token.revoked_at = now
    record_event(
        session, now, "revoke API token", actor_id=actor_id, subject="API token", subject_id=token.id
    )


def _refuse_second_team(session: Session, challenge_id: int, user: User) -> None:
    take_turn(session, ACCOUNTS_LOCK)
    found = session.scalar(
        select(Team.name)
        .join(Member, Member.team_id == Team.id)
        .where(Member.challenge_id == challenge_id, Member.user_id == user.id)
    )
    if found is not None:
        raise StateError(
            f"{user.login} is in the team {found!r} already; one person is in one team of a challenge"
        )


def _refuse_full(session: Session, team: Team, team_size: int | None) -> None:
    there = session.scalar(select(func.count()).select_from(Member).where(Member.team_id == team.id)) or 0
    if team_size is not None and there >= team_size:
        raise StateError(f"the team {team.name!r} has {there} members, as many as this challenge allows")


def _add_member(session: Session, now: datetime, team: Team, user: User, *, role: str) -> Member:
    member = Member(
        challenge_id=team.challenge_id, team_id=team.id, user_id=user.id, role=role, joined_at=now
    )
    session.add(member)
    session.flush()
    record_event(
        session,
        now,
        "join team",
        actor_id=user.id,
        subject="team",
        subject_id=team.id,
        details={"role": role},
    )
    return member
