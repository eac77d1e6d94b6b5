"""`raim server free`: what it frees, and what it says of it; which files those are is tested in tests/server."""

from datetime import UTC, datetime

import numpy as np
import pytest

pytest.importorskip("sqlalchemy", reason="the extra server is not installed")

from sqlalchemy import update

from raim.challenge import write_example
from raim.server.database import Submission, migrate, open_database
from raim.server.settings import read_settings
from raim.server.storage import has_file, open_storage
from server_case import NOON, fill


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Make a server with a submission that was refused long ago."""
    folder = tmp_path / "server"
    write_example(folder, first_day=NOON.date().replace(day=1), rng=np.random.default_rng(2024))
    settings = read_settings({}, folder=folder)
    database = open_database(settings.database_url)
    migrate(database.engine)
    fill(database, open_storage(settings.storage_url), folder)
    with database.writing() as session:
        session.execute(update(Submission).values(state_at=datetime(2020, 1, 1, tzinfo=UTC)))
    database.engine.dispose()
    monkeypatch.chdir(tmp_path)
    return settings


def refused(settings):
    database = open_database(settings.database_url)
    with database.reading() as session:
        row = session.query(Submission).filter_by(state="refused").one()
        found = row.id, row.committed_sha256, row.freed_at
    database.engine.dispose()
    return found


def test_a_dry_run_says_what_would_be_freed_and_the_next_run_frees_it(settings, run_raim):
    number, sha256, _ = refused(settings)
    line = f"{sha256[:16]}: 17.6 KiB, of the refused submissions {number}\n"
    assert run_raim("server", "free", "server", "--dry-run") == (
        0,
        line + "would be freed: 1 file, 17.6 KiB\n",
        "",
    )
    storage = open_storage(settings.storage_url)
    assert has_file(storage, sha256)
    assert run_raim("server", "free", "server") == (0, line + "freed: 1 file, 17.6 KiB\n", "")
    assert not has_file(storage, sha256)
    assert refused(settings)[2] is not None
    assert run_raim("server", "free", "server") == (0, "freed: 0 files, 0 bytes\n", "")


def test_what_was_refused_lately_is_kept(settings, run_raim, monkeypatch):
    monkeypatch.setenv("RAIM_FREE_AFTER_DAYS", "36500")
    assert run_raim("server", "free", "server")[1] == "freed: 0 files, 0 bytes\n"


def test_where_no_server_has_run_there_is_nothing_to_free(tmp_path, run_raim):
    code, _, err = run_raim("server", "free", tmp_path)
    assert code == 2
    assert f"has a server run in {tmp_path}?" in err
    assert not (tmp_path / "raim.db").exists()
