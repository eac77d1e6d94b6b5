"""The web processes of one database: one on SQLite; on PostgreSQL any number, on any hosts.

All of them have the same folder, storage and secret. Who finds no other marks folder and storage; the others look for
that mark, so that a host with a folder of its own, out of which it would serve something else, is refused. Whether
there are others shows a lock that each shares.
"""

import contextlib
import hmac
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from raim.errors import SettingsError, StateError
from raim.server.actions.challenge_folders import lock_folder
from raim.server.database import Database, ServerFolder, migrate
from raim.server.database.engine import HOSTS_LOCK, connection_options
from raim.server.settings import Settings
from raim.server.storage import open_storage
from raim.server.web.server import read_secret

MARK = "server.mark"
LOOK_EVERY_S = 5.0
SHARED = text(f"SELECT pg_advisory_lock_shared({HOSTS_LOCK})")
WAY_OUT = (
    "all of a database share these (docs/deploying.md, Several hosts); to change one, stop all of them first"
)


@contextmanager
def join_hosts(settings: Settings) -> Iterator[None]:
    """Be one of the web processes of a database, until the context ends.

    Raises:
        StateError: Another process serves this SQLite database, or the others have another folder, storage or secret.
        SettingsError: The secret or the folder cannot be used.
        StorageError: The storage cannot be opened.
    """
    parts = make_url(settings.database_url)
    if parts.get_backend_name() == "sqlite":
        with _hold_alone(Path(parts.database or "")):
            yield
        return
    engine = create_engine(
        settings.database_url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=connection_options(settings.database_url),
    )
    migrate(engine)
    stop = threading.Event()
    with _connect(engine) as connection:
        _enter(connection, Database(engine=engine), settings)
        keeping = threading.Thread(target=_keep, args=(engine, connection, stop), name="hosts", daemon=True)
        keeping.start()
        try:
            yield
        finally:
            stop.set()
            keeping.join()


@contextmanager
def _hold_alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(f"{path}.serving").acquire(timeout=0)
    except Timeout as error:
        raise StateError(
            "another `raim serve` runs with this SQLite database, which takes one; stop that one, or name another "
            "with --database: one of PostgreSQL takes several"
        ) from error
    with lock:
        yield


def _connect(engine: Engine) -> Connection:
    return engine.execution_options(isolation_level="AUTOCOMMIT").connect()


def _enter(connection: Connection, database: Database, settings: Settings) -> None:
    """Find the mark of folder and storage, or mark them if there is no other; a lock tells of this process then."""
    is_first = connection.scalar(text(f"SELECT pg_try_advisory_lock({HOSTS_LOCK})"))
    if not is_first:
        connection.execute(SHARED)  # which waits for the first one's mark
    storage = open_storage(settings.storage_url)
    # A host that sends no mail would drop what waits (`set_up_mail`).
    key = read_secret(settings.secret_key_file) + (b" mails" if settings.smtp_url else b"")
    places = {
        f"the folder {settings.folder}": (LocalFileSystem(), f"{settings.folder}/{MARK}"),
        f"the storage {settings.storage_url}": (storage.system, f"{storage.root}/{MARK}"),
    }
    with database.reading() as session:
        row = session.get(ServerFolder, 1)
        known = "" if row is None else row.mark
    strange = [what for what, place in places.items() if _sign(key, _read(*place)) != known]
    if strange and not is_first:
        what = (
            strange[0]
            if len(strange) == 1
            else "the folder, the storage, the secret or whether mail is sent (RAIM_SMTP_URL)"
        )
        raise StateError(f"{what} is not as with the other web processes; {WAY_OUT}")
    if strange:
        _mark(database, key, places)
    if is_first:
        connection.execute(SHARED)
        connection.execute(text(f"SELECT pg_advisory_unlock({HOSTS_LOCK})"))


def _mark(database: Database, key: bytes, places: Mapping[str, tuple[AbstractFileSystem, str]]) -> None:
    mark = secrets.token_hex(16).encode()
    for what, (system, path) in places.items():
        try:
            system.pipe_file(path, mark)
        except OSError as error:
            raise SettingsError(f"{what} cannot be written: {error.strerror or error}") from error
    with database.writing() as session:
        lock_folder(session).mark = _sign(key, mark)


def _sign(key: bytes, mark: bytes) -> str:
    return hmac.digest(key, mark, "sha256").hex()


def _read(system: AbstractFileSystem, path: str) -> bytes:
    try:
        return bytes(system.cat_file(path))
    except FileNotFoundError:
        return b""


def _keep(engine: Engine, connection: Connection, stop: threading.Event) -> None:
    """Keep the lock until `stop` is set; it goes with its connection, and is taken again when the database was away."""
    while not stop.wait(LOOK_EVERY_S):
        try:
            connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            connection.close()
            with contextlib.suppress(SQLAlchemyError):
                connection = _connect(engine)
                connection.execute(SHARED)
    connection.close()
