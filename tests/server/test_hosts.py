"""Web processes of a database: one on SQLite; on PostgreSQL all that have the same folder, storage and secret."""

from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from patience import wait_until
from raim.errors import StateError
from raim.server import hosts
from raim.server.database.engine import HOSTS_LOCK
from raim.server.hosts import join_hosts
from raim.server.settings import read_settings


@pytest.fixture
def settings(tmp_path, database_url):
    """Give the settings of a host."""
    folder = tmp_path / "shared"
    folder.mkdir()
    return read_settings({"RAIM_DATABASE_URL": database_url}, folder=folder)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_sqlite_database_has_one_server(settings):
    with (
        join_hosts(settings),
        pytest.raises(StateError, match="another `raim serve` runs with this SQLite database"),
        join_hosts(settings),
    ):
        pass
    with join_hosts(settings):
        pass


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("folder", "the folder .*/elsewhere is not as with the other web processes"),
        ("storage_url", "the storage file://.*/elsewhere is not as with"),
        (
            "secret_key_file",
            r"the secret or whether mail is sent \(RAIM_SMTP_URL\) is not as with",
        ),
        (
            "smtp_url",
            r"the secret or whether mail is sent \(RAIM_SMTP_URL\) is not as with",
        ),
    ],
)
def test_hosts_of_one_postgresql_share_folder_storage_and_secret(settings, tmp_path, other, words):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = {
        "storage_url": elsewhere.as_uri(),
        "secret_key_file": elsewhere / "secret.key",
        "smtp_url": "smtp://localhost",
    }.get(other, elsewhere)
    with join_hosts(settings), join_hosts(settings), pytest.raises(StateError, match=words):
        join_hosts(replace(settings, **{other: place})).__enter__()
    with join_hosts(replace(settings, **{other: place})):  # alone it may move
        pass
    with join_hosts(replace(settings, **{other: place})), pytest.raises(StateError, match="is not as with"):
        join_hosts(settings).__enter__()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_host_tells_of_itself_again_after_the_database_was_unavailable(settings, database_url, monkeypatch):
    monkeypatch.setattr(hosts, "LOOK_EVERY_S", 0.01)
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    held = text("SELECT pid FROM pg_locks WHERE objid = :lock").bindparams(lock=HOSTS_LOCK)
    with join_hosts(settings), engine.connect() as connection:
        first = connection.scalar(held)
        connection.execute(text(f"SELECT pg_terminate_backend({first})"))
        wait_until(lambda: connection.scalar(held) not in {None, first})
    engine.dispose()
