"""All processes of a server go by one clock: the database's, whatever their own machine's says."""

from datetime import UTC, datetime, timedelta

import pytest

from raim.server.database import clock
from raim.server.database.clock import DatabaseClock
from raim.server.serving import open_server
from raim.server.settings import read_settings


class Ahead(datetime):
    """The time of a machine whose clock is an hour ahead."""

    @classmethod
    def now(cls, zone=None):
        return datetime.now(zone) + timedelta(hours=1)


def test_the_time_is_that_of_postgresql_and_on_sqlite_of_the_only_machine(database, monkeypatch):
    monkeypatch.setattr(clock, "datetime", Ahead)
    now = DatabaseClock(database)
    assert now().tzinfo is not None
    is_ahead = now() - datetime.now(UTC) > timedelta(minutes=30)
    assert is_ahead == (database.engine.dialect.name == "sqlite")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_web_process_goes_by_it(database_url, tmp_path, monkeypatch):
    import numpy as np

    from raim.challenge import write_example
    from server_site import FIRST_DAY

    monkeypatch.setattr(clock, "datetime", Ahead)
    write_example(tmp_path, first_day=FIRST_DAY, rng=np.random.default_rng(1))
    server = open_server(read_settings({"RAIM_DATABASE_URL": database_url}, folder=tmp_path)).server
    assert abs(server.clock() - datetime.now(UTC)) < timedelta(minutes=30)
    server.database.engine.dispose()
