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


@pytest.fixture
def make_server(make_database_url, example_files, tmp_path):
    """Make a filled server on a kind of database."""
    opened = []

    def make(kind="sqlite"):
        folder = shutil.copytree(example_files, tmp_path / "server")
        environment = {"RAIM_DATABASE_URL": make_database_url(kind), "RAIM_KEEP_FREE_BYTES": "0"}
        settings = read_settings(environment, folder=folder)
        database = open_database(settings.database_url)
        migrate(database.engine)
        opened.append(database)
        storage = open_storage(settings.storage_url)
        submissions = fill(database, storage, folder)
        return SimpleNamespace(
            settings=settings, database=database, storage=storage, folder=folder, submissions=submissions
        )

    yield make
    for database in opened:
        database.engine.dispose()


@pytest.fixture
def new_settings(make_database_url, tmp_path):
    """Make the settings of a server that is not there yet."""

    def make(kind="sqlite", name="new"):
        environment = {"RAIM_DATABASE_URL": make_database_url(kind), "RAIM_KEEP_FREE_BYTES": "0"}
        return read_settings(environment, folder=tmp_path / name)

    return make


@pytest.fixture(scope="session")
def good_backup(tmp_path_factory, example_files):
    """Make a backup of a filled server on SQLite, once."""
    place = tmp_path_factory.mktemp("good")
    folder = shutil.copytree(example_files, place / "server")
    settings = read_settings({"RAIM_KEEP_FREE_BYTES": "0"}, folder=folder)
    database = open_database(settings.database_url)
    migrate(database.engine)
    fill(database, open_storage(settings.storage_url), folder)
    database.engine.dispose()
    settings.secret_key_file.write_text("s" * 64)
    make_backup(settings, place / "out.zip", now=NOON, with_secret=True)
    return place / "out.zip"


@pytest.fixture
def backup(good_backup, tmp_path):
    """Give a backup that the test may damage."""
    return Path(shutil.copy(good_backup, tmp_path / "out.zip"))
