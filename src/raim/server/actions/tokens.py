"""Tokens with which programs act in a user's name; shown once, only their hash is kept."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from raim.server.actions.accounts import check_name
from raim.server.auditing import record_event
from raim.server.database import ApiToken, Database, User
from raim.server.tokens import hash_token, make_token


@dataclass(slots=True)
class TokenUses:
    """When tokens were used, to be written down: by one of those who used one, for all who did meanwhile.

    Thirty programs that come in one moment are two transactions so, and twenty-nine of them wait for none.
    """

    noted: dict[str, datetime] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, database: Database, now: datetime, token: str) -> None:
        """Note a use; who is first writes down its own, then what the others have noted."""
        self.noted[hash_token(token)] = now
        while self.noted and self.lock.acquire(
            blocking=False
        ):  # looked at again: one may come as another ends
            try:
                with database.writing() as session:
                    self._write(session)
            finally:
                self.lock.release()

    def _write(self, session: Session) -> None:
        for token_sha256 in list(self.noted):
            used = self.noted.pop(token_sha256)
            session.execute(
                update(ApiToken).where(ApiToken.token_sha256 == token_sha256).values(last_used_at=used)
            )


def make_api_token(
    session: Session,
    now: datetime,
    user: User,
    *,
    name: str,
    challenge_id: int | None = None,
    scope: str = "all",
    days: int = 90,
) -> str:
    """Make a token for programs of a user, for one challenge or for all; shown once, only its hash is kept.

    It ends after `days`, and with the password that the user has now; `scope` is one of `TOKEN_SCOPES`.

    Raises:
        InputError: The name is not usable.
    """
    token = make_token("api")
    kept = ApiToken(
        user_id=user.id,
        challenge_id=challenge_id,
        name=check_name(name, "token's name"),
        token_sha256=hash_token(token),
        scope=scope,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(kept)
    record_event(session, now, "make API token", kept, actor_id=user.id, scope=scope, days=days)
    return token


def revoke_api_token(session: Session, now: datetime, token: ApiToken, *, actor_id: int) -> None:
    """End a token for programs."""
    token.revoked_at = now
    record_event(session, now, "revoke API token", token, actor_id=actor_id)
