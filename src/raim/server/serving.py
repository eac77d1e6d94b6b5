"""Start a server: settings, challenge, database and storage are opened and checked before the first request."""

import gc
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from raim.errors import InputError, StateError
from raim.processes import OnProgress
from raim.server.actions.accounts import has_administrator
from raim.server.actions.challenge_folders import find_challenges, lock_folder
from raim.server.actions.links import make_administrator_link
from raim.server.current_challenge import CurrentChallenge
from raim.server.database import ServerFolder, migrate, open_database
from raim.server.database.clock import DatabaseClock
from raim.server.logs import Once, set_up_logs
from raim.server.mail import set_up_mail
from raim.server.settings import Settings
from raim.server.storage import open_storage
from raim.server.web.placement import place_uploads
from raim.server.web.server import Clock, WebServer, read_secret

LOG = logging.getLogger(__name__)
PLACE_EVERY_S, LOOK_EVERY_S = 1.0, 5.0
BACKLOG = 2048  # connections that wait to be taken


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A server that is ready.

    Attributes:
        server: The server.
        challenges: That it serves.
        problems: Of files that could not be taken, by folder.
        first_link: The address where the organiser makes their account, if there is none.
    """

    server: WebServer
    challenges: list[CurrentChallenge]
    problems: dict[str, list[str]]
    first_link: str | None


def open_server(
    settings: Settings,
    *,
    clock: Clock | None = None,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Opened:
    """Open everything that a server needs; `on_progress` is called with (images stored, images in all).

    Raises:
        ChallengeError: The challenge has problems.
        SettingsError: Database or secret cannot be used.
        StorageError: The storage cannot be used.
        StateError: The challenge in the database is another one.
    """
    find_challenges(settings.folder)  # before anything is made
    secret = read_secret(settings.secret_key_file)
    database = open_database(settings.database_url)
    migrate(database.engine)
    server = WebServer(
        settings=settings,
        database=database,
        storage=open_storage(settings.storage_url, keep_free_bytes=settings.keep_free_bytes),
        clock=clock or DatabaseClock(database),
        secret=secret,
    )
    with database.writing() as session:
        lock_folder(session)  # of hosts that start at once, one after another
        set_up_mail(session, server.clock(), settings)
    server.look(is_start=True, on_progress=on_progress)
    with database.reading() as session:
        challenges = server.challenges(session)
        problems = session.scalars(select(ServerFolder.problems)).one()
    return Opened(server=server, challenges=challenges, problems=problems, first_link=_first_link(server))


def run_server(opened: Opened, listener: socket.socket) -> None:
    """Answer requests that come to a socket of `take_port` until the process is asked to stop."""
    import uvicorn

    from raim.server.web.app import make_app
    from raim.server.web.observation import CountedLines, end_counting

    settings = opened.server.settings
    set_up_logs(settings.log_format)
    logging.getLogger().addHandler(counting := CountedLines())
    counting.addFilter(Once())
    config = uvicorn.Config(
        make_app(opened.server),
        log_config=None,
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
    server = opened.server
    _repeat(lambda: place_uploads(server), "uploaded challenges", PLACE_EVERY_S, stop)
    if isinstance(server.clock, DatabaseClock):
        _repeat(server.clock.look, "the time of the database", LOOK_EVERY_S, stop)
    # What is there now stays: the collector, which holds up all requests, need not look through it again.
    gc.collect()
    gc.freeze()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        stop.set()
        end_counting()


def _repeat(work: Callable[[], object], what: str, every_s: float, stop: threading.Event) -> None:
    """Look after something in a thread, at the start and then now and again, until `stop` is set."""

    def keep() -> None:
        while True:
            try:
                work()
            except (SQLAlchemyError, OSError):
                LOG.exception("%s could not be looked after; it is tried again", what)
            if stop.wait(every_s):
                return

    threading.Thread(target=keep, name=what, daemon=True).start()


def take_port(host: str, port: int | None, *, default: int) -> socket.socket:
    """Return a socket that listens; whoever connects from now on waits until the server answers.

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


def _first_link(server: WebServer) -> str | None:
    with server.database.writing() as session:
        if has_administrator(session):
            return None
        try:
            token = make_administrator_link(session, server.clock())
        except StateError:
            return None  # another process was faster
    return f"{server.settings.public_url}/first/{token}"
