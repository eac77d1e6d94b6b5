"""Start a server: settings, challenge, database and storage are opened and checked before the first request."""

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from raim.challenge import Challenge, read_challenge
from raim.data import read_manifest
from raim.errors import InputError, StateError
from raim.scoring.profiles import PROFILES
from raim.server.accounts import has_organiser, make_organiser_link
from raim.server.contest import import_challenge
from raim.server.database import migrate, open_database
from raim.server.jobs.versions import scorer_version
from raim.server.settings import Settings
from raim.server.storage import open_storage
from raim.server.web.server import Clock, Server, read_secret

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A server that is ready.

    Attributes:
        server: For the application.
        first_link: Address with which the organiser makes their account; None once there is one.
    """

    server: Server
    first_link: str | None


def open_server(
    settings: Settings,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    on_progress: OnProgress = lambda _done, _total: None,
) -> Opened:
    """Open everything that a server needs.

    Args:
        settings: What it is started with.
        clock: Gives the time, aware.
        on_progress: Called with (images stored, images in all) while the challenge is brought in.

    Raises:
        ChallengeError: The challenge has problems.
        SettingsError: Database or secret cannot be used.
        StorageError: The storage cannot be used.
        StateError: The challenge in the database is another one.
    """
    challenge = load_challenge(settings.folder)
    settings.folder.mkdir(parents=True, exist_ok=True)
    secret = read_secret(settings.secret_key_file)
    database = open_database(settings.database_url)
    migrate(database.engine)
    storage = open_storage(settings.storage_url, keep_free_bytes=settings.keep_free_bytes)
    import_challenge(
        database,
        storage,
        clock(),
        challenge,
        scorer_version=scorer_version(challenge.profile),
        on_progress=on_progress,
    )
    server = Server(
        settings=settings,
        database=database,
        storage=storage,
        challenge=challenge,
        clock=clock,
        secret=secret,
    )
    return Opened(server=server, first_link=_first_link(server))


def load_challenge(folder: Path) -> Challenge:
    """Read the challenge of a folder, without hashing its images: that is done when they are stored.

    Raises:
        ChallengeError: It has problems; all are listed.
    """
    return read_challenge(folder, profiles=PROFILES, read_manifest=read_manifest, check_hashes=False)


def run_server(opened: Opened, *, host: str, port: int) -> None:
    """Answer requests until the process is told to stop.

    Args:
        opened: What `open_server` gives.
        host: Address to listen at.
        port: Port to listen at.
    """
    import uvicorn

    from raim.server.web.app import make_app

    settings = opened.server.settings
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    uvicorn.run(
        make_app(opened.server),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        # X-Forwarded-For and -Proto are believed from these only.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=",".join(str(each) for each in settings.trusted_proxies) or None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=20,
    )


def find_port(host: str, port: int | None, *, default: int) -> int:
    """Give a free port.

    Args:
        host: Address to listen at.
        port: The one that is wanted; 0 for any, None for the default or any other if that is taken.
        default: As said.

    Raises:
        InputError: The wanted port is taken.

    Example:
        >>> find_port("127.0.0.1", 0, default=8000) > 0
        True
    """
    for wanted in (default, 0) if port is None else (port,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, wanted))
            except OSError as error:
                reason = error.strerror
                continue
            found: int = probe.getsockname()[1]
            return found
    raise InputError(f"port {port} of {host} cannot be had: {reason}; name another with --port")


def _first_link(server: Server) -> str | None:
    with server.database.writing() as session:
        if has_organiser(session):
            return None
        try:
            token = make_organiser_link(session, server.clock())
        except StateError:
            return None  # another process was faster
    return f"{server.settings.public_url}/first/{token}"
