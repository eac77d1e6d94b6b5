"""Tokens with which programs act in a user's name; shown once, only their hash is kept."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.server.actions.accounts import check_name
from raim.server.auditing import record_event
from raim.server.database import ApiToken, User
from raim.server.tokens import hash_token, make_token


def make_api_token(
    session: Session, now: datetime, user: User, *, name: str, challenge_id: int | None = None
) -> str:
    """Make a token for programs of a user, for one challenge or for all; shown once, only its hash is kept.

    Raises:
        InputError: The name is not usable.
    """
    token = make_token("api")
    kept = ApiToken(
        user_id=user.id,
        challenge_id=challenge_id,
        name=check_name(name, "token's name"),
        token_sha256=hash_token(token),
        created_at=now,
    )
    session.add(kept)
    record_event(session, now, "make API token", kept, actor_id=user.id)
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
    record_event(session, now, "revoke API token", token, actor_id=actor_id)
