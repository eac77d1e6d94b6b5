"""What every request needs: settings, database, storage, the challenges in force and the clock."""

import os
import secrets
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from raim.challenge import Challenge
from raim.challenge.series import Series
from raim.errors import RaimError, SettingsError, StateError
from raim.processes import OnProgress
from raim.server import database as tables
from raim.server.actions.challenge_folders import find_challenges, note_look
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.tokens import TokenUses
from raim.server.current_challenge import CurrentChallenge, load_current, read_definition
from raim.server.database import Database, ServerFolder
from raim.server.jobs import ForecastCache
from raim.server.jobs.versions import scorer_version
from raim.server.settings import Settings
from raim.server.standings import StandingsCache
from raim.server.storage import Storage
from raim.server.study.results import ResultsCache

Clock = Callable[[], datetime]
SECRET_BYTES = 32
MOST_KEPT = 64
# Of what each challenge shows, by its id, and under "" of the folder's: asked by every request, so made once.
VERSIONS = union_all(
    select(tables.Challenge.slug, tables.Challenge.version), select(literal(""), ServerFolder.version)
)
Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True, slots=True)
class HostedChallenges:
    """What a server has at a moment.

    Attributes:
        versions: Of what is kept of each challenge, by its id.
        series: What the challenges share; None without a series.toml.
    """

    versions: Mapping[str, int]
    series: Series | None

    @property
    def only(self) -> str:
        """The id of the challenge of a server that has one; "" where it has several."""
        return next(iter(self.versions)) if len(self.versions) == 1 else ""


@dataclass(kw_only=True, slots=True)
class WebServer:
    """One web process of a server of one challenge or many; whatever others must see too is in the database.

    Attributes:
        settings: What it was started with.
        database: Opened and migrated.
        storage: Opened.
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
    clock: Clock = field(default=lambda: datetime.now(UTC))
    secret: bytes
    standings: StandingsCache = field(default_factory=StandingsCache)
    forecasts: ForecastCache = field(default_factory=ForecastCache)
    token_uses: TokenUses = field(default_factory=TokenUses)
    results: ResultsCache = field(default_factory=ResultsCache)
    _series: tuple[int, Series | None] = (0, None)
    _definitions: dict[str, tuple[str, Challenge]] = field(default_factory=dict)
    _kept: dict[str, CurrentChallenge] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def hosted(self, session: Session) -> HostedChallenges:
        """Return which challenges there are and what they share, as any host has brought it in, in one query."""
        versions: dict[str, int] = {slug: version for slug, version in session.execute(VERSIONS)}  # noqa: C416 - rows are no pairs to mypy
        version, (kept, series) = versions.pop("", 0), self._series
        if version != kept:
            plain = session.scalar(select(ServerFolder.series))
            series = None if plain is None else TypeAdapter(Series).validate_python(plain)
            self._series = version, series
        return HostedChallenges(versions=versions, series=series)

    def challenge(self, session: Session, challenge_id: str = "") -> CurrentChallenge:
        """Return a challenge in force; it is read again whenever its version was raised.

        Args:
            session: Any session.
            challenge_id: Which; "" for the only one.

        Raises:
            StateError: There is none of that id; or it is not named, and there are several.
        """
        hosted = self.hosted(session)
        found = self.find_challenge(session, hosted, challenge_id or hosted.only)
        if found is None:
            raise StateError(f"name one of the challenges {', '.join(sorted(hosted.versions))}")
        return found

    def find_challenge(
        self, session: Session, hosted: HostedChallenges, slug: str
    ) -> CurrentChallenge | None:
        """Return a challenge in force; None for an unknown name."""
        version = hosted.versions.get(slug)
        if version is None:
            return None
        kept = self._kept.get(slug)
        if kept is None or kept.version != version:
            loaded = load_current(session, self._define(session, slug))
            self._kept[slug] = kept = replace(
                loaded, version=version
            )  # the one that was read before all else
        return kept

    def challenges(self, session: Session) -> list[CurrentChallenge]:
        """Return all challenges in force, asking once for what has changed."""
        hosted = self.hosted(session)
        found = (self.find_challenge(session, hosted, slug) for slug in hosted.versions)
        return [each for each in found if each is not None]

    def _define(self, session: Session, slug: str) -> Challenge:
        """Return what a challenge's file says, which is long, and read only when it has changed."""
        row = tables.Challenge
        sha256, kept = (
            session.scalar(select(row.definition_sha256).where(row.slug == slug)),
            self._definitions.get(slug),
        )
        if kept is None or kept[0] != sha256:
            self._definitions[slug] = kept = read_definition(session, slug)
        return kept[1]

    def host(
        self,
        folder: str,
        definition: Challenge,
        *,
        status: str = "open",
        on_progress: OnProgress = lambda _done, _total: None,
    ) -> None:
        """Bring a challenge in; all hosts serve it from now on.

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

    def look(
        self, *, is_start: bool = False, on_progress: OnProgress = lambda _done, _total: None
    ) -> list[str]:
        """Look at the folder, and give the ids of the challenges that were brought in.

        Args:
            is_start: Whether all files are read again; else the challenges that are new, which are drafts.
            on_progress: Called with (images stored, images in all).

        Raises:
            ChallengeError: There is no challenge without problems.
            RaimError: At a start: the only one cannot be taken.
        """
        found = find_challenges(self.settings.folder)
        problems, taken = dict(found.problems), []
        with self.database.reading() as session:
            known = frozenset() if is_start else self.hosted(session).versions.keys()
        for folder, definition in found.challenges.items():
            if definition.id in known:
                continue
            try:
                self.host(folder, definition, status="open" if is_start else "draft", on_progress=on_progress)
            except RaimError as error:
                if is_start and (len(found.challenges) == 1 or not isinstance(error, StateError)):
                    raise
                problems[folder] = tuple(str(error).splitlines())
            else:
                taken.append(definition.id)
        with self.database.writing() as session:
            note_look(session, found.series, problems)
        return taken

    def keep(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what was made under a key; it is made first where it was not, or long ago."""
        if key not in self._made:
            made = make()
            while len(self._made) >= MOST_KEPT:
                self._made.pop(next(iter(self._made)), None)
            self._made[key] = made
            return made
        found: Made = self._made[key]
        return found


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
