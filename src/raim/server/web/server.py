"""What every request needs: settings, database, storage, the challenge of the file and the clock."""

import os
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from raim.challenge import Challenge
from raim.challenge.series import Series
from raim.errors import RaimError, SettingsError, StateError
from raim.server import database as tables
from raim.server.actions.challenge_folders import find_challenges
from raim.server.actions.challenge_import import OnProgress, import_challenge
from raim.server.actions.tokens import TokenUses
from raim.server.current_challenge import CurrentChallenge, load_current, read_version
from raim.server.database import Database, announce_change
from raim.server.jobs import ForecastCache
from raim.server.jobs.versions import scorer_version
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
    """One running server, of one challenge or many; each is replaced when an organiser has its file read again.

    Attributes:
        settings: What it was started with.
        database: Opened and migrated.
        storage: Opened.
        definitions: By their id, as their files say; dates in force come with `challenge`.
        series: What the challenges share; None without a series.toml.
        problems: What is wrong with those that cannot be served, by their folder, seen from the server's.
        clock: Gives the time, aware.
        secret: Key of what only this server can make.
        standings: Leaderboards as last made.
        forecasts: How the queue stands, as last made.
        token_uses: Of API tokens, which are still to be written down.
        results: Results of studies as last made.
    """

    settings: Settings
    database: Database
    storage: Storage
    definitions: dict[str, Challenge] = field(default_factory=dict)
    series: Series | None = None
    problems: dict[str, tuple[str, ...]] = field(default_factory=dict)
    clock: Clock = field(default=lambda: datetime.now(UTC))
    secret: bytes
    standings: StandingsCache = field(default_factory=StandingsCache)
    forecasts: ForecastCache = field(default_factory=ForecastCache)
    token_uses: TokenUses = field(default_factory=TokenUses)
    results: ResultsCache = field(default_factory=ResultsCache)
    _kept: dict[str, tuple[Challenge, CurrentChallenge]] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def only(self) -> Challenge | None:
        """The challenge of a server that has one; None where it has several."""
        return next(iter(self.definitions.values())) if len(self.definitions) == 1 else None

    @property
    def definition(self) -> Challenge:
        """The same.

        Raises:
            StateError: It has several.
        """
        if self.only is None:
            raise StateError(f"name one of the challenges {', '.join(sorted(self.definitions))}")
        return self.only

    def challenge(self, session: Session, challenge_id: str = "") -> CurrentChallenge:
        """Give a challenge in force; it is read again whenever its version was raised.

        Args:
            session: Any session.
            challenge_id: Which; "" for the only one.

        Raises:
            StateError: It is not named, and there are several.
        """
        slug = challenge_id or self.definition.id
        return self._in_force(session, slug, read_version(session, slug))

    def find_challenge(self, session: Session, slug: str) -> CurrentChallenge | None:
        """Give a challenge in force; None for an unknown name, of which the database is asked the same."""
        version = read_version(session, slug if slug.isprintable() else "")
        return self._in_force(session, slug, version) if slug in self.definitions else None

    def challenges(self, session: Session) -> list[CurrentChallenge]:
        """Give all challenges in force, asking once for what has changed."""
        versions = session.execute(select(tables.Challenge.slug, tables.Challenge.version))
        return [
            self._in_force(session, slug, version) for slug, version in versions if slug in self.definitions
        ]

    def _in_force(self, session: Session, slug: str, version: int) -> CurrentChallenge:
        definition, kept = (
            self.definitions[slug],
            self._kept.get(slug),
        )  # after the version: it is raised last
        if kept is None or kept[0] is not definition or kept[1].version != version:
            self._kept[slug] = kept = (definition, load_current(session, definition))
        return kept[1]

    def host(
        self,
        folder: str,
        definition: Challenge,
        *,
        status: str = "open",
        on_progress: OnProgress = lambda _done, _total: None,
    ) -> None:
        """Bring a challenge in and serve it from now on.

        Args:
            folder: Where its file lies, seen from the server's folder.
            definition: As its file says.
            status: Of one that is new here.
            on_progress: Called with (images stored, images in all).

        Raises:
            StateError: What teams have done stands against it.
            StorageError: A file cannot be kept.
        """
        import_challenge(
            self.database,
            self.storage,
            self.clock(),
            definition,
            scorer_version=scorer_version(definition.profile),
            folder=folder,
            status=status,
            on_progress=on_progress,
        )
        self.replace_challenge(definition)
        self.problems.pop(folder, None)

    def find_new(self) -> list[str]:
        """Look at the folder again, serve each challenge that is new there as a draft, and give their ids."""
        found = find_challenges(self.settings.folder)
        self.problems, self.series = dict(found.problems), found.series
        new = {folder: each for folder, each in found.challenges.items() if each.id not in self.definitions}
        for folder, definition in new.items():
            try:
                self.host(folder, definition, status="draft")
            except RaimError as error:
                self.problems[folder] = tuple(str(error).splitlines())
        return [each.id for each in new.values() if each.id in self.definitions]

    def largest_upload(self) -> int:
        """Give the length of the largest file that a challenge takes."""
        return max((each.uploads.max_bytes for each in self.definitions.values()), default=0)

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
        self.definitions[definition.id] = definition
        with self.database.writing() as session:
            announce_change(session, self.challenge(session, definition.id).id)


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
