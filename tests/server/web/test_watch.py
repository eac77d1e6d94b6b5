"""What a health check says of database, storage and workers, each apart; and that no part that hangs holds it up."""

import asyncio
import shutil
import threading
from dataclasses import replace

import pytest

from patience import PATIENCE_S
from raim.errors import StorageFullError
from raim.server.jobs.context import start_heartbeat, stop_heartbeat
from raim.server.storage import open_storage
from raim.server.web import watch
from raim.server.web.watch import Look, Watch
from server_site import Site

FINE = {"status": "ok", "database": "ok", "storage": "ok", "workers": "idle", "n_workers": 0}


@pytest.fixture
def server(challenge_folder, clock, database_url):
    """Give a server on SQLite, and one on PostgreSQL."""
    made = Site(challenge_folder, clock, database_url=database_url)
    yield made
    made.server.database.engine.dispose()


def ask(site, path="/health"):
    """Look again at all parts, whatever was found a moment ago."""
    site.app.state.watch = Watch(site.server)
    answer = site.visitor().client.get(path)
    return answer.status_code, answer.json()


def test_all_is_well_without_a_worker_as_long_as_nothing_waits_for_one(server):
    assert ask(server) == ask(server, "/ready") == (200, FINE)
    with server.server.database.writing() as session:
        start_heartbeat(session, server.clock(), "one")
    assert ask(server) == (200, FINE | {"workers": "ok", "n_workers": 1})


def test_workers_are_away_once_something_has_waited_for_a_minute(server):
    ada = server.member("ada")
    with server.server.database.writing() as session:
        start_heartbeat(session, server.clock(), "one")
    server.submit(ada, server.zip_of())
    server.clock.move(seconds=59)
    with server.server.database.writing() as session:
        stop_heartbeat(session, server.clock(), "one")
    assert ask(server) == (200, FINE)
    server.clock.move(seconds=2)
    assert ask(server) == (503, FINE | {"status": "failing", "workers": "unavailable"})
    assert ask(server, "/ready")[0] == 200


def test_a_database_that_is_unavailable_is_reported_without_its_password(server, caplog):
    url = "postgresql+psycopg://raim:hush@127.0.0.1:1/raim"
    server.server.settings = replace(server.server.settings, database_url=url)
    expected = FINE | {"status": "failing", "database": "unavailable", "workers": "unknown"}
    assert ask(server) == ask(server, "/ready") == (503, expected)
    assert "'database': 'unavailable'" in caplog.text
    assert "hush" not in caplog.text


def test_a_full_storage_fails_but_pages_are_answered(server, monkeypatch):
    def refuse(*_args, **_options):
        raise StorageFullError("no room")

    monkeypatch.setattr("raim.server.storage.put_file", refuse)
    expected = FINE | {"status": "failing", "storage": "full"}
    assert ask(server) == (503, expected)
    assert ask(server, "/ready") == (200, expected)


def test_a_storage_that_is_unavailable_is_reported_also_where_its_library_has_errors_of_its_own(
    server, monkeypatch
):
    shutil.rmtree(server.folder / "files")
    (server.folder / "files").write_bytes(b"no folder")
    expected = FINE | {"status": "failing", "storage": "unavailable"}
    assert ask(server) == ask(server, "/ready") == (503, expected)

    class FarError(Exception):
        pass

    far = open_storage("memory://watched")

    def fail(*_args):
        raise FarError("no route to the bucket")

    server.server.storage = far
    assert ask(server) == (200, FINE)
    monkeypatch.setattr(type(far.system), "open", fail)
    assert ask(server) == (503, expected)


def test_what_hangs_is_unavailable_and_holds_one_thread(monkeypatch):
    monkeypatch.setattr(watch, "PATIENCE_S", 0.05)
    end, begun = threading.Event(), []

    def hang():
        begun.append(threading.get_ident())
        assert end.wait(60)
        return {"storage": "ok"}

    async def ask_often():
        look = Look(hang, {"storage": "unavailable"}, 0.0)
        found = [await look.ask() for _ in range(5)]
        end.set()
        await asyncio.to_thread(look._found.result)
        monkeypatch.setattr(watch, "PATIENCE_S", PATIENCE_S)
        return found, await look.ask()

    found, last = asyncio.run(ask_often())
    assert found == [{"storage": "unavailable"}] * 5
    assert last == {"storage": "ok"}
    assert len(begun) == 2


def test_what_was_found_holds_for_a_while_and_a_change_is_logged_once(caplog):
    words, n_looks = ["ok"], []

    def work():
        n_looks.append(1)
        return {"storage": words[0]}

    async def ask_often():
        kept, fresh = Look(work, {}, 600.0), Look(work, {}, -1.0)
        assert [await kept.ask() for _ in range(5)] == [{"storage": "ok"}] * 5
        assert len(n_looks) == 1
        for word in ("ok", "full", "full", "ok"):
            words[0] = word
            assert await fresh.ask() == {"storage": word}

    asyncio.run(ask_often())
    assert [each.getMessage() for each in caplog.records] == [
        "the health check finds {'storage': 'full'}",
        "the health check finds {'storage': 'ok'}",
    ]


def test_a_watch_may_name_the_host_as_it_likes_and_takes_no_connection_of_the_requests(site):
    engine = site.server.database.engine
    taken = [engine.connect() for _ in range(40)]
    try:
        answer = site.visitor().client.get("/ready", headers={"Host": "10.0.0.7:8000"})
    finally:
        for each in taken:
            each.close()
    assert (answer.status_code, answer.json()) == (200, FINE)
