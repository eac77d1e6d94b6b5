"""What organisers decide about people and teams: roles, shut accounts, and how a team takes part."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from raim.errors import InputError, StateError, unknown_name
from raim.server.accounts.links import make_reset_link
from raim.server.accounts.teams import set_team_state
from raim.server.accounts.users import disable_user, register
from raim.server.auditing import record_event
from raim.server.database import Team, User
from raim.server.database.engine import ACCOUNTS_LOCK, take_turn
from raim.server.database.people import USER_ROLES

DECIDED_STATES = ("approved", "suspended")


def make_account(
    session: Session,
    now: datetime,
    *,
    login: str,
    name: str,
    email: str,
    role: str,
    password_hash: str,
    actor_id: int,
) -> tuple[User, str]:
    """Make an account for somebody; give it with the token of the link with which they set their password.

    Args:
        session: A writing session.
        now: The time.
        login: What they will type.
        name: As shown; "" for the login.
        email: "" for none.
        role: "participant", "judge" or "organiser".
        password_hash: Of a random password that nobody knows.
        actor_id: The organiser.

    Raises:
        InputError: Login, name or e-mail are not usable.
        StateError: The login is taken.
        UnknownNameError: There is no such role.
    """
    _check_role(role)
    user = register(
        session,
        now,
        login=login,
        password_hash=password_hash,
        name=name.strip() or None,
        email=email.strip() or None,
        role=role,
    )
    record_event(
        session,
        now,
        "make account",
        actor_id=actor_id,
        subject="user",
        subject_id=user.id,
        details={"role": role},
    )
    return user, make_reset_link(session, now, user, actor_id=actor_id)


def change_role(session: Session, now: datetime, user: User, role: str, *, actor_id: int) -> None:
    """Make somebody a participant, a judge or an organiser.

    Raises:
        StateError: They are the last organiser.
        UnknownNameError: There is no such role.
    """
    _check_role(role)
    if role == user.role:
        return
    if user.role == "organiser":
        _refuse_last_organiser(session, user)
    details = {"from": user.role, "to": role}
    user.role = role
    record_event(
        session, now, "change role", actor_id=actor_id, subject="user", subject_id=user.id, details=details
    )


def shut_account(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Shut an account; its tokens for programs are gone for good, its password works again once it is opened.

    Raises:
        StateError: They are the last organiser.
    """
    if user.role == "organiser" and user.disabled_at is None:
        _refuse_last_organiser(session, user)
    if user.disabled_at is None:
        disable_user(session, now, user, actor_id=actor_id)


def reopen_account(session: Session, now: datetime, user: User, *, actor_id: int) -> None:
    """Let the person of a shut account log in again.

    Raises:
        StateError: The account was deleted.
    """
    if user.password_hash == "deleted":  # noqa: S105 - the mark of a deleted account
        raise StateError("this account was deleted by its person; they have to register again")
    if user.disabled_at is not None:
        user.disabled_at = None
        record_event(session, now, "reopen account", actor_id=actor_id, subject="user", subject_id=user.id)


def decide_about_team(session: Session, now: datetime, team: Team, state: str, *, actor_id: int) -> None:
    """Approve or suspend a team.

    Raises:
        InputError: It is another word.
        StateError: The team was merged into another one.
    """
    if state not in DECIDED_STATES:
        raise InputError(f"a team is {' or '.join(DECIDED_STATES)}, not {state[:20]!r}")
    if team.state == "merged":
        raise StateError(f"{team.name} was merged into another team; decide about that one")
    if team.state != state:
        set_team_state(session, now, team, state, actor_id=actor_id)


def mark_team(
    session: Session,
    now: datetime,
    team: Team,
    *,
    is_baseline: bool,
    is_out_of_competition: bool,
    actor_id: int,
) -> None:
    """Say whether a team's entries are a baseline or out of competition; they are listed then without a rank."""
    before = {"baseline": team.is_baseline, "out of competition": team.is_out_of_competition}
    after = {"baseline": is_baseline, "out of competition": is_out_of_competition}
    if before == after:
        return
    team.is_baseline, team.is_out_of_competition = is_baseline, is_out_of_competition
    record_event(
        session,
        now,
        "mark team",
        actor_id=actor_id,
        subject="team",
        subject_id=team.id,
        details={"from": before, "to": after},
    )


def _check_role(role: str) -> None:
    if role not in USER_ROLES:
        raise unknown_name("role", role, USER_ROLES)


def _refuse_last_organiser(session: Session, user: User) -> None:
    take_turn(session, ACCOUNTS_LOCK)
    others = session.scalar(
        select(func.count())
        .select_from(User)
        .where(User.role == "organiser", User.disabled_at.is_(None), User.id != user.id)
    )
    if not others:
        raise StateError(f"{user.login} is the last organiser; make another one first")
