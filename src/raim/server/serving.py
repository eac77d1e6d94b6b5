"""Start a server: settings, challenge, database and storage are opened and checked before the first request."""

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from raim.challenge import Challenge, read_challenge
from raim.challenge.reading import FILE_NAME
from raim.data import read_manifest
from raim.errors import ChallengeError, InputError, StateError
from raim.scoring.profiles import PROFILES
from raim.server.actions.accounts import has_administrator
from raim.server.actions.challenge_import import import_challenge
from raim.server.actions.links import make_administrator_link
from raim.server.database import migrate, open_database
from raim.server.jobs.versions import scorer_version
from raim.server.mail import set_up_mail
from raim.server.settings import Settings
from raim.server.storage import open_storage
from raim.server.submissions.uploads import drop_ended_parts
from raim.server.web.server import Clock, Server, read_secret

LOG = logging.getLogger(__name__)
DROP_PARTS_EVERY_S = 300.0
BACKLOG = 2048  # connections that wait to be taken
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A server that is ready; `first_link` is the address where the organiser makes their account, if there is none."""

    server: Server
    first_link: str | None


def open_server(
    settings: Settings,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    on_progress: OnProgress = lambda _done, _total: None,
) -> Opened:
    """Open everything that a server needs; `on_progress` is called with (images stored, images in all).

    Raises:
        ChallengeError: The challenge has problems.
        SettingsError: Database or secret cannot be used.
        StorageError: The storage cannot be used.
        StateError: The challenge in the database is another one.
    """
    found = find_challenges(settings.folder)
    settings.folder.mkdir(parents=True, exist_ok=True)
    secret = read_secret(settings.secret_key_file)
    database = open_database(settings.database_url)
    migrate(database.engine)
    server = Server(
        settings=settings,
        database=database,
        storage=open_storage(settings.storage_url, keep_free_bytes=settings.keep_free_bytes),
        clock=clock,
        secret=secret,
        problems=dict(found.problems),
    )
    with database.writing() as session:
        set_up_mail(session, clock(), settings)
    for folder, challenge in found.challenges.items():
        try:
            host(server, folder, challenge, on_progress=on_progress)
        except StateError as error:
            if len(found.challenges) == 1:
                raise
            server.problems[folder] = tuple(str(error).splitlines())
    return Opened(server=server, first_link=_first_link(server))


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundChallenges:
    """The challenges of a server's folder.

    Attributes:
        challenges: By where their file lies, seen from that folder; "." for itself.
        problems: What is wrong with the others, by folder.
    """

    challenges: dict[str, Challenge]
    problems: dict[str, tuple[str, ...]]


def find_challenges(folder: Path) -> FoundChallenges:
    """Find the challenge of a folder, or those of its sub-folders; one with problems takes down no other.

    Images are not hashed: that is done when they are stored.

    Raises:
        ChallengeError: There is none without problems, or two have one id.
    """
    places = [folder]
    if not (folder / FILE_NAME).exists() and folder.is_dir():
        places = sorted(path.parent for path in folder.glob(f"*/{FILE_NAME}")) or [folder]
    challenges: dict[str, Challenge] = {}
    problems: dict[str, tuple[str, ...]] = {}
    for place in places:
        name = place.relative_to(folder).as_posix()
        try:
            challenges[name] = load_challenge(place)
        except ChallengeError as error:
            if len(places) == 1:
                raise
            problems[name] = tuple(map(str, error.problems))
    by_id: dict[str, str] = {}
    for name, challenge in challenges.items():
        if challenge.id in by_id:
            raise ChallengeError(
                f"{by_id[challenge.id]}/{FILE_NAME} and {name}/{FILE_NAME} have one id, {challenge.id!r}; give one of "
                "them another"
            )
        by_id[challenge.id] = name
    if not challenges:
        raise ChallengeError("\n".join(f"{name}: {each}" for name, said in problems.items() for each in said))
    return FoundChallenges(challenges=challenges, problems=problems)


def host(
    server: Server,
    folder: str,
    challenge: Challenge,
    *,
    status: str = "open",
    on_progress: OnProgress = lambda _done, _total: None,
) -> None:
    """Bring a challenge in and serve it from now on.

    Args:
        server: The server.
        folder: Where its file lies, seen from the server's folder.
        challenge: As its file says.
        status: Of one that is new here.
        on_progress: Called with (images stored, images in all).

    Raises:
        StateError: What teams have done stands against it.
        StorageError: A file cannot be kept.
    """
    import_challenge(
        server.database,
        server.storage,
        server.clock(),
        challenge,
        scorer_version=scorer_version(challenge.profile),
        folder=folder,
        status=status,
        on_progress=on_progress,
    )
    server.replace_challenge(challenge)
    server.problems.pop(folder, None)


def load_challenge(folder: Path) -> Challenge:
    """Read the challenge of a folder, without hashing its images: that is done when they are stored.

    Raises:
        ChallengeError: It has problems; all are listed.
    """
    return read_challenge(folder, profiles=PROFILES, read_manifest=read_manifest, check_hashes=False)


def run_server(opened: Opened, listener: socket.socket) -> None:
    """Answer requests that come to a socket of `take_port` until the process is told to stop."""
    import uvicorn

    from raim.server.web.app import make_app

    settings = opened.server.settings
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    config = uvicorn.Config(
        make_app(opened.server),
        log_level="warning",
        access_log=False,
        server_header=False,
        # X-Forwarded-For and -Proto are believed from these only.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=",".join(str(each) for each in settings.trusted_proxies) or None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=20,
    )
    stop = threading.Event()
    threading.Thread(target=_drop_parts, args=(opened.server, stop), name="ended parts", daemon=True).start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        stop.set()


def _drop_parts(server: Server, stop: threading.Event) -> None:
    """Delete what has come of uploads that have ended, at the start and then now and again."""
    while True:
        try:
            drop_ended_parts(server.database, server.settings.folder)
        except (SQLAlchemyError, OSError):
            LOG.exception("parts of ended uploads could not be deleted; it is tried again")
        if stop.wait(DROP_PARTS_EVERY_S):
            return


def take_port(host: str, port: int | None, *, default: int) -> socket.socket:
    """Give a socket that listens; whoever connects from now on waits until the server answers.

    Port 0 is any one, None the default or any other if that is taken.

    Raises:
        InputError: The wanted port is taken.

    Example:
        >>> with take_port("127.0.0.1", 0, default=8000) as listener:
        ...     listener.getsockname()[1] > 0
        True
    """
    reason: str | None = ""
    for wanted in (default, 0) if port is None else (port,):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, wanted))
            listener.listen(BACKLOG)
        except OSError as error:
            reason = error.strerror
            listener.close()
            continue
        return listener
    raise InputError(f"port {port} of {host} cannot be had: {reason}; name another with --port")


def _first_link(server: Server) -> str | None:
    with server.database.writing() as session:
        if has_administrator(session):
            return None
        try:
            token = make_administrator_link(session, server.clock())
        except StateError:
            return None  # another process was faster
    return f"{server.settings.public_url}/first/{token}"
