"""What every request needs: settings, database, storage, the challenge of the file and the clock."""

import os
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from raim.challenge import Challenge
from raim.errors import SettingsError
from raim.scoring.profiles import Profile, find_profile
from raim.server.current_challenge import CurrentChallenge, load_current, read_version
from raim.server.database import Database, announce_change
from raim.server.settings import Settings
from raim.server.standings import StandingsCache
from raim.server.storage import Storage
from raim.server.study.results import ResultsCache

Clock = Callable[[], datetime]
SECRET_BYTES = 32
MOST_KEPT = 64
Made = TypeVar("Made")


@dataclass(kw_only=True, slots=True)
class Server:
    """One running server; `definition` is replaced when an organiser has its file read again.

    Attributes:
        settings: What it was started with.
        database: Opened and migrated.
        storage: Opened.
        definition: As its file says; dates in force come with `challenge`.
        clock: Gives the time, aware.
        secret: Key of what only this server can make.
        standings: Leaderboards as last made.
        results: Results of studies as last made.
    """

    settings: Settings
    database: Database
    storage: Storage
    definition: Challenge
    clock: Clock = field(default=lambda: datetime.now(UTC))
    secret: bytes
    standings: StandingsCache = field(default_factory=StandingsCache)
    results: ResultsCache = field(default_factory=ResultsCache)
    _kept: tuple[Challenge, CurrentChallenge] | None = None
    _made: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def here(self) -> str:
        """Path of the challenge's pages."""
        return f"/c/{self.definition.id}"

    @property
    def profile(self) -> Profile:
        """The scoring profile of the challenge."""
        return find_profile(self.definition.profile)

    def challenge(self, session: Session) -> CurrentChallenge:
        """Give the challenge in force; it is read again whenever its version was raised."""
        version = read_version(session, self.definition.id)
        # After the version: `replace_challenge` raises it last.
        definition, kept = self.definition, self._kept
        if kept is None or kept[0] is not definition or kept[1].version != version:
            self._kept = kept = (definition, load_current(session, definition))
        return kept[1]

    def keep(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Give what was made under a key; it is made first where it was not, or long ago."""
        if key not in self._made:
            made = make()
            while len(self._made) >= MOST_KEPT:
                self._made.pop(next(iter(self._made)), None)
            self._made[key] = made
            return made
        found: Made = self._made[key]
        return found

    def replace_challenge(self, definition: Challenge) -> None:
        """Take what the file says now; what a request makes meanwhile of the old one is kept under an old version."""
        self.definition = definition
        with self.database.writing() as session:
            announce_change(session)


def read_secret(path: Path) -> bytes:
    """Read the server's secret; it is made, readable by its owner only, if it is not there.

    Raises:
        SettingsError: The file cannot be read or is no secret.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError(
            f"the secret {path} cannot be made: {error.strerror}; set RAIM_SECRET_KEY_FILE"
        ) from error
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(SECRET_BYTES).encode())
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"the secret {path} cannot be read: {error.strerror}") from error
    if len(secret) < SECRET_BYTES:
        raise SettingsError(
            f"the secret {path} has {len(secret)} bytes, at least {SECRET_BYTES}; delete it to have a new one"
        )
    return secret
