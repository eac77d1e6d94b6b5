"""Tables of people: users and how they prove who they are, teams, members, invitations."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Select, String, UniqueConstraint, bindparam, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from raim.server.database.columns import (
    Name,
    Numbered,
    Sha256,
    check_words,
    is_sha256,
    reference,
    reference_key,
)

OFFICES = ("judge", "organiser")
MEMBER_ROLES = ("captain", "member")
TEAM_STATES = ("waiting", "approved", "suspended", "merged")
TOKEN_SCOPES = ("read", "take part", "all")
LINK_PURPOSES = ("make administrator", "reset password", "verify address")


class User(Numbered):
    """A person with a login, for all challenges of the server. `login_key` is the login as compared: casefolded, NFKC.

    `registered_in`: the challenge on whose pages the account was made, if it was one's. Administrators make challenges
    anyway, others where they `may_make_challenges`.
    """

    __tablename__ = "user_account"  # "user" is a word of SQL

    login: Mapped[Name]
    login_key: Mapped[Name] = mapped_column(unique=True)
    name: Mapped[Name]
    email: Mapped[str | None] = mapped_column(String(320))
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str] = mapped_column(String(300))
    is_administrator: Mapped[bool] = mapped_column(default=False)
    may_make_challenges: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    registered_in: Mapped[int | None] = mapped_column(reference_key("challenge"), index=True)
    consented_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class Appointment(Numbered):
    """The office that a person has in a challenge; administrators need none."""

    __table_args__ = (
        UniqueConstraint("challenge_id", "user_id"),
        CheckConstraint(check_words("office", OFFICES), name="office"),
    )

    challenge_id: Mapped[int] = reference("challenge")
    user_id: Mapped[int] = reference("user_account")
    office: Mapped[str] = mapped_column(String(20))
    appointed_at: Mapped[datetime]


class LoginSession(Numbered):
    """A login in a browser; only the hash of its token is known here."""

    __table_args__ = (CheckConstraint(is_sha256("token_sha256"), name="token_sha256"),)

    user_id: Mapped[int] = reference("user_account")
    token_sha256: Mapped[Sha256] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]


class LoginAttempt(Numbered):
    """A try to log in; it stands as failed until the password was right."""

    login_key: Mapped[Name] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    attempted_at: Mapped[datetime] = mapped_column(index=True)
    succeeded: Mapped[bool] = mapped_column(default=False)


class OneUseLink(Numbered):
    """A link that does one thing once; only the hash of its token is known here.

    `address` is where it was mailed to and shown nowhere else: whoever uses it reads what comes there.
    """

    __table_args__ = (
        CheckConstraint(check_words("purpose", LINK_PURPOSES), name="purpose"),
        CheckConstraint("(purpose = 'make administrator') = (user_id IS NULL)", name="user"),
        CheckConstraint(is_sha256("token_sha256"), name="token_sha256"),
    )

    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[int | None] = mapped_column(reference_key("user_account"), index=True)
    address: Mapped[str | None] = mapped_column(String(320))
    token_sha256: Mapped[Sha256] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Team(Numbered):
    """Who takes part. Its row is the lock under which its tries are taken."""

    __table_args__ = (
        UniqueConstraint("challenge_id", "name_key"),
        CheckConstraint(check_words("state", TEAM_STATES), name="state"),
    )

    challenge_id: Mapped[int] = reference("challenge")
    name: Mapped[Name]
    name_key: Mapped[Name]
    state: Mapped[str] = mapped_column(String(20), default="waiting")
    is_out_of_competition: Mapped[bool] = mapped_column(default=False)
    is_baseline: Mapped[bool] = mapped_column(default=False)
    merged_into: Mapped[int | None] = mapped_column(reference_key("team"), index=True)
    created_at: Mapped[datetime]


class FactSheet(Numbered):
    """What a team states about its method for the report: the fields of `raim.server.actions.fact_sheets`."""

    team_id: Mapped[int] = mapped_column(reference_key("team"), unique=True)
    fields: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
    updated_by: Mapped[int] = reference("user_account")


def merged_team_ids(team_id: int | None) -> Select[int]:
    """Select the ids of a team and of those that were merged into it, whose submissions its members see."""
    return select(Team.id).where((Team.id == team_id) | (Team.merged_into == team_id))


class Member(Numbered):
    """A user in a team; in one team of a challenge only.

    `consented_at`: when they agreed to what the challenge asks; None where it asks for nothing.
    """

    __table_args__ = (
        UniqueConstraint("user_id", "challenge_id"),
        CheckConstraint(check_words("role", MEMBER_ROLES), name="role"),
    )

    challenge_id: Mapped[int] = reference("challenge")
    team_id: Mapped[int] = reference("team")
    user_id: Mapped[int] = reference("user_account")
    role: Mapped[str] = mapped_column(String(20), default="member")
    joined_at: Mapped[datetime]
    consented_at: Mapped[datetime | None]


class Invitation(Numbered):
    """A link with which one person joins a team; `address` is where it was mailed to, if it was."""

    __table_args__ = (CheckConstraint(is_sha256("token_sha256"), name="token_sha256"),)

    team_id: Mapped[int] = reference("team")
    invited_by: Mapped[int] = reference("user_account")
    address: Mapped[str | None] = mapped_column(String(320))
    token_sha256: Mapped[Sha256] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[int | None] = mapped_column(reference_key("user_account"), index=True)
    revoked_at: Mapped[datetime | None]


class ApiToken(Numbered):
    """A user's token for programs, for one challenge or for all; only its hash is known here.

    `scope`: "read" changes nothing, "take part" has no office of its person, "all" may do what they may.
    """

    __table_args__ = (
        CheckConstraint(check_words("scope", TOKEN_SCOPES), name="scope"),
        CheckConstraint(is_sha256("token_sha256"), name="token_sha256"),
    )

    user_id: Mapped[int] = reference("user_account")
    challenge_id: Mapped[int | None] = mapped_column(reference_key("challenge"), index=True)
    name: Mapped[Name]
    token_sha256: Mapped[Sha256] = mapped_column(unique=True)
    scope: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


def whose(table: type[LoginSession | ApiToken], *columns: Any) -> Select[Any]:
    """Select columns of whose a token is, unless it is revoked or over, or the account is shut.

    The query takes `token_sha256` and `now`.
    """
    return (
        select(*columns)
        .select_from(table)
        .join(User, User.id == table.user_id)
        .where(
            table.token_sha256 == bindparam("token_sha256"),
            table.expires_at > bindparam("now"),
            table.revoked_at.is_(None),
            User.disabled_at.is_(None),
        )
    )


def people_of(challenge_id: int) -> Select[int]:
    """Select the ids of who is known in a challenge: in a team or an office, or registered on its pages."""
    known = (
        User.id.in_(select(table.user_id).where(table.challenge_id == challenge_id))
        for table in (Member, Appointment)
    )
    return select(User.id).where(or_(User.is_administrator, User.registered_in == challenge_id, *known))
