import shutil
import uuid
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from raim.challenge import write_example
from raim.server.backup import make_backup
from raim.server.database import migrate, open_database
from raim.server.settings import read_settings
from raim.server.storage import open_storage
from server_case import NOON, fill


@pytest.fixture
def make_database_url(request, tmp_path):
    """Make the URL of an empty database of a kind."""
    made = []

    def make(kind):
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"
        base = request.getfixturevalue("postgresql")
        admin = create_engine(base, isolation_level="AUTOCOMMIT")
        name = f"raim_{uuid.uuid4().hex}"
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        made.append((admin, name))
        return base.replace("/postgres?", f"/{name}?", 1)

    yield make
    for admin, name in made:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@pytest.fixture(scope="session")
def example_files(tmp_path_factory):
    """Write the example challenge once."""
    folder = tmp_path_factory.mktemp("example")
    write_example(folder, first_day=NOON.date().replace(day=1), rng=np.random.default_rng(2024))
    return folder


@pytest.fixture(scope="session")
def filled_server(tmp_path_factory, example_files):
    """Fill a server on SQLite once, to be copied."""
    folder = shutil.copytree(example_files, tmp_path_factory.mktemp("filled") / "server")
    server = open_filled(folder, {})
    server.database.engine.dispose()
    return folder, server.submissions


def open_filled(folder, environment, submissions=None):
    settings = read_settings({"RAIM_KEEP_FREE_BYTES": "0", **environment}, folder=folder)
    database, storage = open_database(settings.database_url), open_storage(settings.storage_url)
    if submissions is None:
        migrate(database.engine)
        submissions = fill(database, storage, folder)
    return SimpleNamespace(
        settings=settings, database=database, storage=storage, folder=folder, submissions=submissions
    )


@pytest.fixture
def make_server(make_database_url, filled_server, example_files, tmp_path):
    """Make a filled server on a kind of database."""
    opened = []

    def make(kind="sqlite"):
        folder, submissions = filled_server
        if kind == "sqlite":
            opened.append(open_filled(shutil.copytree(folder, tmp_path / "server"), {}, submissions))
        else:
            url = {"RAIM_DATABASE_URL": make_database_url(kind)}
            opened.append(open_filled(shutil.copytree(example_files, tmp_path / "server"), url))
        return opened[-1]

    yield make
    for server in opened:
        server.database.engine.dispose()


@pytest.fixture
def new_settings(make_database_url, tmp_path):
    """Make the settings of a server that is not there yet."""

    def make(kind="sqlite", name="new"):
        environment = {"RAIM_DATABASE_URL": make_database_url(kind), "RAIM_KEEP_FREE_BYTES": "0"}
        return read_settings(environment, folder=tmp_path / name)

    return make


@pytest.fixture(scope="session")
def good_backup(tmp_path_factory, filled_server):
    """Make a backup of a filled server on SQLite, once."""
    place = tmp_path_factory.mktemp("good")
    settings = read_settings(
        {"RAIM_KEEP_FREE_BYTES": "0", "RAIM_SECRET_KEY_FILE": str(place / "secret.key")},
        folder=filled_server[0],
    )
    settings.secret_key_file.write_text("s" * 64)
    make_backup(settings, place / "out.zip", now=NOON, with_secret=True)
    return place / "out.zip"


@pytest.fixture
def backup(good_backup, tmp_path):
    """Give a backup that the test may damage."""
    return Path(shutil.copy(good_backup, tmp_path / "out.zip"))
